//! What is counted of HTTP requests.

use std::time::Duration;

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::{Registry, Unit},
};

use crate::instruments::{Histograms, label_values, latency};

label_values! {
    /// Which part of the server a request was for.
    Route {
        /// The MCP endpoint.
        Mcp = "mcp",
        /// OAuth metadata, RFC 9728 and the redirect for RFC 8414.
        Metadata = "metadata",
        /// Anything else.
        Other = "other",
    }
}

/// HTTP requests.
#[derive(Debug)]
pub struct HttpMetrics {
    requests: Family<RequestLabels, Counter>,
    request_seconds: Histograms<RouteLabel>,
    in_flight: Gauge,
}

impl HttpMetrics {
    /// All at zero, registered in `registry`.
    #[must_use]
    pub fn new(registry: &mut Registry) -> Self {
        let metrics = Self {
            requests: Family::default(),
            request_seconds: Family::new_with_constructor(latency),
            in_flight: Gauge::default(),
        };
        registry.register(
            "http_requests",
            "HTTP requests answered, by route and status",
            metrics.requests.clone(),
        );
        registry.register_with_unit(
            "http_request_duration",
            "Time until an HTTP response's head was ready, by route",
            Unit::Seconds,
            metrics.request_seconds.clone(),
        );
        registry.register(
            "http_requests_in_flight",
            "HTTP requests being answered now",
            metrics.in_flight.clone(),
        );
        metrics
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
}

/// Keeps one request counted as in flight.
#[derive(Debug)]
pub struct InFlight(Gauge);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.dec();
    }
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
