//! What is counted of the bounds on requests.

use std::num::NonZeroU32;

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::Registry,
};

use crate::instruments::label_values;

label_values! {
    /// A bound on requests.
    Bound {
        /// Requests and streams at a time (`MCP_MAX_CONCURRENT_REQUESTS`).
        Requests = "requests",
        /// Those of one user (`MCP_CONCURRENT_REQUESTS_PER_USER`).
        RequestsPerUser = "requests_per_user",
        /// Bytes of bodies, of HQ's replies and of answers in memory (`MCP_MEMORY_BUDGET_BYTES`).
        MemoryBytes = "memory_bytes",
        /// Bytes of one body (`MCP_MAX_BODY_BYTES`).
        BodyBytes = "body_bytes",
        /// Time of one body (`MCP_BODY_TIMEOUT`).
        BodyTime = "body_time",
    }
}

/// The metrics of all bounds.
#[derive(Debug, Clone, Default)]
pub struct LimitMetrics {
    in_flight: Family<BoundLabel, Gauge>,
    limit: Family<BoundLabel, Gauge>,
    calls_per_minute: Gauge,
    refused: Family<BoundLabel, Counter>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct BoundLabel {
    bound: Bound,
}

impl LimitMetrics {
    /// All at zero, in `registry`.
    #[must_use]
    pub fn new(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        registry.register(
            "limit_in_flight",
            "What counts against a bound on all requests now, by bound",
            metrics.in_flight.clone(),
        );
        registry.register(
            "limit",
            "What a bound allows, by bound: at a time, the bytes of one body, or the seconds of \
             one body",
            metrics.limit.clone(),
        );
        registry.register(
            "calls_per_minute_per_user_limit",
            "Calls that one user may make a minute, 0 for any number \
             (MCP_CALLS_PER_MINUTE_PER_USER)",
            metrics.calls_per_minute.clone(),
        );
        registry.register(
            "limit_exceeded",
            "Requests that a bound refused, by bound",
            metrics.refused.clone(),
        );
        for &bound in Bound::ALL {
            // A rate needs a zero to rise from.
            metrics.refused.get_or_create(&BoundLabel { bound }).inc_by(0);
        }
        metrics
    }

    /// What counts against `bound` now, which allows `limit`.
    pub(super) fn in_flight(&self, bound: Bound, limit: usize) -> Gauge {
        self.allows(bound, limit);
        self.in_flight.get_or_create_owned(&BoundLabel { bound })
    }

    /// `bound` allows `limit`.
    pub fn allows(&self, bound: Bound, limit: usize) {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.limit.get_or_create(&BoundLabel { bound }).set(limit);
    }

    /// One user may make this many calls a minute; without a limit, any number.
    pub fn allows_calls_per_minute(&self, limit: Option<NonZeroU32>) {
        self.calls_per_minute.set(limit.map_or(0, NonZeroU32::get).into());
    }

    /// `bound` refused a request.
    pub(super) fn refused(&self, bound: Bound) {
        self.refused.get_or_create(&BoundLabel { bound }).inc();
    }
}
