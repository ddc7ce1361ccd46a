//! The `ServiceMonitor` of the Prometheus operator, where the spec asks for one.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;

use super::{metadata, pod_layout::ADMIN_PORT_NAME};
use crate::{
    apis::{
        ServiceMonitor,
        service_monitor::{Endpoint, ServiceMonitorSpec},
    },
    controller::validate::ValidServer,
    names::labels,
};

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
