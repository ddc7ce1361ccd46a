//! What the server counts. Every label has few values, fixed in the code: nothing that a caller
//! sends becomes a label.
//!
//! Each module has its own metrics and knows no others. Here they are brought together for the
//! exposition.

use std::sync::Arc;

use lenses_mcp_process_metrics::Process;
use prometheus_client::{
    metrics::{counter::Counter, info::Info},
    registry::Registry,
};

use crate::{
    access_log::HttpMetrics, auth::AuthMetrics, connections::metrics::ConnectionMetrics,
    lenses::LensesMetrics, limits::LimitMetrics, mcp::McpMetrics, tls::TlsMetrics,
};

/// All of the server's metrics. Made once, shared by reference.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    /// HTTP requests.
    pub http: Arc<HttpMetrics>,
    /// Sign-in, and questions to HQ about tokens.
    pub auth: Arc<AuthMetrics>,
    /// Calls that were refused because their user had made too many.
    pub calls_rate_limited: Counter,
    /// Calls of tools, prompts, resources and completions.
    pub mcp: Arc<McpMetrics>,
    /// Calls to Lenses HQ.
    pub lenses: Arc<LensesMetrics>,
    /// Changes of TLS files.
    pub tls: Arc<TlsMetrics>,
    /// Open connections, and those that a bound closed.
    pub connections: ConnectionMetrics,
    /// What counts against the bounds on requests, and what they refused.
    pub limits: LimitMetrics,
    /// Log lines that were dropped.
    pub log_lines_dropped: Counter,
    /// Audit lines that were dropped.
    pub audit_lines_dropped: Counter,
}

impl Metrics {
    /// All metrics at zero, registered under the prefix `lenses_mcp_`. Those that have their name
    /// from a convention have no prefix.
    #[must_use]
    pub fn new() -> Self {
        let mut root = Registry::default();
        root.register_collector(Box::new(Process::start()));
        let registry = root.sub_registry_with_prefix("lenses_mcp");
        registry.register(
            "build",
            "Version of the server",
            Info::new(vec![("version", env!("CARGO_PKG_VERSION"))]),
        );
        // The exposition has this order.
        let http = HttpMetrics::new(registry);
        let auth = AuthMetrics::new(registry);
        let calls_rate_limited = Counter::default();
        registry.register(
            "calls_rate_limited",
            "Calls that were refused because their user had made too many \
             (MCP_CALLS_PER_MINUTE_PER_USER)",
            calls_rate_limited.clone(),
        );
        let mcp = McpMetrics::new(registry);
        let lenses = LensesMetrics::new(registry);
        let tls = TlsMetrics::new(registry);
        let connections = ConnectionMetrics::new(registry);
        let limits = LimitMetrics::new(registry);
        let log_lines_dropped = Counter::default();
        registry.register(
            "log_lines_dropped",
            "Log lines that were dropped because standard error was not read",
            log_lines_dropped.clone(),
        );
        let audit_lines_dropped = Counter::default();
        registry.register(
            "audit_lines_dropped",
            "Audit lines that were dropped because what MCP_AUDIT names was not read or can't be \
             written",
            audit_lines_dropped.clone(),
        );
        mcp.register_operations(&mut root);
        Self {
            registry: root,
            http: Arc::new(http),
            auth: Arc::new(auth),
            calls_rate_limited,
            mcp: Arc::new(mcp),
            lenses: Arc::new(lenses),
            tls: Arc::new(tls),
            connections,
            limits,
            log_lines_dropped,
            audit_lines_dropped,
        }
    }

    /// The registry, for the exposition.
    #[must_use]
    pub fn registry(&self) -> &Registry {
        &self.registry
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{
        access_log::Route,
        auth::{CacheHit, Introspection, SignIn},
        lenses::LensesOutcome,
        tools::Outcome,
    };

    fn exposition(metrics: &Metrics) -> String {
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, metrics.registry()).unwrap();
        text
    }

    #[test]
    fn each_event_is_counted_under_its_labels() {
        let metrics = Metrics::new();
        metrics.http.request_answered(Route::Mcp, 401, Duration::from_millis(3));
        metrics.auth.signed_in(SignIn::Missing);
        metrics.auth.introspected(Introspection::Refused, Duration::from_millis(1));
        metrics.auth.introspection_cache_hit(CacheHit::Shared);
        metrics.mcp.tool_called("list_topics", Outcome::Denied, Duration::from_secs(1));
        metrics.lenses.lenses_called(
            "list_topics",
            LensesOutcome::Forbidden,
            Duration::from_secs(1),
            None,
        );
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
        let guard = metrics.http.request_started();
        assert!(exposition(&metrics).contains("lenses_mcp_http_requests_in_flight 1"));
        drop(guard);
        assert!(exposition(&metrics).contains("lenses_mcp_http_requests_in_flight 0"));
    }
}
