//! `spec.endpoint`: where the server is published.

use std::collections::BTreeMap;

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::rules::{self, URL_MAX_LENGTH};

/// Where the server is published.
#[derive(KubeSchema, Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Endpoint {
    /// The public URL without `/mcp`, such as `https://mcp.example.com`; clients are told to use it, and OAuth metadata is
    /// served for it. Default: the DNS name of the Service inside the cluster. Plain http is accepted for loopback addresses
    /// and cluster names only.
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

    /// Further browser origins that may call, such as `https://inspector.example.com`; the origin of the endpoint's own URL
    /// always may, and so may clients that are not browsers. Default: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32), inner(length(max = 256), regex(pattern = r"^https?://[^/?#@,\s]+$")))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub allowed_origins: Vec<String>,
}

/// The Service in front of the pods.
#[derive(JsonSchema, Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Service {
    /// `ClusterIP`, `NodePort` or `LoadBalancer`. Default: `ClusterIP`.
    #[serde(rename = "type", default)]
    pub type_: ServiceType,

    /// The port of the Service. Default: 80.
    #[serde(default = "http")]
    #[schemars(range(min = 1, max = 65535))]
    pub port: i32,

    /// Annotations of the Service, for a cloud's load balancer as a rule. Default: none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

impl Default for Service {
    fn default() -> Self {
        Self { type_: ServiceType::default(), port: http(), annotations: BTreeMap::new() }
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

fn http() -> i32 {
    80
}
