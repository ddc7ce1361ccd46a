//! What the operator counts, in Prometheus' text format. Every label has few values, fixed in the code.

use std::{collections::BTreeMap, sync::atomic::AtomicU64, time::Duration};

use prometheus_client::{
    encoding::{EncodeLabelSet, EncodeLabelValue, text},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};

const PREFIX: &str = "lenses_mcp_operator";

/// The operator's counters.
pub struct Metrics {
    registry: Registry,
    reconciles: Family<ReconcileLabels, Counter>,
    errors: Family<ErrorLabels, Counter>,
    duration: Histogram,
    requests: Family<RequestLabels, Counter>,
    missed: Family<KindLabels, Counter>,
}

/// How a reconcile over one resource ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelValue)]
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
    /// How many resources have each condition with each status.
    pub conditions: BTreeMap<ConditionLabels, i64>,
    /// How long ago the endpoint was looked at that has waited longest, if there is one to look at.
    pub oldest_verification: Option<Duration>,
    /// How many servers wait for their turn to be given a new default image.
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
    outcome: Outcome,
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
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct KindLabels {
    kind: String,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix(PREFIX);
        let (reconciles, errors, requests) =
            (Family::default(), Family::default(), Family::default());
        let duration = Histogram::new([0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10.0, 60.0]);
        registry.register(
            "reconciles",
            "Reconciles over a resource, by how they ended",
            reconciles.clone(),
        );
        registry.register("reconcile_errors", "Reconciles that failed, by reason", errors.clone());
        registry.register(
            "reconcile_duration_seconds",
            "How long a reconcile took",
            duration.clone(),
        );
        registry.register("api_requests", "Requests to the API server, by verb", requests.clone());
        let missed = Family::default();
        let help = "Objects that a watch missed and only the hourly check found, by kind";
        registry.register("missed_changes", help, missed.clone());
        Self { registry, reconciles, errors, duration, requests, missed }
    }
}

impl Metrics {
    /// A reconcile ended after so many seconds.
    pub fn reconciled(&self, outcome: Outcome, seconds: f64) {
        self.reconciles.get_or_create(&ReconcileLabels { outcome }).inc();
        self.duration.observe(seconds);
    }

    /// A reconcile failed, for one of the error enums' reasons.
    pub fn failed(&self, reason: &'static str) {
        self.errors.get_or_create(&ErrorLabels { reason }).inc();
    }

    /// A request goes to the API server.
    pub fn requested(&self, method: &axum::http::Method, uri: &axum::http::Uri) {
        let watches =
            uri.query().is_some_and(|query| query.split('&').any(|pair| pair == "watch=true"));
        let verb = match method.as_str() {
            "GET" if watches => "watch",
            "GET" => "get",
            "POST" => "create",
            "PATCH" => "patch",
            "PUT" => "update",
            _ => "other",
        };
        self.requests.get_or_create(&RequestLabels { verb }).inc();
    }

    /// The hourly check found so many objects of a kind of which the watch had missed a change.
    pub fn missed(&self, kind: &str, count: usize) {
        let count = u64::try_from(count).unwrap_or(u64::MAX);
        self.missed.get_or_create(&KindLabels { kind: kind.to_owned() }).inc_by(count);
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
        now.register(
            "resources",
            "LensesMcpServer resources, by condition and its status",
            resources,
        );
        if let Some(age) = gauges.oldest_verification {
            let oldest = Gauge::<f64, AtomicU64>::default();
            oldest.set(age.as_secs_f64());
            let help = "How long ago the endpoint was looked at that has waited longest";
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
        now.register("upgrades", "Servers on the way to a new default image, by state", upgrades);
        let refused = Gauge::<i64>::default();
        refused.set(i64::try_from(gauges.refused_namespaces).unwrap_or(i64::MAX));
        let help = "Namespaces in WATCH_NAMESPACES that are missing, or that may not be listed";
        now.register("refused_namespaces", help, refused);
        let mut out = String::new();
        text::encode_registry(&mut out, &self.registry)?;
        text::encode_registry(&mut out, &now)?;
        text::encode_eof(&mut out)?;
        Ok(out)
    }
}
