//! The `HTTPRoute` of the Gateway API, as far as this operator sets it.

use k8s_openapi::serde::{Deserialize, Serialize};
use kube::CustomResource;
use lenses_mcp_crds::{LensesMcpServer, ParentRef};

use super::OptionalKind;

/// The fields of an `HTTPRoute`'s spec that this operator sets; all others are left as they are.
/// None is required: whatever somebody made of a route, it must be read to be put right.
#[derive(CustomResource, Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[kube(
    group = "gateway.networking.k8s.io",
    version = "v1",
    kind = "HTTPRoute",
    namespaced,
    schema = "disabled"
)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct HttpRouteSpec {
    pub(crate) parent_refs: Vec<ParentRef>,
    pub(crate) hostnames: Vec<String>,
    pub(crate) rules: Vec<Rule>,
}

#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Rule {
    pub(crate) matches: Vec<Match>,
    pub(crate) backend_refs: Vec<BackendRef>,
}

#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(default)]
pub(crate) struct Match {
    pub(crate) path: PathMatch,
}

#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(default)]
pub(crate) struct PathMatch {
    #[serde(rename = "type")]
    pub(crate) type_: String,
    pub(crate) value: String,
}

#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(default)]
pub(crate) struct BackendRef {
    pub(crate) name: String,
    pub(crate) port: i32,
}

impl OptionalKind for HTTPRoute {
    const CRD: &'static str = "httproutes.gateway.networking.k8s.io";

    fn is_wanted(server: &LensesMcpServer) -> bool {
        server.spec.endpoint.http_route.is_some()
    }
}
