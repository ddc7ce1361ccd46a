//! The `HTTPRoute` of the Gateway API, where the spec asks for one.

use k8s_openapi::serde::{Deserialize, Serialize};
use kube::CustomResource;
use lenses_mcp_crds::{LensesMcpServer, ParentRef};

use super::{metadata, metadata_path};
use crate::controller::{optional::OptionalKind, validate::ValidServer};

/// The fields of an `HTTPRoute`'s spec that this operator sets; all others are left as they are. None is required: whatever
/// somebody made of a route, it must be read to be put right.
#[derive(CustomResource, Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[kube(
    group = "gateway.networking.k8s.io",
    version = "v1",
    kind = "HTTPRoute",
    namespaced,
    schema = "disabled"
)]
#[serde(rename_all = "camelCase", default)]
pub(in crate::controller) struct HttpRouteSpec {
    parent_refs: Vec<ParentRef>,
    hostnames: Vec<String>,
    rules: Vec<Rule>,
}

#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", default)]
struct Rule {
    matches: Vec<Match>,
    backend_refs: Vec<BackendRef>,
}

#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(default)]
struct Match {
    path: PathMatch,
}

#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(default)]
struct PathMatch {
    #[serde(rename = "type")]
    type_: String,
    value: String,
}

#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(default)]
struct BackendRef {
    name: String,
    port: i32,
}

impl OptionalKind for HTTPRoute {
    const CRD: &'static str = "httproutes.gateway.networking.k8s.io";

    fn is_wanted(server: &LensesMcpServer) -> bool {
        server.spec.endpoint.http_route.is_some()
    }
}

pub(super) fn build(server: &ValidServer) -> Option<HTTPRoute> {
    let wanted = server.http_route.as_ref()?;
    let path =
        |type_: &str, value: String| Match { path: PathMatch { type_: type_.to_owned(), value } };
    let mut matches = vec![path("PathPrefix", wanted.path.clone())];
    matches.extend(metadata_path(&wanted.path).map(|metadata| path("Exact", metadata)));
    let spec = HttpRouteSpec {
        parent_refs: wanted.parent_refs.clone(),
        hostnames: wanted.hostnames.clone(),
        rules: vec![Rule {
            matches,
            backend_refs: vec![BackendRef { name: server.name.clone(), port: server.service_port }],
        }],
    };
    Some(HTTPRoute { metadata: metadata(server), spec })
}

#[cfg(test)]
mod tests {
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
