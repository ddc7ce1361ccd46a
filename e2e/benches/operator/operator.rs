//! The operator's process.

use std::{
    fs::File,
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use lenses_mcp_e2e::{
    bed::OPERATOR_NAMESPACE,
    control_plane::{ApiServer, process},
};
use nix::{sys::signal, unistd::Pid};
use tokio::time::{sleep, timeout};

/// How often a metric is looked at that is waited for.
const LOOK: Duration = Duration::from_millis(250);
/// The longest wait for one.
const PATIENCE: Duration = Duration::from_mins(30);
/// So long without a request, and the operator rests.
const QUIET: Duration = Duration::from_secs(5);
const LOG: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/bench-operator.log");
const ADMIN: &str = "127.0.0.1:9090";

pub(crate) struct Operator {
    child: Child,
    http: reqwest::Client,
}

impl Operator {
    /// Starts it, for one namespace.
    pub(crate) fn start(
        server: &ApiServer,
        program: &Path,
        namespace: &str,
        concurrency: usize,
    ) -> Self {
        let log = File::create(LOG).unwrap();
        let mut command = Command::new(program);
        command
            .arg("run")
            .env_clear()
            .env("KUBECONFIG", server.operators_kubeconfig())
            .envs([
                ("WATCH_NAMESPACES", namespace),
                ("ADMIN_ADDRESS", ADMIN),
                ("POD_NAMESPACE", OPERATOR_NAMESPACE),
                // Where HQ and the server are.
                ("VERIFICATION_ALLOWED_CIDRS", "127.0.0.0/8,::1/128"),
            ])
            .env("CONCURRENCY", concurrency.to_string())
            .stdin(Stdio::null())
            .stderr(log);
        Self {
            child: command.spawn().unwrap(),
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
        }
    }

    /// Waits until it says that this condition is true of so many resources.
    pub(crate) async fn all_are(&self, condition: &str, resources: usize) {
        let wanted =
            format!(r#"lenses_mcp_operator_resources{{condition="{condition}",status="True"}}"#);
        let all = async {
            while self.sum(&wanted).await != Some(resources) {
                sleep(LOOK).await;
            }
        };
        assert!(
            timeout(PATIENCE, all).await.is_ok(),
            "not all converged within {PATIENCE:?}: see {LOG}"
        );
    }

    /// Waits until it is ready.
    pub(crate) async fn ready(&self) {
        let ready = async {
            loop {
                let asked = self.http.get(format!("http://{ADMIN}/readyz")).send().await;
                if asked.is_ok_and(|response| response.status().is_success()) {
                    return;
                }
                sleep(LOOK).await;
            }
        };
        assert!(timeout(PATIENCE, ready).await.is_ok(), "it is not ready: see {LOG}");
    }

    /// Waits until it has asked nothing for a while.
    pub(crate) async fn rested(&self) {
        let mut before = None;
        loop {
            let now = self.requests().await;
            if before.replace(now) == Some(now) {
                return;
            }
            sleep(QUIET).await;
        }
    }

    /// Its requests to the API server so far, by its own count: all but watches and updates, which
    /// are the lease's.
    pub(crate) async fn requests(&self) -> usize {
        let all = self.sum("lenses_mcp_operator_api_requests_total{").await;
        let of = async |verb: &str| {
            self.sum(&format!(r#"lenses_mcp_operator_api_requests_total{{verb="{verb}","#))
                .await
                .unwrap_or(0)
        };
        all.unwrap_or(0) - of("watch").await - of("update").await
    }

    /// The sum of the metrics whose lines begin so; `None` while there is none.
    async fn sum(&self, of: &str) -> Option<usize> {
        let text = self
            .http
            .get(format!("http://{ADMIN}/metrics"))
            .send()
            .await
            .ok()?
            .text()
            .await
            .ok()?;
        let lines = text.lines().filter(|line| line.starts_with(of));
        lines.map(|line| line.rsplit_once(' ')?.1.parse::<usize>().ok()).sum()
    }

    /// A line of `/proc/PID/status`, in KiB.
    pub(crate) fn memory(&self, name: &str) -> u64 {
        process::memory(self.child.id(), name)
    }

    /// Its processor time so far.
    pub(crate) fn cpu_time(&self) -> Duration {
        process::cpu_time(self.child.id())
    }

    /// Ends it as a kubelet does: it gives its lease up.
    pub(crate) async fn stop(mut self) {
        signal::kill(Pid::from_raw(self.child.id().try_into().unwrap()), signal::Signal::SIGTERM)
            .unwrap();
        let ended =
            tokio::task::spawn_blocking(move || self.child.wait().map(|status| (self, status)));
        let (_ended, status) = ended.await.unwrap().unwrap();
        assert!(status.success(), "the operator ended with {status}");
    }
}

impl Drop for Operator {
    fn drop(&mut self) {
        let _ended_already = self.child.kill();
        let _ended_already = self.child.wait();
    }
}
