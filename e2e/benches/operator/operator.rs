//! The operator's process.

use std::{
    fs::{self, File},
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use lenses_mcp_e2e::bed::OPERATOR_NAMESPACE;
use nix::{sys::signal, unistd::Pid};
use tokio::time::{sleep, timeout};

use crate::api_server::ApiServer;

/// Clock ticks a second in `/proc`: the same on every Linux that Rust runs on.
const TICKS: u64 = 100;
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
            ])
            .env("CONCURRENCY", concurrency.to_string())
            .stdin(Stdio::null())
            .stderr(log);
        Self {
            child: command.spawn().unwrap(),
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
        }
    }

    /// Waits until it says of so many resources that HQ was looked at and found well.
    pub(crate) async fn converged(&self, resources: usize) {
        let wanted = r#"lenses_mcp_operator_resources{condition="LensesReachable",status="True"}"#;
        let all = async {
            while self.sum(wanted).await != Some(resources) {
                sleep(LOOK).await;
            }
        };
        assert!(
            timeout(PATIENCE, all).await.is_ok(),
            "not all converged within {PATIENCE:?}: see {LOG}"
        );
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

    /// Its requests to the API server so far, by its own count: all but watches and updates, which are the lease's.
    pub(crate) async fn requests(&self) -> usize {
        let all = self.sum("lenses_mcp_operator_api_requests_total{").await;
        let of = async |verb: &str| {
            self.sum(&format!(r#"lenses_mcp_operator_api_requests_total{{verb="{verb}"}}"#))
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
        let status = fs::read_to_string(self.proc("status")).unwrap();
        let line =
            status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    /// The processor time so far, its own and the kernel's for it.
    pub(crate) fn cpu_time(&self) -> Duration {
        let stat = fs::read_to_string(self.proc("stat")).unwrap();
        // After the name, which may hold anything: fields 14 and 15 of proc(5).
        let fields: Vec<_> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
        let ticks = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
        Duration::from_millis(ticks * 1_000 / TICKS)
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

    fn proc(&self, file: &str) -> String {
        format!("/proc/{}/{file}", self.child.id())
    }
}

impl Drop for Operator {
    fn drop(&mut self) {
        let _ended_already = self.child.kill();
        let _ended_already = self.child.wait();
    }
}
