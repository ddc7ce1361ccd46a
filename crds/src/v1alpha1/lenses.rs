//! `spec.lenses`: which Lenses HQ, as the pods reach it and as browsers reach it.

use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::rules::{self, URL_MAX_LENGTH};

/// Which Lenses HQ.
#[derive(KubeSchema, Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = rules::exactly_one_lenses())]
pub struct Lenses {
    /// Lenses HQ as the pods reach it, such as `https://lenses.example.com` or `http://hq.lenses.svc:9991`; a path prefix is
    /// kept. Plain http is accepted, since this is often a Service. Exactly one of `url` and `serviceRef`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = URL_MAX_LENGTH))]
    #[x_kube(validation = rules::absolute_url())]
    pub url: Option<String>,

    /// Lenses HQ's Service in this cluster. The URL is derived from it and follows it: a port given by name is looked up,
    /// and looked up again when the Service changes. Exactly one of `url` and `serviceRef`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_ref: Option<ServiceRef>,

    /// Lenses HQ as browsers and AI tools reach it, such as `https://lenses.example.com`. Under OAuth it is the issuer, and
    /// must equal HQ's `issuerURL` byte for byte. Default: `url`. Required with `serviceRef` and OAuth, since nobody outside
    /// the cluster can dial its names. Plain http is accepted for loopback addresses and cluster names only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = URL_MAX_LENGTH))]
    #[x_kube(
        validation = rules::absolute_url(),
        validation = rules::encrypted_outside_the_cluster(),
        validation = rules::without_mcp_path()
    )]
    pub advertised_url: Option<String>,
}

/// A Service that is Lenses HQ.
#[derive(JsonSchema, Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ServiceRef {
    /// The Service's name.
    #[schemars(length(min = 1, max = 63))]
    pub name: String,

    /// The Service's namespace. Default: the namespace of this resource.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 63))]
    pub namespace: Option<String>,

    /// The Service's port, by name or number, such as `http` or `9991`. It must be one that the Service has.
    pub port: IntOrString,

    /// `http` or `https`. Default: `http`.
    #[serde(default)]
    pub scheme: Scheme,

    /// The path under which HQ serves, such as `/lenses`. Default: none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(length(max = 256), regex(pattern = r"^(/[a-zA-Z0-9._~!$&()*+,;=:%/-]*[a-zA-Z0-9._~!$&()*+,;=:%-])?$"))]
    pub path: String,
}

/// How a URL is dialled.
#[derive(JsonSchema, Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Scheme {
    /// Without TLS.
    #[default]
    Http,
    /// With TLS.
    Https,
}

impl Scheme {
    /// The scheme as a URL begins with it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}
