//! The `ServiceMonitor` of the Prometheus operator, where the spec asks for one.

use k8s_openapi::{
    apimachinery::pkg::apis::meta::v1::LabelSelector,
    serde::{Deserialize, Serialize},
};
use kube::CustomResource;
use lenses_mcp_crds::LensesMcpServer;

use super::{deployment::ADMIN_PORT_NAME, labels, metadata};
use crate::controller::{optional::OptionalKind, validate::ValidServer};

/// The fields of a `ServiceMonitor`'s spec that this operator sets; all others are left as they are. None is required: whatever
/// somebody made of it, it must be read to be put right.
#[derive(CustomResource, Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[kube(
    group = "monitoring.coreos.com",
    version = "v1",
    kind = "ServiceMonitor",
    namespaced,
    schema = "disabled"
)]
#[serde(rename_all = "camelCase", default)]
pub(in crate::controller) struct ServiceMonitorSpec {
    selector: LabelSelector,
    endpoints: Vec<Endpoint>,
}

#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", default)]
struct Endpoint {
    /// A port of the pods behind the Service, which need not be one of the Service's.
    target_port: String,
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    interval: Option<String>,
}

impl OptionalKind for ServiceMonitor {
    const CRD: &'static str = "servicemonitors.monitoring.coreos.com";

    fn is_wanted(server: &LensesMcpServer) -> bool {
        server.spec.observability.metrics.service_monitor.is_some()
    }
}

pub(super) fn build(server: &ValidServer) -> Option<ServiceMonitor> {
    let wanted = server.observability.metrics.service_monitor.as_ref()?;
    let mut metadata = metadata(server);
    metadata.labels.get_or_insert_default().extend(wanted.labels.clone());
    let spec = ServiceMonitorSpec {
        // The Service's labels.
        selector: LabelSelector {
            match_labels: Some(labels(&server.name)),
            ..LabelSelector::default()
        },
        endpoints: vec![Endpoint {
            target_port: ADMIN_PORT_NAME.to_owned(),
            path: "/metrics".to_owned(),
            interval: wanted.interval.clone(),
        }],
    };
    Some(ServiceMonitor { metadata, spec })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::controller::fixtures::{metadata_json, oauth_server, valid};

    #[test]
    fn the_whole_object() {
        let mut server = oauth_server();
        let monitor = json!({ "labels": { "release": "prometheus" }, "interval": "30s" });
        server.spec.observability.metrics.service_monitor =
            Some(serde_json::from_value(monitor).unwrap());
        let mut metadata = metadata_json();
        metadata["labels"]["release"] = json!("prometheus");
        let wanted = json!({
            "apiVersion": "monitoring.coreos.com/v1",
            "kind": "ServiceMonitor",
            "metadata": metadata,
            "spec": {
                "selector": { "matchLabels": metadata_json()["labels"] },
                "endpoints": [{ "targetPort": "admin", "path": "/metrics", "interval": "30s" }],
            },
        });
        assert_eq!(serde_json::to_value(build(&valid(&server)).unwrap()).unwrap(), wanted);
    }

    #[test]
    fn there_is_none_unless_it_is_asked_for() {
        assert!(build(&valid(&oauth_server())).is_none());
    }
}
