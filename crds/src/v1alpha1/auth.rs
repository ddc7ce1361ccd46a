//! `spec.auth`: how callers sign in. Exactly one mode; none is the default.

use kube::{KubeSchema, core::Duration};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::duration;
use crate::rules::{self, URL_MAX_LENGTH};

/// How callers sign in.
#[derive(JsonSchema, Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Auth {
    /// OAuth 2.1: Lenses HQ is the authorization server, this server is the protected resource, and
    /// each caller works with their own rights. `{}` takes every default. It needs HQ 6.2 or later
    /// with its authorization server enabled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oauth: Option<OAuth>,

    /// One Lenses service account for all callers, for an HQ without OAuth. Every caller has that
    /// account's rights.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_key: Option<ApiKey>,
}

/// Sign-in by OAuth 2.1.
#[derive(KubeSchema, Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OAuth {
    /// The scopes that this server offers at all: `read`, `write`, `delete`. A shorter list is a
    /// ceiling: no token can do more here, and tools above it do not exist. Default: all three.
    #[serde(default = "every_scope")]
    #[schemars(length(min = 1, max = 3))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub scopes: Vec<Scope>,

    /// How tokens are checked with Lenses HQ (RFC 7662). Optional.
    #[serde(default)]
    pub introspection: Introspection,

    /// What is done with the audience (`aud`) of a token: `required` refuses a token that does not
    /// name this server, `whenPresent` refuses one that names others only, `ignored` does not look.
    /// Default: `whenPresent`.
    #[serde(default)]
    pub audience: Audience,

    /// The client ids of the applications that may call, as Lenses HQ lists them, besides the
    /// rights that HQ gives their users. For clients that are registered by hand: a client that
    /// registers itself gets a new id each time. Default: all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(
        length(max = 64),
        inner(length(min = 1, max = 1024), regex(pattern = r"^[!#-&()+\x2d-\x5b\x5d-\x7e]+$"))
    )]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub allowed_clients: Vec<String>,

    /// How Lenses HQ knows its clients: `dynamic` means that they register themselves (RFC 7591) or
    /// are named by a Client ID Metadata Document, so that an HQ that offers neither is a fault;
    /// with `manual` they are registered at HQ by hand, and a closed registration is none. Default:
    /// `dynamic`.
    #[serde(default)]
    pub client_registration: ClientRegistration,
}

impl Default for OAuth {
    fn default() -> Self {
        Self {
            scopes: every_scope(),
            introspection: Introspection::default(),
            audience: Audience::default(),
            allowed_clients: Vec::new(),
            client_registration: ClientRegistration::default(),
        }
    }
}

/// What a token may do: the scopes of Lenses HQ.
#[derive(JsonSchema, Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// Look at things.
    Read,
    /// Create and change things.
    Write,
    /// Delete things.
    Delete,
}

impl Scope {
    /// The scope as a token carries it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Delete => "delete",
        }
    }
}

/// What is done with a token's `aud`.
#[derive(JsonSchema, Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Audience {
    /// It must be there and name this server.
    Required,
    /// If it is there, it must name this server.
    #[default]
    WhenPresent,
    /// It is not looked at.
    Ignored,
}

impl Audience {
    /// The value as it is written in the manifest and in the server's settings.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Required => "required",
            Self::WhenPresent => "whenPresent",
            Self::Ignored => "ignored",
        }
    }
}

/// How HQ knows its clients.
#[derive(JsonSchema, Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum ClientRegistration {
    /// They register themselves, or are named by a Client ID Metadata Document.
    #[default]
    Dynamic,
    /// They are registered at HQ by hand.
    Manual,
}

impl ClientRegistration {
    /// The value as it is written in the manifest and in the server's settings.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Dynamic => "dynamic",
            Self::Manual => "manual",
        }
    }
}

/// How tokens are checked with HQ.
#[derive(KubeSchema, Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Introspection {
    /// HQ's introspection endpoint as the pods reach it. Default: `/oauth2/introspect` under the
    /// address of HQ inside (`lenses.url` or `lenses.serviceRef`), so that it need not be
    /// published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = URL_MAX_LENGTH))]
    #[x_kube(validation = rules::absolute_url())]
    pub url: Option<String>,

    /// How long an answer of HQ is believed, from `0s` to `1h`. With `0s` HQ is asked at each call,
    /// and an application that a user disconnects is out at once. Default: `0s`.
    #[serde(default = "no_time", with = "duration")]
    #[schemars(
        with = "String", length(max = duration::MAX_LENGTH), regex(pattern = duration::PATTERN)
    )]
    #[x_kube(validation = rules::at_most_an_hour())]
    pub cache_ttl: Duration,

    /// A Secret in this namespace with the keys `client_id` and `client_secret`, for an HQ that
    /// answers introspection to known clients only. A change of it rolls the pods. Default: none,
    /// which needs `unauthenticatedIntrospection: true` in HQ.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_credentials_secret_ref: Option<SecretRef>,
}

impl Default for Introspection {
    fn default() -> Self {
        Self { url: None, cache_ttl: no_time(), client_credentials_secret_ref: None }
    }
}

/// Sign-in by one service account of Lenses.
#[derive(JsonSchema, Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ApiKey {
    /// The Secret's key that holds the token of the Lenses service account. A change of the Secret
    /// rolls the pods.
    pub secret_key_ref: SecretKeyRef,

    /// Who may call, since the service account says nothing about the caller. Exactly one of
    /// `tokenSecretRef` and `anyone`.
    pub callers: Callers,
}

/// Who may call in API-key mode.
#[derive(KubeSchema, Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = rules::exactly_one_caller())]
pub struct Callers {
    /// The Secret's key that holds the bearer token that callers must present: at least 16 letters,
    /// digits or `-._~+/`, such as what `openssl rand -hex 32` prints. A change of the Secret rolls
    /// the pods.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_secret_ref: Option<SecretKeyRef>,

    /// `true` lets anyone who can reach the port act as the service account, and is shown as a
    /// warning in the AUTH column and in the condition Accepted. Default: false.
    #[serde(default)]
    pub anyone: bool,
}

/// A key of a Secret in the resource's own namespace.
#[derive(JsonSchema, Clone, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
pub struct SecretKeyRef {
    /// The Secret's name.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,

    /// The key in the Secret's `data`. The operator never reads values: a key that is not there
    /// keeps the new pods from starting while the old ones serve on.
    #[schemars(length(min = 1, max = 253), regex(pattern = r"^[-._a-zA-Z0-9]+$"))]
    pub key: String,
}

/// A Secret in the resource's own namespace.
#[derive(JsonSchema, Clone, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
pub struct SecretRef {
    /// The Secret's name.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
}

fn every_scope() -> Vec<Scope> {
    vec![Scope::Read, Scope::Write, Scope::Delete]
}

fn no_time() -> Duration {
    duration::seconds(0)
}
