//! `spec.networkPolicy`: who may reach the pods, and whom they may reach.

use k8s_openapi::api::networking::v1::{NetworkPolicyEgressRule, NetworkPolicyPeer};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Who may reach the pods, and whom they may reach.
#[derive(JsonSchema, Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NetworkPolicy {
    /// Whether a `NetworkPolicy` is made. It lets in callers, the scraper of metrics and the
    /// operator, and lets out what the server needs: Lenses HQ, DNS, and the receiver of traces.
    /// Whether it is enforced is up to the cluster's network plugin. It knows ports and pods, not
    /// host names: to an HQ outside the cluster, the port is open to every address. Default: true.
    #[serde(default = "yes")]
    pub enabled: bool,

    /// Who may call, as the `from` of a `NetworkPolicy`; an ingress controller must be among them.
    /// The operator, which checks the endpoint, always is. Default: anyone who can reach the pods;
    /// sign-in holds all the same.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64))]
    pub ingress_from: Vec<NetworkPolicyPeer>,

    /// Who may scrape metrics from the admin port, as the `from` of a `NetworkPolicy`. Default:
    /// nobody.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64))]
    pub metrics_from: Vec<NetworkPolicyPeer>,

    /// Whom else the pods may reach, as the `egress` of a `NetworkPolicy`; a proxy, as a rule, or
    /// what a sidecar needs. Default: nobody.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64))]
    pub extra_egress: Vec<NetworkPolicyEgressRule>,

    /// Where names are looked up. Optional.
    #[serde(default)]
    pub dns: Dns,
}

impl Default for NetworkPolicy {
    fn default() -> Self {
        Self {
            enabled: true,
            ingress_from: Vec::new(),
            metrics_from: Vec::new(),
            extra_egress: Vec::new(),
            dns: Dns::default(),
        }
    }
}

/// Where names are looked up.
#[derive(JsonSchema, Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Dns {
    /// The DNS servers, as the `to` of a `NetworkPolicy`. Default: any address, since a DNS cache
    /// on the node is no pod that a policy could name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    pub to: Vec<NetworkPolicyPeer>,

    /// Their port, of UDP and of TCP; those of `OpenShift` listen at 5353. Default: 53.
    #[serde(default = "domain")]
    #[schemars(range(min = 1, max = 65535))]
    pub port: i32,
}

impl Default for Dns {
    fn default() -> Self {
        Self { to: Vec::new(), port: domain() }
    }
}

fn yes() -> bool {
    true
}

fn domain() -> i32 {
    53
}
