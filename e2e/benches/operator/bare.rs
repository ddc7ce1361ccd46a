//! The bare client: the operator's writes, and nothing else.

use std::{path::Path, process::Stdio, time::Duration};

use futures::{StreamExt, stream};
use kube::{
    Api, Client,
    api::{ApiResource, DynamicObject, Patch, PatchParams, PostParams, TypeMeta},
    core::{GroupVersionKind, PartialObjectMeta},
    discovery::pinned_kind,
};
use lenses_mcp_crds::LensesMcpServer;
use serde_json::{Value, json};
use tokio::{io::AsyncWriteExt, process::Command, time::Instant};

use crate::fleet::{BARE, Fleet, SAMPLE, name};

/// What is written for one resource.
pub(crate) struct Bodies {
    objects: Vec<(ApiResource, Value)>,
    status: Value,
}

impl Bodies {
    /// Those of the operator: the objects from its own builders (`render`), the status as it wrote
    /// it for the sample.
    pub(crate) async fn of(fleet: &Fleet, operator: &Path) -> Self {
        let sample = fleet.api(SAMPLE).get(&name(0)).await.unwrap();
        let mut manifest = fleet.manifest(&name(0));
        manifest["metadata"]["namespace"] = json!(BARE);
        let mut objects = Vec::new();
        for object in render(operator, &manifest).await {
            let types: TypeMeta = serde_json::from_value(object.clone()).unwrap();
            let kind = GroupVersionKind::try_from(types).unwrap();
            let (resource, _) = pinned_kind(&fleet.client, &kind).await.unwrap();
            objects.push((resource, object));
        }
        Self { objects, status: serde_json::to_value(sample.status).unwrap() }
    }

    /// How many objects a resource has.
    pub(crate) fn kinds(&self) -> usize {
        self.objects.len()
    }

    /// How many writes that is.
    pub(crate) fn writes(&self) -> usize {
        self.kinds() + 1
    }

    /// Writes them for each of `owners`, and says how long that took.
    pub(crate) async fn write(
        &self,
        client: &Client,
        concurrency: usize,
        owners: &[(String, String)],
    ) -> Duration {
        let started = Instant::now();
        stream::iter(owners)
            .for_each_concurrent(concurrency, |(name, uid)| self.write_one(client, name, uid))
            .await;
        started.elapsed()
    }

    async fn write_one(&self, client: &Client, name: &str, uid: &str) {
        let apply = PatchParams::apply("bare");
        for (resource, object) in &self.objects {
            let mut object = object.clone();
            object["metadata"]["name"] = json!(name);
            object["metadata"]["ownerReferences"][0]["name"] = json!(name);
            object["metadata"]["ownerReferences"][0]["uid"] = json!(uid);
            let api = Api::<DynamicObject>::namespaced_with(client.clone(), BARE, resource);
            if resource.kind == "Secret" {
                // Made, not applied, as the operator makes it: its key is new for each.
                object["immutable"] = json!(true);
                object["stringData"] = json!({ "sealing-key": uid });
                api.create(&PostParams::default(), &serde_json::from_value(object).unwrap())
                    .await
                    .unwrap();
            } else {
                api.patch_metadata(name, &apply, &Patch::Apply(object)).await.unwrap();
            }
        }
        let status = json!({
            "apiVersion": "mcp.lenses.io/v1alpha1",
            "kind": "LensesMcpServer",
            "status": self.status,
        });
        let api = Api::<PartialObjectMeta<LensesMcpServer>>::namespaced(client.clone(), BARE);
        api.patch_status(name, &apply.force(), &Patch::Apply(status)).await.unwrap();
    }
}

async fn render(operator: &Path, manifest: &Value) -> Vec<Value> {
    let mut render = Command::new(operator)
        .args(["render", "-o", "json", "-f", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    render.stdin.take().unwrap().write_all(manifest.to_string().as_bytes()).await.unwrap();
    let output = render.wait_with_output().await.unwrap();
    assert!(output.status.success(), "render ended with {}", output.status);
    let mut list: Value = serde_json::from_slice(&output.stdout).unwrap();
    match list["items"].take() {
        Value::Array(objects) => objects,
        _ => Vec::new(),
    }
}
