//! What is counted of calls to Lenses HQ.

use std::time::Duration;

use opentelemetry::TraceId;
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family},
    registry::{Registry, Unit},
};

use crate::instruments::{Trace, TracedHistograms, label_values, traced_latency};

label_values! {
    /// How a call to Lenses HQ ended.
    LensesOutcome {
        /// A 2xx reply that could be read.
        Success = "success",
        /// 401: HQ does not take the credential.
        Unauthorized = "unauthorized",
        /// 403: the user has no right to it.
        Forbidden = "forbidden",
        /// Any other 4xx.
        Rejected = "rejected",
        /// 5xx.
        ServerError = "server_error",
        /// No connection, or it broke.
        Unreachable = "unreachable",
        /// No reply in time.
        TimedOut = "timed_out",
        /// A reply that could not be read, or was over the size limit.
        Unreadable = "unreadable",
        /// The caller went away first.
        Cancelled = "cancelled",
    }
}

impl LensesOutcome {
    /// The outcome if the call failed.
    #[must_use]
    pub fn failure(self) -> Option<&'static str> {
        (self != Self::Success).then(|| self.as_str())
    }
}

/// Calls to Lenses HQ.
#[derive(Debug)]
pub struct LensesMetrics {
    lenses_calls: Family<LensesLabels, Counter>,
    lenses_seconds: TracedHistograms<OperationLabel>,
}

impl LensesMetrics {
    /// All at zero, registered in `registry`.
    #[must_use]
    pub fn new(registry: &mut Registry) -> Self {
        let metrics = Self {
            lenses_calls: Family::default(),
            lenses_seconds: Family::new_with_constructor(traced_latency),
        };
        registry.register(
            "lenses_calls",
            "Calls to Lenses HQ, by operation and outcome",
            metrics.lenses_calls.clone(),
        );
        registry.register_with_unit(
            "lenses_call_duration",
            "Time that a call to Lenses HQ took, by operation",
            Unit::Seconds,
            metrics.lenses_seconds.clone(),
        );
        metrics
    }

    /// A call to Lenses HQ ended. `operation` is the client's method, not the path; `trace` is the
    /// one that the call is in, if that is sampled.
    pub fn lenses_called(
        &self,
        operation: &'static str,
        outcome: LensesOutcome,
        elapsed: Duration,
        trace: Option<TraceId>,
    ) {
        self.lenses_calls.get_or_create(&LensesLabels { operation, outcome }).inc();
        self.lenses_seconds.get_or_create(&OperationLabel { operation }).observe(
            elapsed.as_secs_f64(),
            trace.map(Trace),
            None,
        );
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct LensesLabels {
    operation: &'static str,
    outcome: LensesOutcome,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OperationLabel {
    operation: &'static str,
}
