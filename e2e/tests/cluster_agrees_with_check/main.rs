//! A real API server and the operator say of each manifest what `check` says of it without them.
//!
//! The manifests are those of `operator/tests/manifests`, whose tests hold `check` to the directory
//! that each is in. Here kubectl applies them, and the operator applies what they become. No pods
//! run: there is nothing but an API server, and the operator as a process.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test may end this way")]

mod manifests;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::File,
    process::{Child, Command, Stdio},
};

use k8s_openapi::api::core::v1::Namespace;
use kube::{Api, Client, api::PostParams};
use lenses_mcp_crds::LensesMcpServer;
use lenses_mcp_e2e::{
    bed::{OPERATOR_NAMESPACE, condition, operator_program, until},
    cluster::Programs,
    control_plane::ApiServer,
};
use serde_json::json;

use self::manifests::Manifest;

const LOG: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/cluster-agrees-with-check.log");
/// APIs that a cluster may lack.
const DEFINITIONS: [&str; 2] =
    ["gateway.networking.k8s.io_httproutes.yaml", "monitoring.coreos.com_servicemonitors.yaml"];

#[test]
fn the_api_server_and_the_operator_agree_with_check() {
    let manifests = manifests::read();
    let valid = manifests.iter().filter(|manifest| manifest.directory == "valid").count();
    assert!(manifests.len() >= 120 && valid >= 45, "{} manifests, {valid} valid", manifests.len());
    let server = ApiServer::start("check", Programs::All);
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let judging = || runtime().block_on(disagreements(&server, &manifests));
    let wrong = server.cluster.inside(judging).unwrap();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The manifests that the cluster accepts and should refuse, and the other way round.
async fn disagreements(server: &ApiServer, manifests: &[Manifest]) -> Vec<String> {
    server.install();
    for name in DEFINITIONS {
        let file = server.cluster.file(name).unwrap();
        let mut kubectl = server.cluster.command("kubectl");
        let applied = kubectl.args(["apply", "--server-side", "--filename"]).arg(file).output();
        assert!(applied.unwrap().status.success(), "{name} cannot be installed");
    }
    let client = server.client().await;
    make_namespaces(&client, manifests).await;
    let tried = kubectl_apply(server, &["--dry-run=server"], manifests);
    let refused = kubectl_apply(server, &[], manifests);
    let files = |refused: &BTreeMap<_, _>| refused.keys().cloned().collect::<BTreeSet<String>>();
    assert_eq!(files(&tried), files(&refused), "kubectl apply ends otherwise than its dry run");

    let _operator = Operator::start(server);
    let mut wrong = Vec::new();
    for manifest in manifests {
        let refusal = match refused.get(&manifest.file) {
            Some(said) => Some(said.clone()),
            None => refusal(&client, manifest).await,
        };
        if refusal.is_some() != manifest.is_refused {
            let said = refusal.as_deref().unwrap_or("accepted");
            wrong.push(format!("{}: {said}", manifest.file));
        }
    }
    wrong
}

/// What kubectl says of the files that the API server does not accept. It names each of them.
fn kubectl_apply(
    server: &ApiServer,
    arguments: &[&str],
    manifests: &[Manifest],
) -> BTreeMap<String, String> {
    let mut kubectl = server.cluster.command("kubectl");
    kubectl.args(["apply", "--recursive", "--filename"]).arg(manifests::directory());
    let said = String::from_utf8(kubectl.args(arguments).output().unwrap().stderr).unwrap();
    let refused = manifests.iter().filter_map(|manifest| {
        let line = said.lines().find(|line| line.contains(&manifest.file))?;
        Some((manifest.file.clone(), line.to_owned()))
    });
    refused.collect()
}

/// What the operator, or the API server to the operator, finds wrong with one of the resources.
async fn refusal(client: &Client, manifest: &Manifest) -> Option<String> {
    for (namespace, name) in &manifest.servers {
        let servers = Api::<LensesMcpServer>::namespaced(client.clone(), namespace);
        let server = until(&servers, name, "a status", |server| {
            server.is_none_or(|server| {
                let status = server.status.as_ref();
                status.is_some_and(|it| it.observed_generation == server.metadata.generation)
            })
        });
        let Some(server) = server.await.unwrap() else {
            return Some(format!("{namespace}/{name} is not there"));
        };
        let accepted = condition(&server, "Accepted").unwrap();
        let ready = condition(&server, "Ready").unwrap();
        if accepted.status != "True" || ready.reason == "ApplyFailed" {
            return Some(ready.message.clone());
        }
    }
    None
}

async fn make_namespaces(client: &Client, manifests: &[Manifest]) {
    let namespaces = Api::<Namespace>::all(client.clone());
    let names: BTreeSet<_> = manifests.iter().flat_map(|one| &one.namespaces).collect();
    // One that cannot be made is in no manifest that is accepted.
    for name in names.into_iter().filter(|name| !name.contains('.')) {
        let namespace = serde_json::from_value(json!({"metadata": {"name": name}})).unwrap();
        namespaces.create(&PostParams::default(), &namespace).await.unwrap();
    }
}

/// The operator's process. Dropped, it ends.
struct Operator(Child);

impl Operator {
    /// Starts it with its own rights.
    fn start(server: &ApiServer) -> Self {
        let child = Command::new(operator_program().unwrap())
            .arg("run")
            .env_clear()
            .env("KUBECONFIG", server.operators_kubeconfig())
            .env("POD_NAMESPACE", OPERATOR_NAMESPACE)
            .env("ADMIN_ADDRESS", "127.0.0.1:9090")
            .stdin(Stdio::null())
            .stderr(File::create(LOG).unwrap())
            .spawn();
        Self(child.unwrap())
    }
}

impl Drop for Operator {
    fn drop(&mut self) {
        let _ended_already = self.0.kill();
        let _ended_already = self.0.wait();
    }
}
