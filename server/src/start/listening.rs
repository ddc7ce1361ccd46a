//! The two listeners: where they listen, and the bounds on their connections.

use std::{io, net::SocketAddr};

use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::StartError;
use crate::{
    connections::{self, Bounds, Options, Timeouts},
    metrics::Metrics,
    settings::{Http, Settings},
};

/// Idle connections are cheap, so that more of them are kept than requests are answered at a time.
const CONNECTIONS_PER_REQUEST: usize = 4;
/// Connections to the admin port.
const ADMIN_CONNECTIONS: usize = 32;

/// How connections to the MCP port and to the admin port are served.
pub(super) fn connection_options(
    settings: &Settings,
    http: &Http,
    tls: Option<TlsAcceptor>,
    metrics: &Metrics,
) -> (Options, Options) {
    let bounds = &http.connections;
    let total = settings.limits.max_concurrent_requests.saturating_mul(CONNECTIONS_PER_REQUEST);
    let endpoint = Options {
        tls,
        bounds: Bounds { total, per_address: bounds.per_address, close_busy: false },
        timeouts: Timeouts {
            head: bounds.head_timeout,
            write: bounds.write_timeout,
            idle: bounds.idle_timeout,
        },
        trusted_proxies: bounds.trusted_proxies.clone(),
        metrics: metrics.connections.of("mcp"),
    };
    let admin = Options {
        tls: None,
        bounds: Bounds {
            total: ADMIN_CONNECTIONS,
            per_address: ADMIN_CONNECTIONS,
            close_busy: true,
        },
        metrics: metrics.connections.of("admin"),
        ..endpoint.clone()
    };
    (endpoint, admin)
}

/// Listens on `address`, which `variables` set.
pub(super) fn bind(
    address: SocketAddr,
    variables: &'static str,
) -> Result<TcpListener, StartError> {
    let listener = connections::listen(address);
    let listener = listener.map_err(|source| StartError::Bind { address, variables, source })?;
    tracing::info!(address = %listener.local_addr().unwrap_or(address), "listening");
    Ok(listener)
}

/// Listens on the admin port, unless it is the default one and another program has it.
pub(super) fn bind_admin(http: &Http) -> Result<Option<TcpListener>, StartError> {
    match bind(http.admin, "ADMIN_HOST, ADMIN_PORT") {
        Err(StartError::Bind { address, source, .. })
            if !http.admin_required && source.kind() == io::ErrorKind::AddrInUse =>
        {
            tracing::warn!(
                "another program listens on {address}, so that there are no admin endpoints: set \
                 ADMIN_PORT to another port"
            );
            Ok(None)
        }
        listener => listener.map(Some),
    }
}
