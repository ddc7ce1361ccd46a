//! What is counted of connections.

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::Registry,
};

use crate::instruments::label_values;

label_values! {
    /// Why the server closed a connection, other than at its end or because it stops.
    Closed {
        /// It was idle for the longest, and its address opened one more than it may.
        AddressLimit = "address_limit",
        /// It was idle for the longest, and there was one more than the total.
        TotalLimit = "total_limit",
        /// It is the one more, and none of its address was idle.
        AddressRefused = "address_refused",
        /// It is the one more, and none was idle.
        Refused = "refused",
        /// Its TLS handshake took too long.
        HandshakeTimeout = "handshake_timeout",
        /// The head of a request took too long.
        HeadTimeout = "head_timeout",
        /// No request came for too long.
        IdleTimeout = "idle_timeout",
        /// Its client took nothing of a response for too long.
        WriteTimeout = "write_timeout",
    }
}

/// The metrics of all listeners.
#[derive(Debug, Clone, Default)]
pub struct ConnectionMetrics {
    in_flight: Family<ListenerLabel, Gauge>,
    limit: Family<ListenerLabel, Gauge>,
    per_address_in_flight: Family<ListenerLabel, Gauge>,
    per_address_limit: Family<ListenerLabel, Gauge>,
    closed: Family<ClosedLabels, Counter>,
}

impl ConnectionMetrics {
    /// All at zero, in `registry`.
    #[must_use]
    pub fn new(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        registry.register(
            "connections_in_flight",
            "Open connections, by listener",
            metrics.in_flight.clone(),
        );
        registry.register(
            "connections_limit",
            "Connections that may be open at a time, by listener",
            metrics.limit.clone(),
        );
        registry.register(
            "connections_per_address_in_flight",
            "Open connections of the address that has the most, trusted proxies left out, by \
             listener",
            metrics.per_address_in_flight.clone(),
        );
        registry.register(
            "connections_per_address_limit",
            "Connections that one address may have open (MCP_CONNECTIONS_PER_ADDRESS), by listener",
            metrics.per_address_limit.clone(),
        );
        registry.register(
            "connections_closed",
            "Connections that a bound closed, by listener and reason",
            metrics.closed.clone(),
        );
        metrics
    }

    /// Those of one listener; `listener` is its label: `mcp` or `admin`.
    #[must_use]
    pub fn of(&self, listener: &'static str) -> ListenerMetrics {
        // A rate needs a zero to rise from.
        for &reason in Closed::ALL {
            let labels = ClosedLabels { listener, reason };
            self.closed.get_or_create(&labels).inc_by(0);
        }
        let label = ListenerLabel { listener };
        ListenerMetrics {
            listener,
            in_flight: self.in_flight.get_or_create_owned(&label),
            limit: self.limit.get_or_create_owned(&label),
            per_address_in_flight: self.per_address_in_flight.get_or_create_owned(&label),
            per_address_limit: self.per_address_limit.get_or_create_owned(&label),
            closed: self.closed.clone(),
        }
    }
}

/// The metrics of one listener.
#[derive(Debug, Clone)]
pub struct ListenerMetrics {
    listener: &'static str,
    in_flight: Gauge,
    limit: Gauge,
    per_address_in_flight: Gauge,
    per_address_limit: Gauge,
    closed: Family<ClosedLabels, Counter>,
}

impl ListenerMetrics {
    pub(super) fn set_limits(&self, total: usize, per_address: usize) {
        self.limit.set(gauge(total));
        self.per_address_limit.set(gauge(per_address));
    }

    pub(super) fn set_in_flight(&self, total: usize, per_address: usize) {
        self.in_flight.set(gauge(total));
        self.per_address_in_flight.set(gauge(per_address));
    }

    pub(super) fn closed(&self, reason: Closed) {
        let labels = ClosedLabels { listener: self.listener, reason };
        self.closed.get_or_create(&labels).inc();
    }
}

fn gauge(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ListenerLabel {
    listener: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ClosedLabels {
    listener: &'static str,
    reason: Closed,
}
