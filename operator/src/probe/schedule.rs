//! What is known of each resource, and when to look again. Pure: time and chance are given.
//!
//! - What has changed is looked at at once; what is well, again after the resource's interval, a little earlier or later each
//!   time, so that a fleet does not stay in step.
//! - What is not well is looked at sooner: after seconds at first, later each time, after the interval at the latest.
//! - A finding that all was well is given up when a second look, two seconds later, says so too: a Service may refuse connections
//!   for a second after its pods are ready.
//! - What a status tells that another process wrote is believed, and looked at within five minutes: a restart of the operator is
//!   no reason to call every HQ at the same time, nor to write.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};

use k8s_openapi::jiff::Timestamp;
use kube::runtime::reflector::ObjectRef;
use lenses_mcp_crds::conditions::Reason;
use tokio::time::Instant;

use super::{
    Endpoint, Finding, Known, Lenses, Tools,
    plan::{Plan, Pods},
};
use crate::watching::servers::WatchedServer;

type Server = ObjectRef<WatchedServer>;

/// The wait before a second look, and after the first failure.
const SECOND_LOOK: Duration = Duration::from_secs(2);
/// For how long the first status waits for the first look at HQ.
const FIRST_LOOK: Duration = Duration::from_secs(2);
/// How long a look may take.
pub(crate) const LOOK: Duration = Duration::from_mins(1);
/// Within this time everything is looked at after a start.
const SPREAD: Duration = Duration::from_mins(5);

/// What is known of each resource, and when to look again.
#[derive(Default)]
pub(crate) struct Schedule {
    entries: HashMap<Server, Entry>,
    due: BTreeMap<Due, Server>,
    /// Tells apart what is due at the same time.
    sequence: u64,
}

type Due = (Instant, u64);

struct Entry {
    plan: Arc<Plan>,
    since: Instant,
    /// The endpoint to look at: that of the plan once its pods serve, and until then that of the pods that serve still.
    endpoint: Option<Arc<Endpoint>>,
    findings: Findings,
    looked_at: Option<(Instant, Timestamp)>,
    due: Option<Due>,
    /// How many looks in a row have found something wrong.
    failures: u32,
    /// Whether a look at this very plan has found the endpoint well.
    verified: bool,
}

/// What was found, each with what it was found of: of anything else it says nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Findings {
    pub(crate) lenses: Option<(Arc<Lenses>, Finding)>,
    /// The version of the HQ in `lenses`.
    pub(crate) version: Option<String>,
    pub(crate) endpoint: Option<(Arc<Endpoint>, Finding, Option<Tools>)>,
}

/// A look that is due.
#[derive(Clone, Debug)]
pub(crate) struct Look {
    pub(crate) plan: Arc<Plan>,
    pub(crate) endpoint: Option<Arc<Endpoint>>,
}

impl Schedule {
    /// Sees to it that `plan` is looked at, and tells what is known of it. `recorded` is what the status said; `chance` is from 0
    /// to 1.
    pub(crate) fn want(
        &mut self,
        server: &Server,
        plan: Plan,
        recorded: Known,
        now: Instant,
        chance: f64,
    ) -> Known {
        let plan = Arc::new(plan);
        if let Some(entry) = self.entries.get_mut(server) {
            if entry.plan != plan {
                entry.endpoint = match plan.pods {
                    Pods::Settled => Some(Arc::clone(&plan.endpoint)),
                    Pods::Changing => entry.endpoint.take(),
                    Pods::None | Pods::NotAsked => None,
                };
                entry.plan = plan;
                entry.failures = 0;
                entry.verified = false;
                self.put(server, now);
            }
        } else {
            let entry = Entry::new(plan, recorded, now);
            let known = entry.findings.lenses.is_some()
                && entry.findings.endpoint.is_some() == entry.endpoint.is_some();
            let wait = if known {
                entry.plan.interval.min(SPREAD).mul_f64(chance)
            } else {
                Duration::ZERO
            };
            self.entries.insert(server.clone(), entry);
            self.put(server, now + wait);
        }
        self.known(server).unwrap_or_default()
    }

    /// What is known of what was wanted last.
    pub(crate) fn known(&self, server: &Server) -> Option<Known> {
        self.entries.get(server).map(Entry::known)
    }

    /// Whether a look at what was wanted last has found the endpoint well.
    pub(crate) fn is_verified(&self, server: &Server) -> bool {
        self.entries.get(server).is_some_and(|entry| entry.verified)
    }

    /// For how long a first finding of HQ may be waited for; `None` where there is one, or it takes too long.
    pub(crate) fn first_look(&self, server: &Server, now: Instant) -> Option<Duration> {
        let entry = self.entries.get(server).filter(|entry| entry.findings.lenses.is_none())?;
        (entry.since + FIRST_LOOK).checked_duration_since(now).filter(|wait| !wait.is_zero())
    }

    /// A resource is gone.
    pub(crate) fn forget(&mut self, server: &Server) {
        if let Some(due) = self.entries.remove(server).and_then(|entry| entry.due) {
            self.due.remove(&due);
        }
    }

    /// Forgets the resources that are not like this.
    pub(super) fn retain(&mut self, like: impl Fn(&Server) -> bool) {
        self.entries.retain(|server, _| like(server));
        self.due.retain(|_, server| like(server));
    }

    /// When the next look is due.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.due.first_key_value().map(|(due, _)| due.0)
    }

    /// Takes a look that is due; it ends with [`Self::record`], and is not due again before.
    pub(crate) fn take(&mut self, now: Instant) -> Option<(Server, Look)> {
        let first = self.due.first_entry().filter(|first| first.key().0 <= now)?;
        let server = first.remove();
        let entry = self.entries.get_mut(&server)?;
        entry.due = None;
        let look = Look { plan: Arc::clone(&entry.plan), endpoint: entry.endpoint.clone() };
        Some((server, look))
    }

    /// Takes in what a look found, and tells whether that is news.
    pub(crate) fn record(
        &mut self,
        server: &Server,
        look: &Look,
        findings: Findings,
        now: (Instant, Timestamp),
        chance: f64,
    ) -> bool {
        // What has changed in the meantime is due already.
        let Some(entry) =
            self.entries.get_mut(server).filter(|entry| Arc::ptr_eq(&entry.plan, &look.plan))
        else {
            return false;
        };
        entry.looked_at = Some(now);
        if findings.all_well() {
            entry.failures = 0;
        } else {
            entry.failures = entry.failures.saturating_add(1);
        }
        let wait = wait(entry.plan.interval, entry.failures, chance);
        let news = entry.failures != 1 && entry.findings != findings;
        let first_verified = !entry.verified && findings.endpoint_well();
        entry.verified |= first_verified;
        if news {
            entry.findings = findings;
        }
        self.put(server, now.0 + wait);
        news || first_verified
    }

    /// How long ago the endpoint was looked at that has waited longest.
    pub(crate) fn oldest(&self, now: Instant) -> Option<Duration> {
        let looks = self
            .entries
            .values()
            .filter(|entry| entry.endpoint.is_some())
            .filter_map(|entry| entry.looked_at);
        looks.map(|(at, _)| now.saturating_duration_since(at)).max()
    }

    fn put(&mut self, server: &Server, at: Instant) {
        let Some(entry) = self.entries.get_mut(server) else { return };
        self.sequence = self.sequence.wrapping_add(1);
        let due = (at, self.sequence);
        if let Some(before) = entry.due.replace(due) {
            self.due.remove(&before);
        }
        self.due.insert(due, server.clone());
    }
}

/// After a look that found `failures` in a row: less than the interval where there are any.
fn wait(interval: Duration, failures: u32, chance: f64) -> Duration {
    match failures.checked_sub(1) {
        None => interval.mul_f64(0.9 + 0.2 * chance),
        Some(before) => {
            let wait = SECOND_LOOK.saturating_mul(2_u32.saturating_pow(before)).min(interval);
            if before == 0 { wait } else { wait.mul_f64(0.5 + 0.5 * chance) }
        }
    }
}

impl Entry {
    fn new(plan: Arc<Plan>, recorded: Known, now: Instant) -> Self {
        let endpoint = match plan.pods {
            Pods::Settled => true,
            // What is known of it was known of pods that may serve still.
            Pods::Changing => recorded.endpoint.is_some(),
            Pods::None | Pods::NotAsked => false,
        };
        let findings = Findings {
            lenses: recorded.lenses.map(|finding| (Arc::clone(&plan.lenses), finding)),
            version: recorded.version,
            endpoint: recorded
                .endpoint
                .filter(|_| endpoint)
                .map(|finding| (Arc::clone(&plan.endpoint), finding, recorded.tools)),
        };
        let failures = u32::from(!findings.all_well());
        let verified = findings.endpoint_well();
        let looked_at = recorded.at.map(|at| (now, at));
        let endpoint = endpoint.then(|| Arc::clone(&plan.endpoint));
        Self { plan, since: now, endpoint, findings, looked_at, due: None, failures, verified }
    }

    fn known(&self) -> Known {
        let undecided = |reason, message: &str| Finding::undecided(reason, message);
        let (lenses, version) = match &self.findings.lenses {
            Some((of, finding)) if *of == self.plan.lenses => {
                (finding.clone(), self.findings.version.clone())
            }
            _ => (undecided(Reason::Verifying, "Lenses HQ is being looked at"), None),
        };
        let (endpoint, tools) = match (&self.findings.endpoint, self.plan.pods) {
            (_, Pods::NotAsked) => (None, None),
            (_, Pods::None) => {
                (Some(undecided(Reason::NoPodServes, "no pod serves; see Available")), None)
            }
            (Some((of, finding, tools)), _) if *of == self.plan.endpoint => {
                (Some(finding.clone()), tools.clone())
            }
            (_, Pods::Settled) => {
                (Some(undecided(Reason::Verifying, "the endpoint is being looked at")), None)
            }
            (_, Pods::Changing) => (
                Some(undecided(
                    Reason::Verifying,
                    "the endpoint is looked at once all pods are as the spec asks",
                )),
                None,
            ),
        };
        Known {
            lenses: Some(lenses),
            version,
            endpoint,
            tools,
            at: self.looked_at.map(|(_, at)| at),
        }
    }
}

impl Findings {
    fn endpoint_well(&self) -> bool {
        let of_endpoint = self.endpoint.as_ref();
        of_endpoint
            .is_some_and(|(_, finding, _)| finding.holds || finding.reason == Reason::ToolsChanged)
    }

    fn all_well(&self) -> bool {
        let lenses = self.lenses.as_ref().map(|(_, finding)| finding);
        let endpoint = self.endpoint.as_ref().map(|(_, finding, _)| finding);
        lenses.into_iter().chain(endpoint).all(|finding| finding.holds)
    }
}

#[cfg(test)]
mod tests;
