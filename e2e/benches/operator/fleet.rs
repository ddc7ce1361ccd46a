//! The resources.

use std::time::Duration;

use futures::{StreamExt, stream};
use k8s_openapi::api::{apps::v1::Deployment, core::v1::Namespace};
use kube::{
    Api, Client, ResourceExt,
    api::{Patch, PatchParams, PostParams},
    runtime::wait::await_condition,
};
use lenses_mcp_crds::LensesMcpServer;
use serde_json::{Value, json};
use tokio::time::{Instant, timeout};

/// The namespace of the one whose writes are learned.
pub(crate) const SAMPLE: &str = "sample";
/// The namespace of those that the bare client writes for.
pub(crate) const BARE: &str = "bare";
/// The namespace of those that are measured.
pub(crate) const FLEET: &str = "fleet";

/// The longest wait for a change.
const PATIENCE: Duration = Duration::from_mins(1);

pub(crate) struct Fleet {
    pub(crate) client: Client,
    /// The URL of HQ.
    pub(crate) hq: String,
    /// The URL of a server at which all can be verified; without one, each is published by its
    /// Service, which nothing answers for.
    pub(crate) endpoint: Option<String>,
    /// How many requests at a time.
    pub(crate) concurrency: usize,
}

impl Fleet {
    pub(crate) async fn make_namespaces(&self) {
        for name in [SAMPLE, BARE, FLEET] {
            let namespace: Namespace =
                serde_json::from_value(json!({ "metadata": { "name": name } })).unwrap();
            Api::all(self.client.clone()).create(&PostParams::default(), &namespace).await.unwrap();
        }
    }

    pub(crate) fn api(&self, namespace: &str) -> Api<LensesMcpServer> {
        Api::namespaced(self.client.clone(), namespace)
    }

    /// A resource as most will be: OAuth, all else by default.
    pub(crate) fn manifest(&self, name: &str) -> Value {
        let mut manifest = json!({
            "apiVersion": "mcp.lenses.io/v1alpha1",
            "kind": "LensesMcpServer",
            "metadata": { "name": name },
            "spec": { "lenses": { "url": self.hq }, "auth": { "oauth": {} } },
        });
        if let Some(url) = &self.endpoint {
            manifest["spec"]["endpoint"] = json!({ "url": url });
        }
        manifest
    }

    /// Makes so many, and gives each one's name and uid.
    pub(crate) async fn make(&self, namespace: &str, resources: usize) -> Vec<(String, String)> {
        let api = self.api(namespace);
        let made = stream::iter(0..resources).map(|number| {
            let api = api.clone();
            let resource = serde_json::from_value(self.manifest(&name(number))).unwrap();
            async move { api.create(&PostParams::default(), &resource).await.unwrap() }
        });
        let made = made.buffer_unordered(self.concurrency);
        made.map(|resource| (resource.name_any(), resource.uid().unwrap())).collect().await
    }

    /// Changes how much one logs, and says how long it takes until its Deployment is another.
    pub(crate) async fn change(&self, number: usize) -> Duration {
        let name = name(number);
        let deployments = Api::<Deployment>::namespaced(self.client.clone(), FLEET);
        let before = deployments.get(&name).await.unwrap().metadata.generation;
        let is_another = |now: Option<&Deployment>| {
            now.is_some_and(|deployment| deployment.metadata.generation != before)
        };
        let changed = await_condition(deployments, &name, is_another);
        let patch = json!({ "spec": { "observability": { "log": { "level": "debug" } } } });
        let started = Instant::now();
        let change = async {
            self.api(FLEET).patch(&name, &PatchParams::default(), &Patch::Merge(patch)).await
        };
        let (asked, changed) = tokio::join!(change, timeout(PATIENCE, changed));
        asked.unwrap();
        changed.unwrap().unwrap();
        started.elapsed()
    }
}

pub(crate) fn name(number: usize) -> String {
    format!("mcp-{number:05}")
}
