//! Servers in every state that has a health of its own, as the operator and the API server have
//! them.

use clap::Parser;
use k8s_openapi::api::apps::v1::Deployment;
use kube::{
    Client,
    api::{DeleteParams, Patch, PatchParams},
};
use lenses_mcp_crds::LensesMcpServer;
use lenses_mcp_e2e::{
    bed::{Bed, Trouble, server, until},
    hq::{Running, settings::Flags},
};
use serde_json::{Value, json};

use crate::{operator::Operator, tool::kubectl};

const NAMESPACE: &str = "states";

/// Each state, in the words of the page, and a server in it.
pub(crate) async fn in_every_state(client: Client) -> Result<Vec<(&'static str, Value)>, Trouble> {
    kubectl(&["create", "namespace", NAMESPACE], "").await?;
    let states = States(Bed { client, namespace: NAMESPACE.to_owned() });
    let hq = Running::start(Flags::parse_from(["hq", "--listen=127.0.0.1:0"]).check()?).await?;
    let operator = Operator::start(&[NAMESPACE]).await?;
    states.reconciled(&hq.issuer).await?;
    operator.stop().await?;
    states.not_reconciled(&hq.issuer).await?;
    let mut found = Vec::new();
    for (state, name) in [
        ("`Ready` is true", "ready"),
        ("`Ready` is true, and more pods start", "scaled"),
        ("`spec.paused` is true", "paused"),
        ("pods start", "starting"),
        ("Lenses HQ does not answer", "unreachable"),
        ("a Secret is missing", "missing"),
        ("the spec is invalid", "invalid"),
        ("pods do not start in time", "late"),
        ("new, and not yet reconciled", "new"),
        ("changed, and not yet reconciled", "changed"),
        ("changed, and not yet reconciled", "corrected"),
        ("being deleted", "deleted"),
    ] {
        let get = ["get", "lensesmcpserver", name, "--output=json"];
        found.push((state, serde_json::from_str(&states.0.kubectl(&get, None).await?)?));
    }
    Ok(found)
}

/// The namespace of the servers.
struct States(Bed);

impl States {
    /// What the operator has a say in.
    async fn reconciled(&self, hq: &str) -> Result<(), Trouble> {
        for name in ["ready", "paused", "changed", "deleted"] {
            self.ready(name, hq, 1).await?;
        }
        self.patch("paused", &json!({ "spec": { "paused": true } })).await?;
        self.0.until_ready("paused").await?;
        self.ready("scaled", hq, 2).await?;
        self.report("scaled", |generation| replicas(generation, 2, 1)).await?;
        self.0.until_reason("scaled", "Reconciling", "RolloutInProgress").await?;

        self.apply("starting", hq, json!({})).await?;
        self.0.until_reason("starting", "Reconciling", "RolloutInProgress").await?;
        // The port of nothing.
        self.apply("unreachable", "http://127.0.0.1:1", json!({})).await?;
        self.report("unreachable", |generation| replicas(generation, 1, 1)).await?;
        self.0.until_reason("unreachable", "Reconciling", "Unreachable").await?;
        let absent = json!({ "introspection": { "clientCredentialsSecretRef": { "name": "a" } } });
        self.apply("missing", hq, json!({ "auth": { "oauth": absent } })).await?;
        self.0.until_reason("missing", "Reconciling", "ReferenceNotFound").await?;

        for name in ["invalid", "corrected"] {
            self.apply(name, "http://127.0.0.1:70000", json!({})).await?;
            self.0.until_reason(name, "Stalled", "InvalidSpec").await?;
        }
        self.apply("late", hq, json!({})).await?;
        self.report("late", |generation| {
            let mut status = replicas(generation, 1, 0);
            status["conditions"] = json!([{
                "type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded",
            }]);
            status
        })
        .await?;
        self.0.until_reason("late", "Stalled", "RolloutStalled").await?;
        Ok(())
    }

    /// What happens while no operator runs.
    async fn not_reconciled(&self, hq: &str) -> Result<(), Trouble> {
        self.apply("new", hq, json!({})).await?;
        self.patch("changed", &json!({ "spec": { "tools": { "readOnly": true } } })).await?;
        self.patch("corrected", &json!({ "spec": { "lenses": { "url": hq } } })).await?;
        let held = json!({ "metadata": { "finalizers": ["e2e.example/hold"] } });
        self.patch("deleted", &held).await?;
        let servers = self.0.api::<LensesMcpServer>();
        servers.delete("deleted", &DeleteParams::default()).await?;
        Ok(())
    }

    /// A server whose pods all serve.
    async fn ready(&self, name: &str, hq: &str, pods: i32) -> Result<(), Trouble> {
        self.apply(name, hq, json!({ "replicas": pods })).await?;
        self.report(name, |generation| replicas(generation, pods, pods)).await?;
        self.0.until_ready(name).await.map(drop)
    }

    /// A server of `hq`, of which the operator verifies no endpoint: there are no pods.
    async fn apply(&self, name: &str, hq: &str, more: Value) -> Result<(), Trouble> {
        let mut spec = json!({
            "lenses": { "url": hq }, "auth": { "oauth": {} }, "verification": { "mode": "off" },
        });
        for (field, value) in more.as_object().into_iter().flatten() {
            spec[field] = value.clone();
        }
        self.0.apply(&server(name, &spec)).await
    }

    async fn patch(&self, name: &str, patch: &Value) -> Result<(), Trouble> {
        let servers = self.0.api::<LensesMcpServer>();
        servers.patch(name, &PatchParams::default(), &Patch::Merge(patch)).await?;
        Ok(())
    }

    /// Says of the server's Deployment what a controller manager would.
    async fn report(
        &self,
        name: &str,
        status: impl Fn(Option<i64>) -> Value,
    ) -> Result<(), Trouble> {
        let deployments = self.0.api::<Deployment>();
        let made = until(&deployments, name, "a Deployment", |made| made.is_some()).await?;
        let generation = made.and_then(|made| made.metadata.generation);
        let patch = Patch::Merge(json!({ "status": status(generation) }));
        deployments.patch_status(name, &PatchParams::default(), &patch).await?;
        Ok(())
    }
}

/// The status of a Deployment with so many pods, of which so many are ready.
fn replicas(generation: Option<i64>, pods: i32, ready: i32) -> Value {
    json!({
        "observedGeneration": generation, "replicas": pods, "updatedReplicas": pods,
        "readyReplicas": ready, "availableReplicas": ready,
    })
}
