//! What is counted of sign-in.

use std::time::Duration;

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, histogram::Histogram},
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
        /// The token is good but lacks a scope that the call needs.
        InsufficientScope = "insufficient_scope",
        /// HQ could not be asked.
        Unavailable = "unavailable",
        /// The access token is longer than 16 KiB.
        TokenTooLong = "token_too_long",
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
            "Requests to the introspection endpoint of Lenses HQ, by outcome; refused: HQ does not let this server \
             introspect, set unauthenticatedIntrospection: true in HQ or give this server client credentials",
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
            "Tokens that were decided without a request of their own to Lenses HQ, by where the answer came from",
            metrics.introspections_spared.clone(),
        );
        metrics
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
