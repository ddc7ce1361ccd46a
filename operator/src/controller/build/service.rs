//! The Service in front of the pods.

use k8s_openapi::{
    api::core::v1::{Service, ServicePort, ServiceSpec},
    apimachinery::pkg::util::intstr::IntOrString,
};

use super::{metadata, pod_layout::MCP_PORT_NAME};
use crate::{controller::validate::ValidServer, names::selector};

pub(super) fn build(server: &ValidServer) -> Service {
    let mut metadata = metadata(server);
    if !server.endpoint.service.annotations.is_empty() {
        metadata.annotations = Some(server.endpoint.service.annotations.clone());
    }
    Service {
        metadata,
        spec: Some(ServiceSpec {
            type_: Some(server.endpoint.service.type_.as_str().to_owned()),
            selector: Some(selector(&server.name)),
            ports: Some(vec![ServicePort {
                name: Some(MCP_PORT_NAME.to_owned()),
                port: server.endpoint.service_port,
                target_port: Some(IntOrString::String(MCP_PORT_NAME.to_owned())),
                protocol: Some("TCP".to_owned()),
                app_protocol: Some(
                    if server.endpoint.tls.is_some() { "https" } else { "http" }.to_owned(),
                ),
                ..ServicePort::default()
            }]),
            load_balancer_class: server.endpoint.service.load_balancer_class.clone(),
            load_balancer_source_ranges: Some(
                server.endpoint.service.load_balancer_source_ranges.clone(),
            )
            .filter(|ranges| !ranges.is_empty()),
            external_traffic_policy: server
                .endpoint
                .service
                .external_traffic_policy
                .map(|policy| policy.as_str().to_owned()),
            ..ServiceSpec::default()
        }),
        ..Service::default()
    }
}

#[cfg(test)]
mod tests {
    use lenses_mcp_crds::ServiceType;
    use serde_json::json;

    use super::*;
    use crate::controller::fixtures::{metadata_json, oauth_server, valid};

    #[test]
    fn it_leads_to_the_mcp_port_only() {
        let mut server = oauth_server();
        server.spec.endpoint.service.type_ = ServiceType::LoadBalancer;
        server.spec.endpoint.service.port = Some(8443);
        server
            .spec
            .endpoint
            .service
            .annotations
            .insert("cloud.example/internal".into(), "true".into());
        let mut metadata = metadata_json();
        metadata["annotations"] = json!({ "cloud.example/internal": "true" });
        let wanted = json!({
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": metadata,
            "spec": {
                "type": "LoadBalancer",
                "selector": { "app.kubernetes.io/name": "lenses-mcp-server", "app.kubernetes.io/instance": "team-mcp" },
                "ports": [{ "name": "mcp", "port": 8443, "targetPort": "mcp", "protocol": "TCP", "appProtocol": "http" }],
            },
        });
        assert_eq!(serde_json::to_value(build(&valid(&server))).unwrap(), wanted);
    }
}
