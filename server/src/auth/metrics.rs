//! What is counted of sign-in.

use std::{num::NonZeroU32, time::Duration};

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::{Registry, Unit},
};

use crate::instruments::{label_values, latency};

label_values! {
    /// What sign-in decided.
    SignIn {
        /// The caller is known and may go on.
        Accepted = "accepted",
        /// The request held no credential.
        Missing = "missing",
        /// The `Authorization` header could not be read as `Bearer` and one token.
        Malformed = "malformed",
        /// The credential is unknown, expired, revoked, or meant for another server.
        Invalid = "invalid",
        /// The token is good, but its application may not call here.
        ClientNotAllowed = "client_not_allowed",
        /// The token is good but lacks a scope that the call needs.
        InsufficientScope = "insufficient_scope",
        /// HQ could not be asked.
        Unavailable = "unavailable",
        /// The access token is longer than 16 KiB.
        TokenTooLong = "token_too_long",
        /// Too many tokens of the client's address were refused in a minute.
        TooManyFailures = "too_many_failures",
        /// Too many tokens of the client's address were being checked.
        AddressBusy = "address_busy",
    }
}

label_values! {
    /// How a request to the introspection endpoint ended.
    Introspection {
        /// The token is active.
        Active = "active",
        /// The token is not active.
        Inactive = "inactive",
        /// 401 or 403: HQ refuses to introspect.
        Refused = "refused",
        /// Another status than 200.
        Error = "error",
        /// 200 with a body that is no introspection reply.
        Unreadable = "unreadable",
        /// No connection, or it broke.
        Unreachable = "unreachable",
        /// No reply in time.
        TimedOut = "timed_out",
    }
}

label_values! {
    /// Where the answer about a token came from, when HQ was not asked for this request.
    CacheHit {
        /// The cache of active tokens.
        Cached = "cached",
        /// The short memory of refused tokens.
        RecentlyRefused = "recently_refused",
        /// An introspection of the same token that was already under way.
        Shared = "shared",
    }
}

/// Sign-in, and questions to HQ about tokens.
#[derive(Debug)]
pub struct AuthMetrics {
    sign_ins: Family<SignInLabel, Counter>,
    introspections: Family<IntrospectionLabel, Counter>,
    introspection_seconds: Histogram,
    introspections_spared: Family<CacheHitLabel, Counter>,
    introspections_in_flight: Gauge,
    introspections_limit: Gauge,
    introspections_per_address_limit: Gauge,
    failed_sign_ins_limit: Gauge,
}

/// An introspection that is counted as in flight until this is dropped.
#[derive(Debug)]
pub(super) struct InFlight<'a>(&'a Gauge);

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.dec();
    }
}

impl AuthMetrics {
    /// All at zero, registered in `registry`.
    #[must_use]
    pub fn new(registry: &mut Registry) -> Self {
        let metrics = Self {
            sign_ins: Family::default(),
            introspections: Family::default(),
            introspection_seconds: latency(),
            introspections_spared: Family::default(),
            introspections_in_flight: Gauge::default(),
            introspections_limit: Gauge::default(),
            introspections_per_address_limit: Gauge::default(),
            failed_sign_ins_limit: Gauge::default(),
        };
        // Counters that alerts watch are there from the start: a rate needs a zero to rise from.
        for &outcome in SignIn::ALL {
            metrics.sign_ins.get_or_create(&SignInLabel { outcome }).inc_by(0);
        }
        for &outcome in Introspection::ALL {
            metrics.introspections.get_or_create(&IntrospectionLabel { outcome }).inc_by(0);
        }
        registry.register(
            "sign_ins",
            "Requests to the MCP endpoint, by what sign-in decided",
            metrics.sign_ins.clone(),
        );
        registry.register(
            "introspections",
            "Requests to the introspection endpoint of Lenses HQ, by outcome; refused: HQ does not \
             let this server introspect, set unauthenticatedIntrospection: true in HQ or give this \
             server client credentials",
            metrics.introspections.clone(),
        );
        registry.register_with_unit(
            "introspection_duration",
            "Time that the introspection endpoint took",
            Unit::Seconds,
            metrics.introspection_seconds.clone(),
        );
        registry.register(
            "introspections_spared",
            "Tokens that were decided without a request of their own to Lenses HQ, by where the \
             answer came from",
            metrics.introspections_spared.clone(),
        );
        metrics.register_limits(registry);
        metrics
    }

    fn register_limits(&self, registry: &mut Registry) {
        for (name, help, gauge) in [
            (
                "introspections_in_flight",
                "Tokens that Lenses HQ is asked about now",
                &self.introspections_in_flight,
            ),
            (
                "introspections_limit",
                "Tokens that Lenses HQ may be asked about at a time (MCP_MAX_CONCURRENT_REQUESTS)",
                &self.introspections_limit,
            ),
            (
                "introspections_per_address_limit",
                "Those of one client address (MCP_CONCURRENT_INTROSPECTIONS_PER_ADDRESS); beyond \
                 it sign_ins has address_busy",
                &self.introspections_per_address_limit,
            ),
            (
                "failed_sign_ins_per_minute_limit",
                "Tokens of one client address that may be refused a minute \
                 (MCP_FAILED_SIGN_INS_PER_MINUTE), 0: any number; beyond it sign_ins has \
                 too_many_failures",
                &self.failed_sign_ins_limit,
            ),
        ] {
            registry.register(name, help, gauge.clone());
        }
    }

    /// What bounds introspections: in total, of one address, and failed ones a minute.
    pub(super) fn limited(
        &self,
        concurrent: usize,
        per_address: usize,
        failed_per_minute: Option<NonZeroU32>,
    ) {
        let gauge = |value: usize| i64::try_from(value).unwrap_or(i64::MAX);
        self.introspections_limit.set(gauge(concurrent));
        self.introspections_per_address_limit.set(gauge(per_address));
        self.failed_sign_ins_limit.set(failed_per_minute.map_or(0, |limit| limit.get().into()));
    }

    /// An introspection begins.
    pub(super) fn introspection_in_flight(&self) -> InFlight<'_> {
        self.introspections_in_flight.inc();
        InFlight(&self.introspections_in_flight)
    }

    /// Sign-in decided on a request.
    pub fn signed_in(&self, outcome: SignIn) {
        self.sign_ins.get_or_create(&SignInLabel { outcome }).inc();
    }

    /// The introspection endpoint was asked.
    pub fn introspected(&self, outcome: Introspection, elapsed: Duration) {
        self.introspections.get_or_create(&IntrospectionLabel { outcome }).inc();
        self.introspection_seconds.observe(elapsed.as_secs_f64());
    }

    /// A token was decided without asking the introspection endpoint again.
    pub fn introspection_cache_hit(&self, by: CacheHit) {
        self.introspections_spared.get_or_create(&CacheHitLabel { by }).inc();
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct SignInLabel {
    outcome: SignIn,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct IntrospectionLabel {
    outcome: Introspection,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CacheHitLabel {
    by: CacheHit,
}
