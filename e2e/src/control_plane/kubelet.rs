//! What a kubelet says of pods, without one.

use std::time::Duration;

use futures::StreamExt;
use k8s_openapi::api::core::v1::Pod;
use kube::{
    Api, Client, ResourceExt,
    api::{Patch, PatchParams},
    runtime::{WatchStreamExt, watcher},
};
use serde_json::{Value, json};

/// How soon what failed is tried again.
const RETRY: Duration = Duration::from_millis(200);

/// Says of each pod of `namespace` that it runs and is ready, as soon as it is there. While there
/// is no API server, it tries again.
pub async fn make_pods_ready(client: Client, namespace: String) {
    let pods = Api::<Pod>::namespaced(client, &namespace);
    let pending = watcher(pods.clone(), watcher::Config::default())
        .default_backoff()
        .applied_objects()
        .filter_map(async |pod| pod.ok().filter(is_pending));
    let said = pending.for_each_concurrent(4, async |pod: Pod| {
        let patch = Patch::Merge(json!({ "status": ready(&pod) }));
        let params = PatchParams::default();
        while let Err(error) = pods.patch_status(&pod.name_any(), &params, &patch).await {
            if matches!(&error, kube::Error::Api(status) if status.code == 404) {
                return;
            }
            tokio::time::sleep(RETRY).await;
        }
    });
    said.await;
}

fn is_pending(pod: &Pod) -> bool {
    let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
    phase.is_none_or(|phase| phase == "Pending")
}

fn ready(pod: &Pod) -> Value {
    let now = jiff::Timestamp::now().to_string();
    let conditions =
        ["PodReadyToStartContainers", "Initialized", "ContainersReady", "Ready", "PodScheduled"]
            .map(|kind| json!({ "type": kind, "status": "True", "lastTransitionTime": now }));
    let containers = pod.spec.iter().flat_map(|spec| &spec.containers).map(|container| {
        json!({
            "name": container.name,
            "image": container.image,
            "imageID": "registry.example.com/server@sha256:".to_owned() + &"0".repeat(64),
            "ready": true,
            "started": true,
            "restartCount": 0,
            "state": { "running": { "startedAt": now } },
        })
    });
    json!({
        "phase": "Running",
        "startTime": now,
        "conditions": conditions,
        "containerStatuses": containers.collect::<Vec<_>>(),
    })
}
