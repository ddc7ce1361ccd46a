//! `spec.endpoint`: where the server is published.

use std::collections::BTreeMap;

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::TlsSecret;
use crate::rules::{self, URL_MAX_LENGTH};

/// A DNS name in lower case, without a wildcard.
const HOST: &str = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$";
/// An absolute path without a slash at its end, or `/`; no segment begins with a dot.
const PATH: &str = r"^/([a-zA-Z0-9_~-][a-zA-Z0-9._~-]*(/[a-zA-Z0-9_~-][a-zA-Z0-9._~-]*)*)?$";

/// Where the server is published.
#[derive(KubeSchema, Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = rules::at_most_one_route(),
    validation = rules::ingress_fits_url(),
    validation = rules::http_route_fits_url(),
    validation = rules::load_balancer_is_encrypted()
)]
pub struct Endpoint {
    /// The public URL without `/mcp`, such as `https://mcp.example.com`; clients are told to use
    /// it, and OAuth metadata is served for it. Default, the first that applies: `https` and the
    /// host and path of `httpRoute` or of `ingress`, the address that a `LoadBalancer` Service was
    /// given, the DNS name of the Service inside the cluster. Plain http is accepted for loopback
    /// addresses and cluster names only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = URL_MAX_LENGTH))]
    #[x_kube(
        validation = rules::absolute_url(),
        validation = rules::encrypted_outside_the_cluster(),
        validation = rules::without_mcp_path()
    )]
    pub url: Option<String>,

    /// The Service in front of the pods. It has the name of this resource. Optional.
    #[serde(default)]
    pub service: Service,

    /// An Ingress that leads to the Service. It has the name of this resource. One of `ingress` and
    /// `httpRoute`. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ingress: Option<Ingress>,

    /// An `HTTPRoute` of the Gateway API that leads to the Service. It has the name of this
    /// resource. Where the cluster does not have that API, the condition `Accepted` says so,
    /// everything else is made, and the route is made once the API is there. One of `ingress` and
    /// `httpRoute`. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http_route: Option<HttpRoute>,

    /// TLS in the pod. The server takes up a changed certificate without a restart. An Ingress
    /// controller or a Gateway in front must be told to dial the Service with TLS. Default: plain
    /// HTTP in the cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<TlsSecret>,

    /// Further browser origins that may call, such as `https://inspector.example.com`; the origin
    /// of the endpoint's own URL always may, and so may clients that are not browsers. Default:
    /// none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(
        length(max = 32),
        inner(length(max = 256), regex(pattern = r"^https?://[^/?#@,\s]+$"))
    )]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub allowed_origins: Vec<String>,
}

/// The Service in front of the pods.
#[derive(KubeSchema, Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = rules::load_balancer_fields_fit_type(),
    validation = rules::external_traffic_policy_fits_type()
)]
pub struct Service {
    /// `ClusterIP`, `NodePort` or `LoadBalancer`. Default: `ClusterIP`.
    #[serde(rename = "type", default)]
    pub type_: ServiceType,

    /// The port of the Service. Default: 80, and 443 with `endpoint.tls`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 65535))]
    pub port: Option<i32>,

    /// Annotations of the Service, for a cloud's load balancer as a rule. Default: none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,

    /// Which load balancer takes the Service up, such as `service.k8s.aws/nlb`. It cannot be
    /// changed once it is set: give the Service another type first. Needs `type: LoadBalancer`.
    /// Default: the cluster's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub load_balancer_class: Option<String>,

    /// The addresses, as CIDR ranges such as `203.0.113.0/24`, from which the load balancer lets
    /// clients in. Needs `type: LoadBalancer`. Default: all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(
        length(max = 64),
        inner(length(max = 64), regex(pattern = r"^[0-9a-fA-F.:]+/[0-9]{1,3}$"))
    )]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub load_balancer_source_ranges: Vec<String>,

    /// `Cluster` spreads calls from outside over all pods; `Local` keeps them on the node that they
    /// reach and shows the pods the client's own address. Needs `type: LoadBalancer` or `NodePort`.
    /// Default: `Cluster`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_traffic_policy: Option<ExternalTrafficPolicy>,
}

/// An Ingress that leads to the Service.
#[derive(KubeSchema, Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Ingress {
    /// The host that clients dial, such as `mcp.example.com`. The host of `endpoint.url`, if that
    /// is set, must be the same.
    #[schemars(length(min = 1, max = 253), regex(pattern = HOST))]
    pub host: String,

    /// The `IngressClass` that takes it up, such as `nginx`. Default: the cluster's default class.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub class_name: Option<String>,

    /// The path under which the server is published, without `/mcp`, such as `/team-a`: clients
    /// then dial `/team-a/mcp`. The path of `endpoint.url`, if that is set, must be the same.
    /// Default: `/`.
    #[serde(default = "root")]
    #[schemars(length(min = 1, max = 256), regex(pattern = PATH))]
    #[x_kube(validation = rules::without_mcp_path())]
    pub path: String,

    /// TLS at the Ingress, with a certificate of this namespace; cert-manager makes it where
    /// `annotations` ask it to. Default: the certificate that the Ingress controller has for all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<TlsSecret>,

    /// Annotations of the Ingress, for its controller and for cert-manager as a rule. Default:
    /// none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

/// An `HTTPRoute` that leads to the Service.
#[derive(KubeSchema, Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HttpRoute {
    /// The Gateways that take the route up.
    #[schemars(length(min = 1, max = 32))]
    pub parent_refs: Vec<ParentRef>,

    /// The hosts that clients dial, such as `mcp.example.com`. The first is the one that clients
    /// are told. The host of `endpoint.url`, if that is set, must be one of them.
    #[schemars(length(min = 1, max = 16), inner(length(min = 1, max = 253), regex(pattern = HOST)))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub hostnames: Vec<String>,

    /// The path under which the server is published, without `/mcp`, such as `/team-a`: clients
    /// then dial `/team-a/mcp`. The path of `endpoint.url`, if that is set, must be the same.
    /// Default: `/`.
    #[serde(default = "root")]
    #[schemars(length(min = 1, max = 256), regex(pattern = PATH))]
    #[x_kube(validation = rules::without_mcp_path())]
    pub path: String,
}

/// A Gateway that takes a route up.
#[derive(JsonSchema, Clone, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ParentRef {
    /// The Gateway's name.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,

    /// The Gateway's namespace, which must allow routes of this one. Default: the namespace of this
    /// resource.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 63))]
    pub namespace: Option<String>,

    /// The name of one of the Gateway's listeners. Default: all that fit the hostnames.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub section_name: Option<String>,
}

/// How calls from outside are spread.
#[derive(JsonSchema, Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub enum ExternalTrafficPolicy {
    /// Over all pods.
    Cluster,
    /// Over the pods of the node that they reach.
    Local,
}

impl ExternalTrafficPolicy {
    /// The policy as Kubernetes writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cluster => "Cluster",
            Self::Local => "Local",
        }
    }
}

/// The type of a Service.
#[derive(JsonSchema, Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
pub enum ServiceType {
    /// Reached inside the cluster.
    #[default]
    ClusterIP,
    /// Reached at a port of every node.
    NodePort,
    /// Reached through a load balancer of the cloud.
    LoadBalancer,
}

impl ServiceType {
    /// The type as Kubernetes writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ClusterIP => "ClusterIP",
            Self::NodePort => "NodePort",
            Self::LoadBalancer => "LoadBalancer",
        }
    }
}

fn root() -> String {
    "/".to_owned()
}
