//! The Ingress, where the spec asks for one.

use k8s_openapi::api::networking::v1::{
    HTTPIngressPath, HTTPIngressRuleValue, Ingress, IngressBackend, IngressRule,
    IngressServiceBackend, IngressSpec, IngressTLS, ServiceBackendPort,
};

use super::{metadata, metadata_path, pod_layout::MCP_PORT_NAME};
use crate::controller::validate::ValidServer;

pub(super) fn build(server: &ValidServer) -> Option<Ingress> {
    let wanted = server.endpoint.ingress.as_ref()?;
    let mut metadata = metadata(server);
    if !wanted.annotations.is_empty() {
        metadata.annotations = Some(wanted.annotations.clone());
    }
    let path = |path_type: &str, path: String| HTTPIngressPath {
        path: Some(path),
        path_type: path_type.to_owned(),
        backend: IngressBackend {
            service: Some(IngressServiceBackend {
                name: server.name.clone(),
                port: Some(ServiceBackendPort {
                    name: Some(MCP_PORT_NAME.to_owned()),
                    number: None,
                }),
            }),
            resource: None,
        },
    };
    let mut paths = vec![path("Prefix", wanted.path.clone())];
    paths.extend(metadata_path(&wanted.path).map(|metadata| path("Exact", metadata)));
    Some(Ingress {
        metadata,
        spec: Some(IngressSpec {
            ingress_class_name: wanted.class_name.clone(),
            tls: wanted.tls.as_ref().map(|tls| {
                vec![IngressTLS {
                    hosts: Some(vec![wanted.host.clone()]),
                    secret_name: Some(tls.secret_name.clone()),
                }]
            }),
            rules: Some(vec![IngressRule {
                host: Some(wanted.host.clone()),
                http: Some(HTTPIngressRuleValue { paths }),
            }]),
            ..IngressSpec::default()
        }),
        ..Ingress::default()
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::controller::fixtures::{api_key_server, metadata_json, oauth_server, valid};

    fn of(ingress: Value) -> Value {
        let mut server = api_key_server();
        server.spec.endpoint.ingress = Some(serde_json::from_value(ingress).unwrap());
        serde_json::to_value(build(&valid(&server)).unwrap()).unwrap()
    }

    fn leads_to_the_service(path_type: &str, path: &str) -> Value {
        json!({
            "path": path,
            "pathType": path_type,
            "backend": { "service": { "name": "team-mcp", "port": { "name": "mcp" } } },
        })
    }

    #[test]
    fn the_whole_object() {
        let mut metadata = metadata_json();
        metadata["annotations"] = json!({ "cert-manager.io/cluster-issuer": "public" });
        let object = of(json!({
            "host": "mcp.example.com",
            "className": "nginx",
            "path": "/team-a",
            "tls": { "secretName": "mcp-certificate" },
            "annotations": { "cert-manager.io/cluster-issuer": "public" },
        }));
        let wanted = json!({
            "apiVersion": "networking.k8s.io/v1",
            "kind": "Ingress",
            "metadata": metadata,
            "spec": {
                "ingressClassName": "nginx",
                "tls": [{ "hosts": ["mcp.example.com"], "secretName": "mcp-certificate" }],
                "rules": [{ "host": "mcp.example.com", "http": { "paths": [
                    leads_to_the_service("Prefix", "/team-a"),
                    // RFC 9728 §3.1: the metadata of a resource with a path is in front of that path.
                    leads_to_the_service("Exact", "/.well-known/oauth-protected-resource/team-a/mcp"),
                ] } }],
            },
        });
        assert_eq!(object, wanted);
    }

    #[test]
    fn the_root_of_a_host_needs_one_path_only_and_no_class_leaves_the_choice_to_the_cluster() {
        let object = of(json!({ "host": "mcp.example.com" }));
        let spec = json!({ "rules": [{ "host": "mcp.example.com", "http": { "paths": [leads_to_the_service("Prefix", "/")] } }] });
        assert_eq!((&object["spec"], &object["metadata"]), (&spec, &metadata_json()));
    }

    #[test]
    fn there_is_none_unless_it_is_asked_for() {
        assert!(build(&valid(&oauth_server())).is_none());
    }
}
