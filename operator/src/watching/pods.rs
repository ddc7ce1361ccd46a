//! The pods of the servers, as they are watched: of each only what tells whether it serves, and if not, why. Pure.
//!
//! A pod is reduced as it is read, so that ten thousand of them take little memory, and so that what moves without meaning
//! anything (restart counts, times, addresses) wakes nobody.

mod index;
mod trouble;

use std::hash::Hash;

use k8s_openapi::{api::core::v1::Pod, apimachinery::pkg::apis::meta::v1::ObjectMeta};
use kube::Resource;
use lenses_mcp_crds::SERVER_CONTAINER;
use serde::Deserialize;

use crate::names::{INSTANCE, TEMPLATE};

pub(crate) use index::PodIndex;
pub(crate) use trouble::Trouble;

/// A pod, as far as this operator looks at it.
#[derive(Clone, Debug, Deserialize, Resource)]
#[serde(from = "Pod")]
#[resource(inherit = Pod)]
pub(crate) struct WatchedPod {
    /// Name, namespace, uid, `resourceVersion` and when it was made.
    metadata: ObjectMeta,
    /// What matters of the rest.
    pub(crate) seen: Seen,
}

/// What matters of a pod. It wakes its server when this changes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Seen {
    /// The `LensesMcpServer` that it is a pod of.
    pub(crate) server: String,
    /// The digest of the template that it was made from.
    pub(crate) template: Option<String>,
    /// The image that the server's container was made to run.
    pub(crate) image: String,
    /// The digest that this was resolved to, once it has been pulled.
    pub(crate) image_digest: Option<String>,
    /// Whether it has been told to go.
    pub(crate) leaving: bool,
    pub(crate) state: PodState,
}

/// Whether a pod serves.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum PodState {
    /// It serves.
    Ready,
    /// It has not been up yet, and nothing is known to be wrong.
    Starting,
    /// It runs and was ready, and its readiness probe fails.
    Unready,
    /// It will not come up as it is.
    Failing(Trouble),
}

impl From<Pod> for WatchedPod {
    fn from(pod: Pod) -> Self {
        let state = trouble::state(&pod);
        let status = pod.status.unwrap_or_default();
        // Injectors may have put containers before the server's.
        let is_server = |name: &str| name == SERVER_CONTAINER;
        let mut statuses = status.container_statuses.iter().flatten();
        let server = statuses.find(|container| is_server(&container.name));
        let image_digest = server.and_then(|container| {
            Some(container.image_id.get(container.image_id.rfind("sha256:")?..)?.to_owned())
        });
        let container = pod.spec.and_then(|spec| {
            spec.containers.into_iter().find(|container| is_server(&container.name))
        });
        let ObjectMeta {
            name,
            namespace,
            uid,
            resource_version,
            labels,
            annotations,
            creation_timestamp,
            deletion_timestamp,
            ..
        } = pod.metadata;
        Self {
            metadata: ObjectMeta {
                name,
                namespace,
                uid,
                resource_version,
                creation_timestamp,
                ..ObjectMeta::default()
            },
            seen: Seen {
                server: labels.and_then(|mut labels| labels.remove(INSTANCE)).unwrap_or_default(),
                template: annotations.and_then(|mut annotations| annotations.remove(TEMPLATE)),
                image: container.and_then(|container| container.image).unwrap_or_default(),
                image_digest,
                leaving: deletion_timestamp.is_some(),
                state,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn of_a_pod_only_what_matters_is_kept() {
        let pod = json!({
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {
                "name": "team-mcp-5d-x", "namespace": "tools", "uid": "u", "resourceVersion": "9",
                "labels": { "app.kubernetes.io/instance": "team-mcp", "other": "label" },
                "annotations": { "mcp.lenses.io/template-digest": "t1" },
                "deletionTimestamp": "2026-01-01T00:00:00Z",
            },
            "spec": { "containers": [
                { "name": "a-sidecar", "image": "sidecar:1" },
                { "name": "lenses-mcp-server", "image": "x:2" },
            ] },
            "status": {
                "conditions": [{ "type": "Ready", "status": "True" }],
                "containerStatuses": [{
                    "name": "a-sidecar", "ready": true, "restartCount": 0, "image": "sidecar:1",
                    "imageID": "docker.io/sidecar@sha256:aaa",
                }, {
                    "name": "lenses-mcp-server", "ready": true, "restartCount": 3, "image": "docker.io/x:2",
                    "imageID": "docker.io/x@sha256:abc", "state": { "running": { "startedAt": "2026-01-01T00:00:00Z" } },
                }],
            },
        });
        let pod: WatchedPod = serde_json::from_value(pod).unwrap();
        let metadata = json!({ "name": "team-mcp-5d-x", "namespace": "tools", "uid": "u", "resourceVersion": "9" });
        assert_eq!(serde_json::to_value(pod.meta()).unwrap(), metadata);
        assert_eq!(
            pod.seen,
            Seen {
                server: "team-mcp".into(),
                template: Some("t1".into()),
                image: "x:2".into(),
                image_digest: Some("sha256:abc".into()),
                leaving: true,
                state: PodState::Ready,
            }
        );
    }

    #[test]
    fn a_pod_that_says_nothing_is_starting() {
        let pod: WatchedPod =
            serde_json::from_value(json!({ "metadata": { "name": "x" } })).unwrap();
        assert_eq!(pod.seen.state, PodState::Starting);
    }
}
