//! The `ServiceMonitor` of the Prometheus operator, as far as this operator sets it.

use k8s_openapi::{
    apimachinery::pkg::apis::meta::v1::LabelSelector,
    serde::{Deserialize, Serialize},
};
use kube::CustomResource;
use lenses_mcp_crds::LensesMcpServer;

use super::OptionalKind;

/// The fields of a `ServiceMonitor`'s spec that this operator sets; all others are left as they
/// are. None is required: whatever somebody made of it, it must be read to be put right.
#[derive(CustomResource, Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[kube(
    group = "monitoring.coreos.com",
    version = "v1",
    kind = "ServiceMonitor",
    namespaced,
    schema = "disabled"
)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct ServiceMonitorSpec {
    pub(crate) selector: LabelSelector,
    pub(crate) endpoints: Vec<Endpoint>,
}

#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Endpoint {
    /// A port of the pods behind the Service, which need not be one of the Service's.
    pub(crate) target_port: String,
    pub(crate) path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) interval: Option<String>,
}

impl OptionalKind for ServiceMonitor {
    const CRD: &'static str = "servicemonitors.monitoring.coreos.com";

    fn is_wanted(server: &LensesMcpServer) -> bool {
        server.spec.observability.metrics.service_monitor.is_some()
    }
}
