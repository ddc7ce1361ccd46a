//! The faults: of what users do, of the operators, of the API server and of its store.

use std::{collections::BTreeMap, fmt::Write, time::Duration};

use lenses_mcp_e2e::control_plane::ApiServer;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use rand::{RngExt, rngs::StdRng, seq::IndexedRandom};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep, timeout};

use crate::{children::Child, operators::Operators, servers::Servers};

const ETCD: &str = "http://127.0.0.1:2379/v3/kv";
/// The longest that one change may take; the API server may be stopped or away.
const PATIENCE: Duration = Duration::from_secs(5);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Fault {
    WriteSpec,
    DeleteServer,
    ReplaceServer,
    DeleteChild,
    EditChild,
    KillOperator,
    StopOperator,
    KillApiServer,
    StopApiServer,
    KillEtcd,
    /// The operators' watches are too old: 410 Gone.
    ExpireWatches,
}

/// Each with how often it is, in a hundred.
const FAULTS: [(Fault, u32); 11] = [
    (Fault::WriteSpec, 25),
    (Fault::DeleteServer, 5),
    (Fault::ReplaceServer, 5),
    (Fault::DeleteChild, 27),
    (Fault::EditChild, 27),
    (Fault::KillOperator, 2),
    (Fault::StopOperator, 2),
    (Fault::KillApiServer, 2),
    (Fault::StopApiServer, 2),
    (Fault::KillEtcd, 1),
    (Fault::ExpireWatches, 2),
];

pub(crate) struct Faults<'a> {
    server: &'a ApiServer,
    operators: &'a Operators,
    random: StdRng,
    caused: BTreeMap<Fault, usize>,
    failed: usize,
}

impl<'a> Faults<'a> {
    pub(crate) fn new(server: &'a ApiServer, operators: &'a Operators, random: StdRng) -> Self {
        Self { server, operators, random, caused: BTreeMap::new(), failed: 0 }
    }

    /// One after the other, for so long. Operators are killed in the first two thirds only, so that
    /// the caches that are examined at the end have lived through some.
    pub(crate) async fn cause(&mut self, servers: &mut Servers, time: Duration) {
        let begun = Instant::now();
        while begun.elapsed() < time {
            let Ok((fault, _)) = FAULTS.choose_weighted(&mut self.random, |(_, often)| *often)
            else {
                return;
            };
            let late = begun.elapsed() > time * 2 / 3;
            if late && matches!(fault, Fault::KillOperator | Fault::StopOperator) {
                continue;
            }
            *self.caused.entry(*fault).or_default() += 1;
            let caused = timeout(PATIENCE * 6, self.cause_one(*fault, servers)).await;
            if !matches!(caused, Ok(Ok(()))) {
                self.failed += 1;
            }
            // Sometimes many at once, sometimes with time to act on each.
            let pause = [0, 0, 20, 100, 500].choose(&mut self.random).copied().unwrap_or_default();
            sleep(Duration::from_millis(pause)).await;
        }
        // Kubernetes' garbage collector tries what failed again after up to 1,000 s, and until then
        // objects of deleted resources keep their names. A new one begins with everything.
        self.signal("kube-controller-manager", Signal::SIGKILL);
    }

    /// How often each was caused. Most must have been: a cluster that is gone would refuse all.
    pub(crate) fn told(&self) -> String {
        let all: usize = self.caused.values().sum();
        assert!(self.failed * 2 < all, "{} of {all} changes were refused", self.failed);
        let mut told = format!("faults ({} changes were refused or not answered):", self.failed);
        for (fault, count) in &self.caused {
            // Writing to a string does not fail.
            let _ = write!(told, " {fault:?} {count}");
        }
        told
    }

    async fn cause_one(&mut self, fault: Fault, servers: &mut Servers) -> kube::Result<()> {
        match fault {
            Fault::WriteSpec => {
                let (namespace, name) = servers.any();
                servers.write(namespace, &name).await?;
            }
            Fault::DeleteServer => {
                let (namespace, name) = servers.any();
                servers.delete(namespace, &name).await?;
            }
            Fault::ReplaceServer => {
                let (namespace, name) = servers.any();
                servers.delete(namespace, &name).await?;
                servers.write(namespace, &name).await?;
            }
            Fault::DeleteChild => {
                if let Some(child) = Child::any(&servers.client, &mut self.random).await? {
                    child.delete().await?;
                }
            }
            Fault::EditChild => {
                if let Some(child) = Child::any(&servers.client, &mut self.random).await? {
                    child.edit(&mut self.random).await?;
                }
            }
            Fault::KillOperator => self.operators.signal(self.operator(), Signal::SIGKILL),
            Fault::StopOperator => {
                let operator = self.operator();
                self.operators.signal(operator, Signal::SIGSTOP);
                // Longer than the Lease lives, sometimes.
                self.wait(20).await;
                self.operators.signal(operator, Signal::SIGCONT);
            }
            Fault::KillApiServer => self.signal("kube-apiserver", Signal::SIGKILL),
            Fault::StopApiServer => {
                self.signal("kube-apiserver", Signal::SIGSTOP);
                self.wait(12).await;
                self.signal("kube-apiserver", Signal::SIGCONT);
            }
            Fault::KillEtcd => self.signal("etcd", Signal::SIGKILL),
            Fault::ExpireWatches => self.expire_watches(servers).await?,
        }
        Ok(())
    }

    fn operator(&mut self) -> usize {
        self.random.random_range(0..2)
    }

    async fn wait(&mut self, seconds: u64) {
        sleep(Duration::from_millis(self.random.random_range(200..seconds * 1_000))).await;
    }

    fn signal(&self, component: &str, signal: Signal) {
        let pid = self.server.component(component).and_then(|pid| i32::try_from(pid).ok());
        if let Some(pid) = pid {
            // It may be between two lives.
            let _ended = kill(Pid::from_raw(pid), signal);
        }
    }

    /// While the operators see nothing, children change, the store forgets all older versions, and
    /// an API server begins that never knew them.
    async fn expire_watches(&mut self, servers: &Servers) -> kube::Result<()> {
        for operator in [0, 1] {
            self.operators.signal(operator, Signal::SIGSTOP);
        }
        let changed = timeout(PATIENCE, self.change_children(servers)).await;
        let compacted = compact().await;
        self.signal("kube-apiserver", Signal::SIGKILL);
        for operator in [0, 1] {
            self.operators.signal(operator, Signal::SIGCONT);
        }
        if compacted.is_none() {
            self.failed += 1;
        }
        changed.unwrap_or(Ok(()))
    }

    async fn change_children(&mut self, servers: &Servers) -> kube::Result<()> {
        for _ in 0..3 {
            if let Some(child) = Child::any(&servers.client, &mut self.random).await? {
                child.delete().await?;
            }
            if let Some(child) = Child::any(&servers.client, &mut self.random).await? {
                child.edit(&mut self.random).await?;
            }
        }
        Ok(())
    }
}

/// Makes etcd forget every version but the newest; `None` if it does not answer.
async fn compact() -> Option<()> {
    let http = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build().ok()?;
    let ask = async |path: &str, body: Value| {
        let request = http.post(format!("{ETCD}/{path}")).body(body.to_string());
        let text = request.send().await.ok()?.error_for_status().ok()?.text().await.ok()?;
        serde_json::from_str::<Value>(&text).ok()
    };
    let range = ask("range", json!({ "key": "AA==" })).await?;
    let revision = range.pointer("/header/revision")?.clone();
    ask("compaction", json!({ "revision": revision })).await.map(drop)
}
