//! The operators' processes.

use std::{
    collections::BTreeMap,
    fs::File,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use lenses_mcp_e2e::{bed::OPERATOR_NAMESPACE, control_plane::ApiServer};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tokio::time::{sleep, timeout};

use crate::{IMAGES, LOOK, NAMESPACES};

const ADDRESSES: [&str; 2] = ["127.0.0.1:9090", "127.0.0.1:9091"];
/// How soon one that has ended is started again.
const RESTART: Duration = Duration::from_millis(500);
/// The longest wait for a leader, and for the checks of all its caches.
const PATIENCE: Duration = Duration::from_mins(2);
/// How long one that is stopped may take to answer.
const ANSWER: Duration = Duration::from_secs(2);
/// How many watches of a kind there are in each namespace: of some, others' objects are watched
/// too.
const WATCHES: [(&str, u64); 11] = [
    ("LensesMcpServer", 1),
    ("Pod", 1),
    ("Deployment", 2),
    ("ServiceAccount", 2),
    ("ConfigMap", 2),
    ("NetworkPolicy", 2),
    ("Secret", 1),
    ("Service", 1),
    ("Ingress", 1),
    ("HorizontalPodAutoscaler", 1),
    ("PodDisruptionBudget", 1),
];
const LOGS: &str = env!("CARGO_TARGET_TMPDIR");

/// They are started again when they end, until these are ended.
pub(crate) struct Operators {
    pids: [Arc<Mutex<Option<u32>>>; 2],
    restarts: [tokio::task::JoinHandle<()>; 2],
}

/// The operator that holds the Lease.
pub(crate) struct Leader {
    address: &'static str,
    http: reqwest::Client,
}

impl Operators {
    pub(crate) fn start(server: &ApiServer) -> Self {
        let kubeconfig = server.operators_kubeconfig();
        let pids = [Arc::default(), Arc::default()];
        let restarts = [0, 1].map(|number| {
            tokio::spawn(keep(number, kubeconfig.clone(), Arc::clone(&pids[number])))
        });
        Self { pids, restarts }
    }

    /// Sends a signal to one of them, if it runs.
    pub(crate) fn signal(&self, number: usize, signal: Signal) {
        let pid = *self.pids[number].lock().unwrap_or_else(PoisonError::into_inner);
        let pid = pid.and_then(|pid| i32::try_from(pid).ok());
        if let Some(pid) = pid {
            // It may have ended by itself.
            let _ended = kill(Pid::from_raw(pid), signal);
        }
    }

    /// Waits until one of them leads.
    pub(crate) async fn leader(&self) -> Leader {
        let http = reqwest::Client::builder().no_proxy().timeout(ANSWER).build().unwrap();
        let found = async {
            loop {
                for address in ADDRESSES {
                    let leader = Leader { address, http: http.clone() };
                    let leads = leader.lines("lenses_mcp_operator_leader").await;
                    if leads.and_then(|leads| leads.values().copied().next()) == Some(1) {
                        return leader;
                    }
                }
                sleep(LOOK).await;
            }
        };
        timeout(PATIENCE, found).await.unwrap()
    }

    /// Ends them, as a kubelet does: the leader gives up the Lease.
    pub(crate) async fn end(mut self) {
        for restart in &self.restarts {
            restart.abort();
        }
        for number in [0, 1] {
            self.signal(number, Signal::SIGTERM);
        }
        let ended = async {
            for address in ADDRESSES {
                while tokio::net::TcpStream::connect(address).await.is_ok() {
                    sleep(LOOK).await;
                }
            }
        };
        timeout(PATIENCE, ended).await.unwrap();
        self.pids = [Arc::default(), Arc::default()];
    }
}

impl Drop for Operators {
    fn drop(&mut self) {
        for restart in &self.restarts {
            restart.abort();
        }
        for number in [0, 1] {
            self.signal(number, Signal::SIGKILL);
        }
    }
}

impl Leader {
    /// Waits until each cache was compared with the API server at least once more.
    pub(crate) async fn checked_again(&self) {
        const CHECKS: &str = "lenses_mcp_operator_cache_checks_total";
        let before = self.lines(CHECKS).await.unwrap_or_default();
        let enough = |now: &BTreeMap<String, u64>| {
            WATCHES.iter().all(|(kind, watches)| {
                let labels = format!("{{kind=\"{kind}\"}}");
                let count = |of: &BTreeMap<String, u64>| of.get(&labels).copied().unwrap_or(0);
                // The times between two checks of one differ by less than twice.
                count(now) >= count(&before) + 2 * watches * NAMESPACES.len() as u64
            })
        };
        let checked = async {
            while !self.lines(CHECKS).await.is_some_and(|now| enough(&now)) {
                sleep(LOOK).await;
            }
        };
        let checked = timeout(PATIENCE, checked).await;
        assert!(checked.is_ok(), "not all were checked: {:?}", self.lines(CHECKS).await);
    }

    /// Waits until it has ended so many reconciles.
    pub(crate) async fn reconciled(&self, count: usize) {
        let all = async {
            let reconciles = "lenses_mcp_operator_reconciles_total";
            while self
                .lines(reconciles)
                .await
                .is_none_or(|now| now.values().sum::<u64>() < count as u64)
            {
                sleep(LOOK).await;
            }
        };
        timeout(PATIENCE, all).await.unwrap();
    }

    /// The changes that only the check found, by kind.
    pub(crate) async fn missed(&self) -> BTreeMap<String, u64> {
        let mut missed = self.lines("lenses_mcp_operator_missed_changes_total").await.unwrap();
        missed.retain(|_, count| *count > 0);
        missed
    }

    /// The values of a metric by its labels; `None` if there is no answer.
    async fn lines(&self, name: &str) -> Option<BTreeMap<String, u64>> {
        let response =
            self.http.get(format!("http://{}/metrics", self.address)).send().await.ok()?;
        let text = response.text().await.ok()?;
        let lines = text.lines().filter_map(|line| {
            let (labels, value) = line.strip_prefix(name)?.rsplit_once(' ')?;
            Some((labels.to_owned(), value.parse().ok()?))
        });
        Some(lines.collect())
    }
}

/// Starts one again and again.
async fn keep(number: usize, kubeconfig: PathBuf, pid: Arc<Mutex<Option<u32>>>) {
    loop {
        let mut child = spawn(number, &kubeconfig);
        *pid.lock().unwrap_or_else(PoisonError::into_inner) = Some(child.id());
        while let Ok(None) = child.try_wait() {
            sleep(RESTART).await;
        }
        *pid.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

fn spawn(number: usize, kubeconfig: &Path) -> Child {
    let log = File::options()
        .create(true)
        .append(true)
        .open(format!("{LOGS}/survives_random_faults.{number}.log"))
        .unwrap();
    Command::new(format!("{IMAGES}/lenses-mcp-operator/lenses-mcp-operator"))
        .arg("run")
        .env_clear()
        .env("KUBECONFIG", kubeconfig)
        .env("WATCH_NAMESPACES", NAMESPACES.join(","))
        .env("POD_NAME", format!("operator-{number}"))
        .envs([
            ("ADMIN_ADDRESS", ADDRESSES[number]),
            ("POD_NAMESPACE", OPERATOR_NAMESPACE),
            ("VERIFICATION_ALLOWED_CIDRS", "127.0.0.0/8,::1/128"),
            ("RESYNC_INTERVAL_SECONDS", "10"),
        ])
        .stdin(Stdio::null())
        .stderr(log)
        .spawn()
        .unwrap()
}
