//! What the server counts. Every label has few values, fixed in the code: nothing that a caller sends becomes a label.

mod labels;

use std::{
    sync::atomic::AtomicU64,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{
        counter::Counter,
        family::Family,
        gauge::Gauge,
        histogram::{Histogram, exponential_buckets},
        info::Info,
    },
    registry::{Registry, Unit},
};

pub use self::labels::{
    CacheHit, Introspection, LensesOutcome, Outcome, Reload, Route, SignIn, TlsFiles,
};
use crate::completion::Source;

/// All of the server's metrics. Made once, shared by reference.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    requests: Family<RequestLabels, Counter>,
    request_seconds: Histograms<RouteLabel>,
    in_flight: Gauge,
    sign_ins: Family<SignInLabel, Counter>,
    introspections: Family<IntrospectionLabel, Counter>,
    introspection_seconds: Histogram,
    introspections_spared: Family<CacheHitLabel, Counter>,
    calls_rate_limited: Counter,
    tool_calls: Family<ToolLabels, Counter>,
    tool_seconds: Histograms<ToolLabel>,
    prompts_asked: Family<PromptLabels, Counter>,
    resource_reads: Family<ResourceLabels, Counter>,
    completions: Family<CompletionLabels, Counter>,
    lenses_calls: Family<LensesLabels, Counter>,
    lenses_seconds: Histograms<OperationLabel>,
    tls_reloads: Family<TlsReloadLabels, Counter>,
}

impl Metrics {
    /// All metrics at zero, registered under the prefix `lenses_mcp_`.
    #[must_use]
    pub fn new() -> Self {
        let metrics = Self {
            registry: Registry::with_prefix("lenses_mcp"),
            requests: Family::default(),
            request_seconds: Family::new_with_constructor(latency),
            in_flight: Gauge::default(),
            sign_ins: Family::default(),
            introspections: Family::default(),
            introspection_seconds: latency(),
            introspections_spared: Family::default(),
            calls_rate_limited: Counter::default(),
            tool_calls: Family::default(),
            tool_seconds: Family::new_with_constructor(latency),
            prompts_asked: Family::default(),
            resource_reads: Family::default(),
            completions: Family::default(),
            lenses_calls: Family::default(),
            lenses_seconds: Family::new_with_constructor(latency),
            tls_reloads: Family::default(),
        };
        // Counters that alerts watch are there from the start: a rate needs a zero to rise from.
        for &outcome in SignIn::ALL {
            metrics.sign_ins.get_or_create(&SignInLabel { outcome }).inc_by(0);
        }
        for &outcome in Introspection::ALL {
            metrics.introspections.get_or_create(&IntrospectionLabel { outcome }).inc_by(0);
        }
        for &files in TlsFiles::ALL {
            for &outcome in Reload::ALL {
                metrics.tls_reloads.get_or_create(&TlsReloadLabels { files, outcome }).inc_by(0);
            }
        }
        metrics.registered()
    }

    fn registered(mut self) -> Self {
        let registry = &mut self.registry;
        registry.register(
            "build",
            "Version of the server",
            Info::new(vec![("version", env!("CARGO_PKG_VERSION"))]),
        );
        let started = Gauge::<f64, AtomicU64>::default();
        started.set(
            SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64()),
        );
        registry.register_with_unit(
            "start_time",
            "When the process started, since 1970",
            Unit::Seconds,
            started,
        );

        registry.register(
            "http_requests",
            "HTTP requests answered, by route and status",
            self.requests.clone(),
        );
        registry.register_with_unit(
            "http_request_duration",
            "Time until an HTTP response's head was ready, by route",
            Unit::Seconds,
            self.request_seconds.clone(),
        );
        registry.register(
            "http_requests_in_flight",
            "HTTP requests being answered now",
            self.in_flight.clone(),
        );
        registry.register(
            "sign_ins",
            "Requests to the MCP endpoint, by what sign-in decided",
            self.sign_ins.clone(),
        );
        registry.register(
            "introspections",
            "Requests to the introspection endpoint of Lenses HQ, by outcome; refused: HQ does not let this server \
             introspect, set unauthenticatedIntrospection: true in HQ or give this server client credentials",
            self.introspections.clone(),
        );
        registry.register_with_unit(
            "introspection_duration",
            "Time that the introspection endpoint took",
            Unit::Seconds,
            self.introspection_seconds.clone(),
        );
        registry.register(
            "introspections_spared",
            "Tokens that were decided without a request of their own to Lenses HQ, by where the answer came from",
            self.introspections_spared.clone(),
        );
        registry.register(
            "calls_rate_limited",
            "Calls that were refused because their user had made too many (MCP_CALLS_PER_MINUTE_PER_USER)",
            self.calls_rate_limited.clone(),
        );
        registry.register("tool_calls", "Tool calls, by tool and outcome", self.tool_calls.clone());
        registry.register_with_unit(
            "tool_call_duration",
            "Time that a tool call took, by tool",
            Unit::Seconds,
            self.tool_seconds.clone(),
        );
        registry.register(
            "prompts_asked",
            "Prompts asked for, by prompt and outcome",
            self.prompts_asked.clone(),
        );
        registry.register(
            "resource_reads",
            "Resources read, by kind and outcome",
            self.resource_reads.clone(),
        );
        registry.register(
            "completions",
            "Completions of arguments, by the tool that shows the same names and by outcome",
            self.completions.clone(),
        );
        registry.register(
            "lenses_calls",
            "Calls to Lenses HQ, by operation and outcome",
            self.lenses_calls.clone(),
        );
        registry.register_with_unit(
            "lenses_call_duration",
            "Time that a call to Lenses HQ took, by operation",
            Unit::Seconds,
            self.lenses_seconds.clone(),
        );
        registry.register(
            "tls_reloads",
            "Changes of TLS files, by outcome; failure: what was there before stays in use, and the log says why",
            self.tls_reloads.clone(),
        );
        self
    }

    /// The registry, for the exposition.
    #[must_use]
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// Counts a request as being answered until the guard is dropped.
    #[must_use]
    pub fn request_started(&self) -> InFlight {
        self.in_flight.inc();
        InFlight(self.in_flight.clone())
    }

    /// A request was answered; `elapsed` is the time until the response's head.
    pub fn request_answered(&self, route: Route, status: u16, elapsed: Duration) {
        self.requests.get_or_create(&RequestLabels { route, status }).inc();
        self.request_seconds.get_or_create(&RouteLabel { route }).observe(elapsed.as_secs_f64());
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

    /// A call was refused because its user had made too many.
    pub fn call_rate_limited(&self) {
        self.calls_rate_limited.inc();
    }

    /// A tool call ended. `tool` must be the name of a tool that exists, so that the label stays bounded.
    pub fn tool_called(&self, tool: &'static str, outcome: Outcome, elapsed: Duration) {
        self.tool_calls.get_or_create(&ToolLabels { tool, outcome }).inc();
        self.tool_seconds.get_or_create(&ToolLabel { tool }).observe(elapsed.as_secs_f64());
    }

    /// A prompt was asked for, one that exists.
    pub fn prompt_asked(&self, prompt: &'static str, outcome: Outcome) {
        self.prompts_asked.get_or_create(&PromptLabels { prompt, outcome }).inc();
    }

    /// A resource was read; `resource` is its kind and not its URI.
    pub fn resource_read(&self, resource: &'static str, outcome: Outcome) {
        self.resource_reads.get_or_create(&ResourceLabels { resource, outcome }).inc();
    }

    /// An argument was completed from `source`.
    pub fn completed(&self, source: Source, outcome: Outcome) {
        self.completions.get_or_create(&CompletionLabels { source: source.tool(), outcome }).inc();
    }

    /// A call to Lenses HQ ended. `operation` is the client's method, not the path.
    pub fn lenses_called(
        &self,
        operation: &'static str,
        outcome: LensesOutcome,
        elapsed: Duration,
    ) {
        self.lenses_calls.get_or_create(&LensesLabels { operation, outcome }).inc();
        self.lenses_seconds
            .get_or_create(&OperationLabel { operation })
            .observe(elapsed.as_secs_f64());
    }

    /// TLS files changed.
    pub fn tls_reloaded(&self, files: TlsFiles, outcome: Reload) {
        self.tls_reloads.get_or_create(&TlsReloadLabels { files, outcome }).inc();
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

/// Keeps one request counted as in flight.
#[derive(Debug)]
pub struct InFlight(Gauge);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.dec();
    }
}

type Histograms<Labels> = Family<Labels, Histogram, fn() -> Histogram>;

/// 1 ms to 32 s, doubling.
fn latency() -> Histogram {
    Histogram::new(exponential_buckets(0.001, 2.0, 16))
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    route: Route,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RouteLabel {
    route: Route,
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

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ToolLabels {
    tool: &'static str,
    outcome: Outcome,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ToolLabel {
    tool: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct PromptLabels {
    prompt: &'static str,
    outcome: Outcome,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ResourceLabels {
    resource: &'static str,
    outcome: Outcome,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CompletionLabels {
    source: &'static str,
    outcome: Outcome,
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

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct TlsReloadLabels {
    files: TlsFiles,
    outcome: Reload,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exposition(metrics: &Metrics) -> String {
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, metrics.registry()).unwrap();
        text
    }

    #[test]
    fn each_event_is_counted_under_its_labels() {
        let metrics = Metrics::new();
        metrics.request_answered(Route::Mcp, 401, Duration::from_millis(3));
        metrics.signed_in(SignIn::Missing);
        metrics.introspected(Introspection::Refused, Duration::from_millis(1));
        metrics.introspection_cache_hit(CacheHit::Shared);
        metrics.tool_called("list_topics", Outcome::Denied, Duration::from_secs(1));
        metrics.lenses_called("list_topics", LensesOutcome::Forbidden, Duration::from_secs(1));
        let text = exposition(&metrics);
        for line in [
            r#"lenses_mcp_http_requests_total{route="mcp",status="401"} 1"#,
            r#"lenses_mcp_http_request_duration_seconds_bucket{le="0.004",route="mcp"} 1"#,
            r#"lenses_mcp_sign_ins_total{outcome="missing"} 1"#,
            r#"lenses_mcp_introspections_total{outcome="refused"} 1"#,
            r#"lenses_mcp_introspections_spared_total{by="shared"} 1"#,
            r#"lenses_mcp_tool_calls_total{tool="list_topics",outcome="denied"} 1"#,
            r#"lenses_mcp_lenses_calls_total{operation="list_topics",outcome="forbidden"} 1"#,
        ] {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
    }

    #[test]
    fn the_help_of_introspections_names_the_setting_of_hq_to_change() {
        assert!(exposition(&Metrics::new()).contains("unauthenticatedIntrospection: true"));
    }

    #[test]
    fn a_request_is_in_flight_until_its_guard_is_dropped() {
        let metrics = Metrics::new();
        let guard = metrics.request_started();
        assert!(exposition(&metrics).contains("lenses_mcp_http_requests_in_flight 1"));
        drop(guard);
        assert!(exposition(&metrics).contains("lenses_mcp_http_requests_in_flight 0"));
    }
}
