//! The resources, and random specs for them.

use std::time::Duration;

use kube::{
    Api, Client,
    api::{DeleteParams, Patch, PatchParams},
};
use lenses_mcp_crds::LensesMcpServer;
use rand::{RngExt, rngs::StdRng, seq::IndexedRandom};
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::{NAMESPACES, RESOURCES};

/// How soon what failed is tried again.
const RETRY: Duration = Duration::from_millis(200);

pub(crate) struct Servers {
    pub(crate) client: Client,
    /// The URL of HQ.
    pub(crate) hq: String,
    /// The URL of a server that answers for each resource.
    pub(crate) endpoint: String,
    pub(crate) random: StdRng,
}

impl Servers {
    /// Makes those that are not there, however often it takes.
    pub(crate) async fn make_missing(&mut self) {
        for namespace in NAMESPACES {
            for number in 0..RESOURCES {
                let name = name(number);
                while let Ok(None) | Err(_) = self.api(namespace).get_opt(&name).await {
                    if self.write(namespace, &name).await.is_err() {
                        sleep(RETRY).await;
                    }
                }
            }
        }
    }

    /// One of the names that there may be resources of.
    pub(crate) fn any(&mut self) -> (&'static str, String) {
        let number = self.random.random_range(0..RESOURCES);
        (NAMESPACES.choose(&mut self.random).unwrap_or(&NAMESPACES[0]), name(number))
    }

    /// Gives one another spec, or makes it.
    pub(crate) async fn write(&mut self, namespace: &str, name: &str) -> kube::Result<()> {
        let manifest = json!({
            "apiVersion": "mcp.lenses.io/v1alpha1",
            "kind": "LensesMcpServer",
            "metadata": { "name": name, "namespace": namespace },
            "spec": self.spec(),
        });
        let params = PatchParams::apply("author");
        self.api(namespace).patch(name, &params, &Patch::Apply(manifest)).await.map(drop)
    }

    pub(crate) async fn delete(&self, namespace: &str, name: &str) -> kube::Result<()> {
        self.api(namespace).delete(name, &DeleteParams::default()).await.map(drop)
    }

    fn api(&self, namespace: &str) -> Api<LensesMcpServer> {
        Api::namespaced(self.client.clone(), namespace)
    }

    fn spec(&mut self) -> Value {
        let random = &mut self.random;
        let level = ["debug", "info", "warn"].choose(random);
        let mut spec = json!({
            "lenses": { "url": self.hq },
            "auth": { "oauth": {} },
            "observability": { "log": { "level": level } },
            "networkPolicy": { "enabled": random.random_bool(0.8) },
        });
        if random.random_bool(0.3) {
            spec["autoscaling"] =
                json!({ "minReplicas": 1, "maxReplicas": random.random_range(1..=3) });
            spec["resources"] = json!({ "requests": { "cpu": "10m" } });
        } else {
            spec["replicas"] = json!(random.random_range(1..=3));
        }
        if random.random_bool(0.3) {
            // Nothing answers there.
            let host = format!("mcp-{}.example.com", random.random_range(1..=3));
            spec["endpoint"] = json!({ "ingress": { "host": host } });
            spec["verification"] = json!({ "mode": "off" });
        } else {
            spec["endpoint"] = json!({ "url": self.endpoint });
        }
        spec
    }
}

fn name(number: usize) -> String {
    format!("mcp-{number}")
}
