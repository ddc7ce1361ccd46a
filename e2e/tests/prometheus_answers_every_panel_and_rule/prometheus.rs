//! Prometheus, as a process on the node, with the rights that its documentation gives it.

use std::{fs, path::PathBuf, process::Stdio, time::Duration};

use lenses_mcp_e2e::{
    bed::{Bed, Trouble, cluster},
    client::http_client,
};
use serde_json::{Value, json};
use tokio::{
    net::TcpListener,
    process::{Child, Command},
    time::{sleep, timeout},
};

use super::{
    TOOLS,
    monitors::{NAME, Settings, token_file},
    questions::Question,
};

/// Where the Prometheus Operator thinks that rule files are.
const RULES: &str = "/etc/prometheus/rules";
/// How long Prometheus may take for what it does by itself.
const PATIENCE: Duration = Duration::from_mins(1);

/// A running Prometheus. It ends when this is dropped.
pub(crate) struct Prometheus {
    url: String,
    http: reqwest::Client,
    directory: PathBuf,
    _process: Child,
}

impl Prometheus {
    /// Starts it with these settings.
    ///
    /// # Errors
    /// When it cannot be started.
    pub(crate) async fn start(bed: &Bed, settings: &Settings) -> Result<Self, Trouble> {
        sign_in(bed).await?;
        let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(&bed.namespace);
        let rules = directory.join("rules");
        fs::create_dir_all(rules.join(format!("prometheus-{NAME}-rulefiles-0")))?;
        for (name, text) in &settings.rules {
            fs::write(rules.join(format!("prometheus-{NAME}-rulefiles-0")).join(name), text)?;
        }
        let configuration = settings.configuration.replace(RULES, &rules.to_string_lossy());
        fs::write(directory.join("prometheus.yaml"), configuration)?;
        let address = TcpListener::bind(("127.0.0.1", 0)).await?.local_addr()?;
        let log = fs::File::create(cluster()?.logs().join("prometheus.log"))?;
        let process = Command::new(format!("{TOOLS}/prometheus"))
            .arg(format!("--config.file={}", directory.join("prometheus.yaml").display()))
            .arg(format!("--storage.tsdb.path={}", directory.join("data").display()))
            .arg(format!("--web.listen-address={address}"))
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .kill_on_drop(true)
            .spawn()?;
        let http = http_client()?;
        Ok(Self { url: format!("http://{address}/api/v1"), http, directory, _process: process })
    }

    /// The data of an answer of its API.
    ///
    /// # Errors
    /// When it refuses, or does not answer.
    pub(crate) async fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Value, Trouble> {
        let request = self.http.get(format!("{}/{path}", self.url)).query(query);
        let mut answer: Value = request.send().await?.json().await?;
        if answer["status"] == "success" {
            Ok(answer["data"].take())
        } else {
            Err(format!("{path} {query:?}: {answer}").into())
        }
    }

    /// Waits until it scrapes as many targets as are expected, and no other.
    ///
    /// # Errors
    /// When that takes too long: then with what it says of its targets.
    pub(crate) async fn until_targets_are_up(&self, expected: usize) -> Result<(), Trouble> {
        let mut last = Value::Null;
        let all_up = async {
            loop {
                if let Ok(targets) = self.get("targets", &[("state", "active")]).await {
                    let active = targets["activeTargets"].as_array().cloned().unwrap_or_default();
                    if active.len() == expected && active.iter().all(|at| at["health"] == "up") {
                        return;
                    }
                    last = targets;
                }
                sleep(Duration::from_millis(200)).await;
            }
        };
        let waited = timeout(PATIENCE, all_up).await;
        waited.map_err(|_| format!("waited in vain for {expected} targets: {last:#}").into())
    }

    /// Those of the questions that it has no data for.
    ///
    /// # Errors
    /// When a query is wrong.
    pub(crate) async fn without_data(
        &self,
        questions: Vec<Question>,
    ) -> Result<Vec<Question>, Trouble> {
        let mut open = Vec::new();
        for question in questions {
            let answer = self.get("query", &[("query", &question.query)]).await?;
            let values = answer["result"].as_array().into_iter().flatten();
            // A quantile of nothing is NaN.
            let mut values = values.filter_map(|sample| sample["value"][1].as_str()?.parse().ok());
            if !values.any(|value: f64| value.is_finite()) {
                open.push(question);
            }
        }
        Ok(open)
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        // What is left of it is in a directory for what may be deleted.
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// An account that may look for targets, and its token.
async fn sign_in(bed: &Bed) -> Result<(), Trouble> {
    let read = ["get", "list", "watch"];
    bed.apply(&json!({"apiVersion": "v1", "kind": "List", "items": [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": NAME}},
        {
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
            "metadata": {"name": NAME},
            "rules": [
                {"apiGroups": [""], "resources": ["services", "pods"], "verbs": read},
                {
                    "apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"],
                    "verbs": read,
                },
            ],
        },
        super::state_metrics::binding(bed, NAME),
    ]}))
    .await?;
    fs::write(token_file(bed), bed.kubectl(&["create", "token", NAME], None).await?.trim())?;
    Ok(())
}
