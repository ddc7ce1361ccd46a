//! What a test of a promise stands on: a Kubernetes namespace of its own on the running cluster,
//! with the operator installed from its chart, a stand-in HQ as a Deployment, and a report of
//! everything there is to see when the test fails.
//!
//! The tests run inside the cluster's network (`cluster exec`), so they reach Services by their DNS
//! names as any pod would.

#[cfg(target_os = "linux")]
mod apis;
mod authority;
mod hq;
#[cfg(target_os = "linux")]
mod inside;
mod kstatus;
#[cfg(target_os = "linux")]
mod metrics_api;
mod operator;
mod plugin;
mod report;
#[cfg(target_os = "linux")]
mod traefik;
mod waiting;

use std::{future::Future, panic::AssertUnwindSafe, process::Stdio};

use futures::FutureExt;
use k8s_openapi::api::{
    apps::v1::Deployment,
    core::v1::{ConfigMap, Namespace, Pod, Secret},
};
use kube::{
    Api, Client, ResourceExt,
    api::{DeleteParams, ListParams, PostParams},
};
use lenses_mcp_crds::LensesMcpServer;
use serde_json::{Value, json};
use tokio::{io::AsyncWriteExt, process::Command};

#[cfg(target_os = "linux")]
pub use self::{
    apis::OptionalApi,
    inside::cluster,
    metrics_api::MetricsApi,
    operator::operator_requests,
    traefik::{Publishes, Traefik},
};
pub use self::{
    authority::Authority,
    hq::{Hq, SERVICE_ACCOUNT_TOKEN, objects as hq_objects},
    kstatus::kstatus,
    operator::{CHART, INSTALL, OPERATOR_NAMESPACE, OPERATOR_RELEASE, helm, install_operator},
    plugin::{Said, operator_program},
    waiting::{condition, until, versions},
};

/// Why the bed could not be laid. A test stops with it.
pub type Trouble = Box<dyn std::error::Error + Send + Sync>;

/// A namespace of one test's own.
#[derive(Clone)]
pub struct Bed {
    /// A client with an administrator's rights.
    pub client: Client,
    /// The namespace.
    pub namespace: String,
}

/// Runs `test` in a namespace of its own with the operator installed; when it fails, prints what
/// can be seen of the namespace and fails likewise.
///
/// # Panics
/// When the bed can't be laid, and when the test does.
#[expect(clippy::panic, reason = "this is the end of a test that failed")]
pub async fn prove<Test, Proof>(test: Test)
where
    Test: FnOnce(Bed) -> Proof,
    Proof: Future<Output = Result<(), Trouble>>,
{
    if let Err(trouble) = install_operator().await {
        panic!("the operator could not be installed: {trouble}");
    }
    prove_without_operator(test).await;
}

/// As [`prove`], for a test that installs the operator in its own way.
///
/// # Panics
/// When the bed can't be laid, and when the test does.
#[expect(clippy::panic, reason = "this is the end of a test that failed")]
pub async fn prove_without_operator<Test, Proof>(test: Test)
where
    Test: FnOnce(Bed) -> Proof,
    Proof: Future<Output = Result<(), Trouble>>,
{
    let bed = match Bed::new().await {
        Ok(bed) => bed,
        Err(trouble) => panic!("the test bed could not be laid: {trouble}"),
    };
    let outcome = AssertUnwindSafe(Box::pin(test(bed.clone()))).catch_unwind().await;
    if !matches!(outcome, Ok(Ok(()))) {
        report::print(&bed).await;
    }
    bed.remove().await;
    match outcome {
        Ok(Ok(())) => {}
        Ok(Err(trouble)) => panic!("{trouble}"),
        Err(panic) => std::panic::resume_unwind(panic),
    }
}

impl Bed {
    async fn new() -> Result<Self, Trouble> {
        let client = Client::try_default().await?;
        let labels = json!({"pod-security.kubernetes.io/enforce": "restricted"});
        let namespace: Namespace = serde_json::from_value(
            json!({"metadata": {"generateName": "e2e-", "labels": labels}}),
        )?;
        let made = Api::<Namespace>::all(client.clone())
            .create(&PostParams::default(), &namespace)
            .await?;
        Ok(Self { client, namespace: made.name_any() })
    }

    /// Starts removing the namespace; nothing waits for it.
    async fn remove(&self) {
        #[cfg(target_os = "linux")]
        if let Err(error) = self.remove_metrics_api().await {
            eprintln!("the metrics API was not removed: {error}");
        }
        let namespaces: Api<Namespace> = Api::all(self.client.clone());
        if let Err(error) = namespaces.delete(&self.namespace, &DeleteParams::background()).await {
            eprintln!("namespace {} was not removed: {error}", self.namespace);
        }
    }

    /// The objects of kind `K` in this namespace.
    #[must_use]
    pub fn api<K>(&self) -> Api<K>
    where
        K: kube::Resource<Scope = k8s_openapi::NamespaceResourceScope>,
        K::DynamicType: Default,
    {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    /// The one pod of the resource `server`.
    ///
    /// # Errors
    /// When there is none, or another.
    pub async fn only_pod(&self, server: &str) -> Result<Pod, Trouble> {
        let of_server =
            ListParams::default().labels(&format!("app.kubernetes.io/instance={server}"));
        let pods = self.api::<Pod>().list(&of_server).await?.items;
        <[Pod; 1]>::try_from(pods)
            .map(|[pod]| pod)
            .map_err(|pods| format!("{} pods of {server}", pods.len()).into())
    }

    /// The `ConfigMap` with the settings that the pods of the resource `server` are to mount.
    ///
    /// # Errors
    /// When there is none.
    pub async fn settings(&self, server: &str) -> Result<ConfigMap, Trouble> {
        let deployment = self.api::<Deployment>().get(server).await?;
        let pod = deployment.spec.and_then(|spec| spec.template.spec).ok_or("no pod template")?;
        let name = pod.volumes.into_iter().flatten().find_map(|volume| volume.config_map);
        Ok(self.api::<ConfigMap>().get(&name.ok_or("no config map is mounted")?.name).await?)
    }

    /// The DNS name of the Service `name` in this namespace.
    #[must_use]
    pub fn host(&self, name: &str) -> String {
        format!("{name}.{}.svc.cluster.local", self.namespace)
    }

    /// Applies `manifest` as a person does, with `kubectl apply`, into this namespace.
    ///
    /// # Errors
    /// What kubectl says when the API server refuses it.
    pub async fn apply(&self, manifest: &Value) -> Result<(), Trouble> {
        self.kubectl(&["apply", "-f", "-"], Some(manifest)).await.map(drop)
    }

    /// Runs `kubectl ARGUMENTS` in this namespace, with `input` on its standard input.
    ///
    /// # Errors
    /// What kubectl writes to its standard error when it fails.
    pub async fn kubectl(
        &self,
        arguments: &[&str],
        input: Option<&Value>,
    ) -> Result<String, Trouble> {
        let mut kubectl = Command::new("kubectl")
            .args(["--namespace", &self.namespace])
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        if let Some(mut stdin) = kubectl.stdin.take() {
            stdin.write_all(input.map(Value::to_string).unwrap_or_default().as_bytes()).await?;
        }
        let output = kubectl.wait_with_output().await?;
        if output.status.success() {
            Ok(String::from_utf8(output.stdout)?)
        } else {
            Err(String::from_utf8_lossy(&output.stderr).into())
        }
    }

    /// Makes an Opaque Secret.
    ///
    /// # Errors
    /// When the API server refuses it.
    pub async fn secret(&self, name: &str, data: Value) -> Result<(), Trouble> {
        let secret: Secret =
            serde_json::from_value(json!({"metadata": {"name": name}, "stringData": data}))?;
        self.api::<Secret>().create(&PostParams::default(), &secret).await?;
        Ok(())
    }

    /// A `LensesMcpServer` named `name` with OAuth towards `hq`, published under its Service's
    /// cluster name.
    #[must_use]
    pub fn oauth_server(&self, name: &str, hq: &Hq) -> Value {
        server(
            name,
            &json!({
                "lenses": {
                    "serviceRef": {"name": hq.name(), "port": "http"}, "advertisedUrl": hq.issuer()
                },
                "auth": {"oauth": {}},
            }),
        )
    }

    /// A `LensesMcpServer` named `name` with the API key `api-key` of the Secret `lenses` towards
    /// `hq`, for callers who show the `token` of the Secret `callers`.
    #[must_use]
    pub fn api_key_server(&self, name: &str, hq: &Hq) -> Value {
        server(
            name,
            &json!({
                "lenses": {"serviceRef": {"name": hq.name(), "port": "http"}},
                "auth": {"apiKey": {
                    "secretKeyRef": {"name": "lenses", "key": "api-key"},
                    "callers": {"tokenSecretRef": {"name": "callers", "key": "token"}},
                }},
            }),
        )
    }

    /// Applies `manifest` and waits until the resource is Ready for that generation.
    ///
    /// # Errors
    /// When it is refused, or is not Ready in time: then with its conditions.
    pub async fn apply_until_ready(&self, manifest: &Value) -> Result<LensesMcpServer, Trouble> {
        self.apply(manifest).await?;
        let name = manifest["metadata"]["name"].as_str().unwrap_or_default();
        self.until_ready(name).await
    }
}

/// A `LensesMcpServer` manifest.
#[must_use]
pub fn server(name: &str, spec: &Value) -> Value {
    json!({
        "apiVersion": "mcp.lenses.io/v1alpha1", "kind": "LensesMcpServer",
        "metadata": {"name": name}, "spec": spec
    })
}

/// The MCP URL that `server` shows in its status.
///
/// # Errors
/// When it shows none.
pub fn mcp_url(server: &LensesMcpServer) -> Result<String, Trouble> {
    let url = server.status.as_ref().and_then(|status| status.url.clone());
    url.ok_or_else(|| "the status shows no url".into())
}
