//! The Prometheus Operator, as a process on the node: it makes the configuration of a Prometheus
//! from `ServiceMonitor`, `PodMonitor` and `PrometheusRule` objects.

use std::{collections::BTreeMap, io::Read as _, process::Stdio};

use flate2::read::GzDecoder;
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use lenses_mcp_e2e::bed::{Bed, OPERATOR_NAMESPACE, OPERATOR_RELEASE, Trouble, cluster, until};
use serde_json::json;
use tokio::process::{Child, Command};

use super::{LABEL, LABEL_VALUE, TOOLS};

/// The name of the `Prometheus`, and of what it signs in to the API server with.
pub(crate) const NAME: &str = "monitoring";

/// What a Prometheus is started with.
pub(crate) struct Settings {
    /// Its configuration.
    pub(crate) configuration: String,
    /// Its rule files, by name.
    pub(crate) rules: BTreeMap<String, String>,
}

/// Installs the API of the Prometheus Operator.
///
/// # Errors
/// What kubectl says.
pub(crate) async fn install_api(bed: &Bed) -> Result<(), Trouble> {
    let files = format!("{TOOLS}/prometheus-operator-crds");
    bed.kubectl(&["apply", "--server-side", "-f", &files], None).await?;
    let established = ["wait", "--for=condition=Established", "-f", &files, "--timeout=60s"];
    bed.kubectl(&established, None).await.map(drop)
}

/// The scrape jobs of the Prometheus, one for each endpoint of a monitor.
pub(crate) fn jobs(bed: &Bed) -> [String; 4] {
    [
        format!("serviceMonitor/{OPERATOR_NAMESPACE}/{OPERATOR_RELEASE}/0"),
        format!("podMonitor/{OPERATOR_NAMESPACE}/{OPERATOR_RELEASE}/0"),
        format!("serviceMonitor/{}/mcp/0", bed.namespace),
        format!("serviceMonitor/{}/kube-state-metrics/0", bed.namespace),
    ]
}

/// The settings of a Prometheus that selects monitors and rules of all namespaces by the label, and
/// the process that made them.
///
/// # Errors
/// When a job is missing after a while.
pub(crate) async fn settings(bed: &Bed) -> Result<(Settings, Child), Trouble> {
    let run = cluster()?.kubeconfig();
    let run = run.parent().ok_or("no run directory")?;
    let selector = json!({"matchLabels": {LABEL: LABEL_VALUE}});
    bed.apply(&json!({
        "apiVersion": "monitoring.coreos.com/v1", "kind": "Prometheus", "metadata": {"name": NAME},
        "spec": {
            // Its pods would need images; the settings are all that is wanted.
            "replicas": 0,
            "serviceMonitorSelector": selector, "serviceMonitorNamespaceSelector": {},
            "podMonitorSelector": selector, "podMonitorNamespaceSelector": {},
            "ruleSelector": selector, "ruleNamespaceSelector": {},
            "serviceDiscoveryRole": "EndpointSlice",
            "evaluationInterval": "1s",
            "apiserverConfig": {
                "host": "https://kubernetes.default.svc.cluster.local",
                "authorization": {"credentialsFile": token_file(bed)},
                "tlsConfig": {"caFile": run.join("pki/ca.crt")},
            },
        },
    }))
    .await?;
    let log = std::fs::File::create(cluster()?.logs().join("prometheus-operator.log"))?;
    let process = Command::new(format!("{TOOLS}/prometheus-operator"))
        .arg("--web.listen-address=127.0.0.1:0")
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .kill_on_drop(true)
        .spawn()?;
    let jobs = jobs(bed);
    let secret = until(&bed.api::<Secret>(), &format!("prometheus-{NAME}"), "all jobs", |secret| {
        let text = secret.and_then(configuration).unwrap_or_default();
        jobs.iter().all(|job| text.contains(&format!("job_name: {job}\n")))
    })
    .await?;
    let configuration = secret.as_ref().and_then(configuration).ok_or("no configuration")?;
    let name = format!("prometheus-{NAME}-rulefiles-0");
    let rules = until(&bed.api::<ConfigMap>(), &name, "rules", |rules| {
        rules.and_then(|rules| rules.data.as_ref()).is_some_and(|files| !files.is_empty())
    })
    .await?;
    let rules = rules.and_then(|rules| rules.data).ok_or("no rules")?;
    Ok((Settings { configuration, rules }, process))
}

/// Where the token is with which the Prometheus looks for its targets.
pub(crate) fn token_file(bed: &Bed) -> String {
    format!("{}/{}.token", env!("CARGO_TARGET_TMPDIR"), bed.namespace)
}

fn configuration(secret: &Secret) -> Option<String> {
    let packed = &secret.data.as_ref()?.get("prometheus.yaml.gz")?.0;
    let mut text = String::new();
    GzDecoder::new(&packed[..]).read_to_string(&mut text).ok()?;
    Some(text)
}
