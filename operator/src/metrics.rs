//! What the operator counts, in Prometheus' text format. Every label has few values, fixed in the
//! code.

use std::{collections::BTreeMap, sync::atomic::AtomicU64, time::Duration};

use lenses_mcp_process_metrics::Process;
use prometheus_client::{
    encoding::{EncodeLabelSet, text},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram, info::Info},
    registry::Registry,
};

const PREFIX: &str = "lenses_mcp_operator";

/// The operator's counters.
pub struct Metrics {
    process: Registry,
    registry: Registry,
    reconciles: Family<ReconcileLabels, Counter>,
    errors: Family<ErrorLabels, Counter>,
    duration: Histogram,
    requests: Family<RequestLabels, Counter>,
    checks: Family<KindLabels, Counter>,
    missed: Family<KindLabels, Counter>,
}

/// How a reconcile of one resource ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// Nothing is left to do until something changes.
    Settled,
    /// Something that cannot be watched has to change; it will be looked at again.
    Waiting,
    /// The API server refused or did not answer; it will be tried again.
    Failed,
}

/// What is found out when it is asked for.
#[derive(Default)]
pub struct Gauges {
    /// Whether this process holds the Lease and works.
    pub leader: bool,
    /// How many resources were woken and wait for their reconcile to begin.
    pub queued: usize,
    /// How many resources have each condition with each status.
    pub conditions: BTreeMap<ConditionLabels, i64>,
    /// How long ago the endpoint was looked at that has waited longest, if there is one to look at.
    pub oldest_verification: Option<Duration>,
    /// How many servers wait for their turn in an upgrade.
    pub upgrades_waiting: usize,
    /// How many have been given it and do not serve yet.
    pub upgrades_under_way: usize,
    /// How many namespaces are to be watched and cannot be.
    pub refused_namespaces: usize,
}

/// A condition and the status that it has.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, EncodeLabelSet)]
pub struct ConditionLabels {
    /// The condition's type.
    pub condition: &'static str,
    /// `True`, `False` or `Unknown`.
    pub status: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReconcileLabels {
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ErrorLabels {
    reason: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct UpgradeLabels {
    state: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    verb: &'static str,
    code: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct KindLabels {
    kind: String,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut process = Registry::default();
        process.register_collector(Box::new(Process::start()));
        let mut registry = Registry::with_prefix(PREFIX);
        registry.register(
            "build",
            "Version of the operator",
            Info::new(vec![("version", env!("CARGO_PKG_VERSION"))]),
        );
        let (reconciles, errors, requests) =
            (Family::default(), Family::default(), Family::default());
        let duration = Histogram::new([0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10.0, 60.0]);
        registry.register("reconciles", "Reconciles of a resource, by outcome", reconciles.clone());
        registry.register("reconcile_errors", "Reconciles that failed, by reason", errors.clone());
        registry.register(
            "reconcile_duration_seconds",
            "How long a reconcile took",
            duration.clone(),
        );
        registry.register(
            "api_requests",
            "Requests to the API server, by verb and by the status code of the response (error: \
             there was none)",
            requests.clone(),
        );
        let checks = Family::default();
        let help = "Comparisons of a cache with the API server, by kind: the hourly check";
        registry.register("cache_checks", help, checks.clone());
        let missed = Family::default();
        let help = "Objects that a watch missed and only the hourly check found, by kind";
        registry.register("missed_changes", help, missed.clone());
        Self { process, registry, reconciles, errors, duration, requests, checks, missed }
    }
}

impl Metrics {
    /// A reconcile ended after so many seconds.
    pub fn reconciled(&self, outcome: Outcome, seconds: f64) {
        let outcome = match outcome {
            Outcome::Settled => "settled",
            Outcome::Waiting => "waiting",
            Outcome::Failed => "failed",
        };
        self.reconciles.get_or_create(&ReconcileLabels { outcome }).inc();
        self.duration.observe(seconds);
    }

    /// A reconcile failed, for one of the error enums' reasons.
    pub fn failed(&self, reason: &'static str) {
        self.errors.get_or_create(&ErrorLabels { reason }).inc();
    }

    /// A request to the API server has ended, with a response of this status code or without one.
    pub fn requested(&self, verb: &'static str, code: Option<u16>) {
        let code = code.map_or_else(|| "error".to_owned(), |code| code.to_string());
        self.requests.get_or_create(&RequestLabels { verb, code }).inc();
    }

    /// A kind is checked from now on. A rate needs a zero to rise from.
    pub fn checks(&self, kind: &str) {
        let labels = KindLabels { kind: kind.to_owned() };
        self.checks.get_or_create(&labels).inc_by(0);
        self.missed.get_or_create(&labels).inc_by(0);
    }

    /// The hourly check of a kind ended, and found so many objects of which the watch had missed a
    /// change.
    pub fn checked(&self, kind: &str, missed: usize) {
        let labels = KindLabels { kind: kind.to_owned() };
        self.checks.get_or_create(&labels).inc();
        self.missed.get_or_create(&labels).inc_by(u64::try_from(missed).unwrap_or(u64::MAX));
    }

    /// Everything in text, with what is found out when it is asked for.
    ///
    /// # Errors
    /// Never in practice: writing to a string does not fail.
    pub fn encode(&self, gauges: &Gauges) -> Result<String, std::fmt::Error> {
        let resources = Family::<ConditionLabels, Gauge>::default();
        for (labels, count) in &gauges.conditions {
            resources.get_or_create(labels).set(*count);
        }
        let mut now = Registry::with_prefix(PREFIX);
        let gauge = |value: usize| {
            let gauge = Gauge::<i64>::default();
            gauge.set(i64::try_from(value).unwrap_or(i64::MAX));
            gauge
        };
        now.register(
            "leader",
            "1 if this process holds the Lease and works, 0 if it is a standby",
            gauge(usize::from(gauges.leader)),
        );
        now.register(
            "queue_depth",
            "Resources that were woken and wait for their reconcile to begin",
            gauge(gauges.queued),
        );
        now.register(
            "resources",
            "LensesMcpServer resources, by condition and its status",
            resources,
        );
        if let Some(age) = gauges.oldest_verification {
            let oldest = Gauge::<f64, AtomicU64>::default();
            oldest.set(age.as_secs_f64());
            let help = "Age of the oldest verification across all servers, in seconds";
            now.register("verification_age_seconds", help, oldest);
        }
        let upgrades = Family::<UpgradeLabels, Gauge>::default();
        for (state, count) in
            [("waiting", gauges.upgrades_waiting), ("under_way", gauges.upgrades_under_way)]
        {
            upgrades
                .get_or_create(&UpgradeLabels { state })
                .set(i64::try_from(count).unwrap_or(i64::MAX));
        }
        now.register(
            "upgrades",
            "Servers in an upgrade, by state: waiting for their turn, or under way",
            upgrades,
        );
        let help = "Namespaces in WATCH_NAMESPACES that are missing, or that may not be listed";
        now.register("refused_namespaces", help, gauge(gauges.refused_namespaces));
        let mut out = String::new();
        text::encode_registry(&mut out, &self.process)?;
        text::encode_registry(&mut out, &self.registry)?;
        text::encode_registry(&mut out, &now)?;
        text::encode_eof(&mut out)?;
        Ok(out)
    }
}
