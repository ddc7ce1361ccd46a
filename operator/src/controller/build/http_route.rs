//! The `HTTPRoute` of the Gateway API, where the spec asks for one.

use super::{metadata, metadata_path};
use crate::{
    apis::{
        HTTPRoute,
        http_route::{BackendRef, HttpRouteSpec, Match, PathMatch, Rule},
    },
    controller::validate::ValidServer,
};

pub(super) fn build(server: &ValidServer) -> Option<HTTPRoute> {
    let wanted = server.endpoint.http_route.as_ref()?;
    let path =
        |type_: &str, value: String| Match { path: PathMatch { type_: type_.to_owned(), value } };
    let mut matches = vec![path("PathPrefix", wanted.path.clone())];
    matches.extend(metadata_path(&wanted.path).map(|metadata| path("Exact", metadata)));
    let spec = HttpRouteSpec {
        parent_refs: wanted.parent_refs.clone(),
        hostnames: wanted.hostnames.clone(),
        rules: vec![Rule {
            matches,
            backend_refs: vec![BackendRef {
                name: server.name.clone(),
                port: server.endpoint.service_port,
            }],
        }],
    };
    Some(HTTPRoute { metadata: metadata(server), spec })
}

#[cfg(test)]
mod tests {
    use crate::apis::OptionalKind;
    use serde_json::json;

    use super::*;
    use crate::controller::fixtures::{api_key_server, metadata_json, oauth_server, valid};

    #[test]
    fn the_whole_object() {
        let mut server = api_key_server();
        let route = json!({
            "parentRefs": [{ "name": "public", "namespace": "gateways", "sectionName": "https" }, { "name": "inner" }],
            "hostnames": ["mcp.example.com", "mcp.example.org"],
            "path": "/team-a",
        });
        server.spec.endpoint.http_route = Some(serde_json::from_value(route).unwrap());
        server.spec.endpoint.service.port = Some(8080);
        let wanted = json!({
            "apiVersion": "gateway.networking.k8s.io/v1",
            "kind": "HTTPRoute",
            "metadata": metadata_json(),
            "spec": {
                "parentRefs": [
                    { "name": "public", "namespace": "gateways", "sectionName": "https" },
                    { "name": "inner" },
                ],
                "hostnames": ["mcp.example.com", "mcp.example.org"],
                "rules": [{
                    "matches": [
                        { "path": { "type": "PathPrefix", "value": "/team-a" } },
                        { "path": { "type": "Exact", "value": "/.well-known/oauth-protected-resource/team-a/mcp" } },
                    ],
                    "backendRefs": [{ "name": "team-mcp", "port": 8080 }],
                }],
            },
        });
        assert_eq!(serde_json::to_value(build(&valid(&server)).unwrap()).unwrap(), wanted);
    }

    #[test]
    fn the_chart_allows_its_crd_to_be_watched() {
        let rules = include_str!("../../../../charts/lenses-mcp-operator/templates/rbac.yaml");
        assert!(rules.contains(HTTPRoute::CRD));
    }

    #[test]
    fn there_is_none_unless_it_is_asked_for() {
        assert!(build(&valid(&oauth_server())).is_none());
    }
}
