//! Whether a server can be used: Lenses HQ is as sign-in needs it, and the endpoint is as a client
//! would find it.
//!
//! ```text
//! lenses    HQ, as the pods reach it: metadata (RFC 8414) ─▶ issuer, registration, PKCE;
//!           introspection (RFC 7662)
//! endpoint  the server, as clients reach it: a call without a token ─▶ 401 ─▶ metadata (RFC 9728)
//!           ─▶ resource, issuer;
//!           and with a token, if there is one: tools/list
//! ```
//!
//! Only what the spec names is dialled, as far as [`dial`] allows: the addresses in [`Lenses`] and
//! [`Endpoint`], and paths below them. What an answer names elsewhere is compared, never followed.
//! A token goes to the server's own Service only, credentials for introspection to HQ's origin
//! only. Requests are bounded in time and size ([`http`]), and no token, header or body of an
//! answer gets into a message, but for the few values that are compared. What an answer means is
//! judged apart from how it is had, in functions without IO.

//!
//! A reconcile says what is to be looked at and takes what was found so far. The probes go on
//! beside the reconciles ([`probe_loop()`]), for ever, and wake a reconcile when they find
//! something else:
//!
//! ```text
//! reconcile ─▶ plan ─▶ schedule (pure: what is known, what is due) ─▶ status
//!                        ▲             │ due
//!                        └ probe_loop ─┴▶ credentials ─▶ lenses, endpoint (HTTP)
//!                                         (the API server, for Secrets that the spec names)
//! ```
//!
//! Kept per resource: what is looked at, what was found, and when to look again. No value of a
//! Secret.

mod answer;
mod challenge;
mod credentials;
pub mod dial;
mod endpoint;
pub mod http;
mod lenses;
pub(crate) mod plan;
mod probe_loop;
mod proxy;
pub(crate) mod recorded;
mod schedule;
mod shares;
mod tools;
pub mod trust;
mod verifications;

use k8s_openapi::jiff::Timestamp;
use lenses_mcp_crds::{ClientRegistration, VerificationMode, conditions::Reason};
use secrecy::SecretString;
use url::Url;

pub(crate) use credentials::{Credentials, Reader};
pub(crate) use endpoint::list_tools;
pub use endpoint::{EndpointProbe, Token, probe as probe_endpoint};
pub use lenses::{probe as probe_lenses, version as lenses_version};
pub(crate) use probe_loop::{ProbeSettings, probe_loop};
pub(crate) use proxy::Proxy;
pub(crate) use tools::Tool;
pub use tools::Tools;
pub(crate) use verifications::Verifications;

/// What a status can say of HQ and of the endpoint.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Known {
    /// Of HQ; `None` before a spec was accepted.
    pub(crate) lenses: Option<Finding>,
    /// HQ's version, if HQ told it.
    pub(crate) version: Option<String>,
    /// Of the endpoint; `None` where nothing is to serve.
    pub(crate) endpoint: Option<Finding>,
    /// The tools, where they could be listed.
    pub(crate) tools: Option<Tools>,
    /// When the endpoint was last looked at.
    pub(crate) at: Option<Timestamp>,
}

/// Lenses HQ, as the pods reach it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lenses {
    /// `LENSES_URL`.
    pub url: Url,
    /// As authorization server; `None` in API-key mode, where only its being there matters.
    pub authorization_server: Option<AuthorizationServer>,
}

impl Lenses {
    /// Every address that is dialled.
    pub fn addresses(&self) -> impl Iterator<Item = &Url> {
        let introspection =
            self.authorization_server.as_ref().map(|server| &server.introspection_url);
        std::iter::once(&self.url).chain(introspection)
    }
}

/// Lenses HQ as authorization server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthorizationServer {
    /// What it must call itself, byte for byte.
    pub issuer: String,
    /// Where it is asked about tokens.
    pub introspection_url: Url,
    /// How it is to know its clients.
    pub client_registration: ClientRegistration,
}

/// The server's endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// The MCP URL that clients are given, byte for byte.
    pub url: String,
    /// The server's Service, as `http://name.namespace.svc:80`: dialled in place of a URL that only
    /// means something on a user's machine, such as `http://127.0.0.1:8000`, and to tell a server
    /// that is down from a URL that does not lead to it.
    pub service: Url,
    /// Whether the public URL or the Service is examined. `Off` examines nothing and is not asked
    /// of this module.
    pub mode: VerificationMode,
    /// Who may call.
    pub callers: Callers,
    /// The digest that the tools must have; `None`: any.
    pub expected_tools: Option<String>,
}

impl Endpoint {
    /// Every address that is dialled.
    #[must_use]
    pub fn addresses(&self) -> Vec<Url> {
        Url::parse(&self.url).into_iter().chain([self.service.clone()]).collect()
    }

    /// The host that is dialled first.
    #[must_use]
    pub fn host(&self) -> String {
        let public = Url::parse(&self.url).ok().filter(|_| self.mode != VerificationMode::Service);
        public.as_ref().unwrap_or(&self.service).host_str().unwrap_or_default().to_owned()
    }

    /// The Service's host, and the other name that its certificate may be for.
    #[must_use]
    pub fn alias(&self) -> Option<(String, String)> {
        let public = Url::parse(&self.url).ok()?;
        // As a certificate has it: an IPv6 address without brackets.
        let name = public.host_str()?.trim_start_matches('[').trim_end_matches(']').to_owned();
        Some((self.service.host_str()?.to_owned(), name))
    }
}

/// Who may call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Callers {
    /// Those who sign in with HQ.
    SignedIn {
        /// HQ's issuer, to which clients must be sent.
        issuer: String,
    },
    /// Those who show a token that they share.
    WithToken,
    /// Anyone, as the spec says out loud.
    Anyone,
}

/// The credentials of a client that HQ knows.
#[derive(Clone, Debug)]
pub struct ClientCredentials {
    /// Its id.
    pub id: SecretString,
    /// Its secret.
    pub secret: SecretString,
}

/// What was found: whether the condition holds, why, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Whether all is as it must be.
    pub holds: bool,
    /// Why, for programs.
    pub reason: Reason,
    /// Why, and what to do, for people.
    pub message: String,
}

impl Finding {
    fn good(reason: Reason, message: impl Into<String>) -> Self {
        Self { holds: true, reason, message: message.into() }
    }

    /// Neither good nor bad: not known yet.
    #[must_use]
    pub fn undecided(reason: Reason, message: impl Into<String>) -> Self {
        Self { holds: false, reason, message: message.into() }
    }

    fn bad(reason: Reason, message: impl Into<String>) -> Self {
        Self { holds: false, reason, message: message.into() }
    }
}
