//! `spec.lenses`: which Lenses HQ, as the pods reach it and as browsers reach it.

use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{SecretKeyRef, SecretRef};
use crate::rules::{self, URL_MAX_LENGTH};

/// Which Lenses HQ.
#[derive(KubeSchema, Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = rules::exactly_one_lenses())]
pub struct Lenses {
    /// Lenses HQ as the pods reach it, such as `https://lenses.example.com` or
    /// `http://hq.lenses.svc:9991`; a path prefix is kept. Plain http is accepted, since this is
    /// often a Service. Exactly one of `url` and `serviceRef`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = URL_MAX_LENGTH))]
    #[x_kube(validation = rules::absolute_url())]
    pub url: Option<String>,

    /// Lenses HQ's Service in this cluster. The URL is derived from it and follows it: a port given
    /// by name is looked up, and looked up again when the Service changes. Exactly one of `url` and
    /// `serviceRef`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_ref: Option<ServiceRef>,

    /// Lenses HQ as browsers and AI tools reach it, such as `https://lenses.example.com`. Under
    /// OAuth it is the issuer, and must equal HQ's `issuerURL` byte for byte. Default: `url`.
    /// Required with `serviceRef` and OAuth, since nobody outside the cluster can dial its names.
    /// Plain http is accepted for loopback addresses and cluster names only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = URL_MAX_LENGTH))]
    #[x_kube(
        validation = rules::absolute_url(),
        validation = rules::encrypted_outside_the_cluster(),
        validation = rules::without_mcp_path()
    )]
    pub advertised_url: Option<String>,

    /// The certificate authority of Lenses HQ, in PEM, for an HQ whose certificate no public
    /// authority signed. It is trusted besides the system's. A change of the `ConfigMap` or Secret
    /// rolls the pods. Default: the system's authorities alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_bundle: Option<CaBundle>,

    /// What the pods show to an HQ that asks for a client certificate (mTLS). A change of the
    /// Secret rolls the pods. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_certificate: Option<TlsSecret>,

    /// The HTTP proxy through which the pods and the operator reach Lenses HQ: its API, its
    /// websocket and sign-in. Default: none, whatever the environment of the operator says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proxy: Option<LensesProxy>,
}

/// An HTTP proxy that connects to HQ by CONNECT. Exactly one of `url` and `fromEnvironment`.
#[derive(KubeSchema, Clone, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = rules::exactly_one_proxy(),
    validation = rules::environment_has_the_whole_proxy()
)]
pub struct LensesProxy {
    /// The proxy, such as `http://proxy.example.com:3128`. Default of the port: 80.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = URL_MAX_LENGTH))]
    #[x_kube(validation = rules::proxy_url())]
    pub url: Option<String>,

    /// A Secret in this namespace with the credentials for the proxy, in the keys `username` and
    /// `password`, as type `kubernetes.io/basic-auth` has them. A change rolls the pods. Default:
    /// none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credentials_secret_ref: Option<SecretRef>,

    /// What is reached without the proxy: domains with all below them, IP addresses and networks,
    /// such as `[.svc, 10.0.0.0/8]`. Default: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(
        length(max = 64),
        inner(length(min = 1, max = 253), regex(pattern = r"^[^,'\s]+$"))
    )]
    pub no_proxy: Vec<String>,

    /// `true`: the proxy that the operator is configured with, by the chart's `proxy`. A resource
    /// can then be the same in every cluster. Default: `false`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub from_environment: bool,
}

/// Certificates of authorities, in PEM. Exactly one of `configMapKeyRef` and `secretKeyRef`.
#[derive(KubeSchema, Clone, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = rules::exactly_one_bundle())]
pub struct CaBundle {
    /// A key of a `ConfigMap` in this namespace, such as `ca.crt` of what trust-manager writes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config_map_key_ref: Option<ConfigMapKeyRef>,

    /// A key of a Secret in this namespace, such as `ca.crt` of what cert-manager writes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_key_ref: Option<SecretKeyRef>,
}

/// A key of a `ConfigMap` in the resource's own namespace.
#[derive(JsonSchema, Clone, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
pub struct ConfigMapKeyRef {
    /// The `ConfigMap`'s name.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,

    /// The key in the `ConfigMap`'s `data`. The operator does not read it: a key that is not there
    /// keeps the new pods from starting while the old ones serve on.
    #[schemars(length(min = 1, max = 253), regex(pattern = r"^[-._a-zA-Z0-9]+$"))]
    pub key: String,
}

/// A Secret with a certificate and its key.
#[derive(JsonSchema, Clone, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TlsSecret {
    /// The name of a Secret of type `kubernetes.io/tls` in this namespace: `tls.crt` with the
    /// chain, and `tls.key`, in PEM.
    #[schemars(length(min = 1, max = 253))]
    pub secret_name: String,
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

    /// The Service's port, by name or number, such as `http` or `9991`. It must be one that the
    /// Service has.
    pub port: IntOrString,

    /// `http` or `https`. Default: `http`.
    #[serde(default)]
    pub scheme: Scheme,

    /// The path under which HQ serves, such as `/lenses`. Default: none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(
        length(max = 256),
        regex(pattern = r"^(/[a-zA-Z0-9._~!$&()*+,;=:%/-]*[a-zA-Z0-9._~!$&()*+,;=:%-])?$")
    )]
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
