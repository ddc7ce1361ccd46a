//! From settings to a running server, and its end.

use std::{io, net::SocketAddr, sync::Arc};

use axum::Router;
use secrecy::{ExposeSecret, SecretString};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::{
    admin, app,
    auth::{Gate, Introspector, Mode, ResourceServer, SharedToken, shared_identity},
    identity::{Fingerprint, Identity},
    lenses::{self, tls},
    lifecycle::{self, Signals, Stages},
    mcp,
    metrics::Metrics,
    settings::{Http, Settings, SignIn, Transport},
    tools,
};

/// Idle connections are cheap, so that more of them are kept than requests are answered at a time.
const CONNECTIONS_PER_REQUEST: usize = 4;
/// Connections to the admin port.
const ADMIN_CONNECTIONS: usize = 32;

/// Why the server could not start, or ended early.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// An address can't be listened on.
    #[error("failed to listen on {address} ({variables}): {source}")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// The variables that set it.
        variables: &'static str,
        /// Why.
        source: io::Error,
    },
    /// The client of HQ can't be made.
    #[error("failed to set up the client of Lenses HQ: {0}")]
    Lenses(#[from] lenses::ClientError),
    /// The machine's trust store can't be used.
    #[error("failed to set up TLS: {0}")]
    Tls(#[from] tls::TlsError),
    /// The client of the introspection endpoint can't be made.
    #[error("failed to set up the client of the introspection endpoint: {0}")]
    Introspection(#[source] reqwest::Error),
    /// Signals can't be taken over.
    #[error("failed to take over signals: {0}")]
    Signals(#[source] io::Error),
    /// The connection over standard input and output failed.
    #[error(transparent)]
    Stdio(#[from] mcp::StdioError),
}

/// Serves as `settings` say until a signal comes (or, over stdio, until standard input ends).
///
/// # Errors
///
/// [`StartError`], when it can't start. A connection that has to be cut at the end is no error.
pub async fn run(settings: Settings) -> Result<(), StartError> {
    for warning in &settings.warnings {
        tracing::warn!("{warning}");
    }
    let metrics = Arc::new(Metrics::new());
    let mut signals = Signals::install().map_err(StartError::Signals)?;
    match &settings.transport {
        Transport::Stdio { api_key } => run_stdio(&settings, api_key, metrics, &mut signals).await,
        Transport::Http(http) => run_http(&settings, http, metrics, &mut signals).await,
    }
}

async fn run_stdio(
    settings: &Settings,
    api_key: &SecretString,
    metrics: Arc<Metrics>,
    signals: &mut Signals,
) -> Result<(), StartError> {
    let identity = shared_identity(api_key, settings.offered, Fingerprint::of(api_key.expose_secret()));
    let server = mcp_server(settings, metrics, Arc::new(|_| {}))?;
    tracing::info!("serving MCP over standard input and output");
    tokio::select! {
        ended = mcp::serve_stdio(server, identity) => Ok(ended?),
        () = signals.next() => Ok(()),
    }
}

async fn run_http(
    settings: &Settings,
    http: &Http,
    metrics: Arc<Metrics>,
    signals: &mut Signals,
) -> Result<(), StartError> {
    let stages = Stages::default();
    let router = http_router(settings, http, metrics.clone(), stages.ending_streams.clone())?;
    let listener = bind(http.listen, "HOST, PORT").await?;
    let admin_listener = bind(http.admin, "ADMIN_HOST, ADMIN_PORT").await?;

    let admin = admin::router(metrics, stages.stopping.clone());
    // Probes are answered until the very end, so this port does not stop with the other.
    let admin = tokio::spawn(lifecycle::serve(admin_listener, admin, ADMIN_CONNECTIONS, Stages::default()));
    let max_connections = settings.limits.max_concurrent_requests.saturating_mul(CONNECTIONS_PER_REQUEST);
    let serving = lifecycle::serve(listener, router, max_connections, stages.clone());
    tokio::pin!(serving);
    tokio::select! {
        () = &mut serving => {}
        () = signals.next() => {
            tracing::info!("stopping");
            stages.run(settings.shutdown_grace, signals, &mut serving).await;
        }
    }
    admin.abort();
    Ok(())
}

/// The router with everything behind it: what [`run`] serves, without a socket.
///
/// # Errors
///
/// [`StartError`], when a client can't be made.
pub fn http_router(
    settings: &Settings,
    http: &Http,
    metrics: Arc<Metrics>,
    ending_streams: CancellationToken,
) -> Result<Router, StartError> {
    let (mode, on_unauthorized) = sign_in(settings, http, &metrics)?;
    let gate = Gate::new(mode, settings.offered, tools::required_scopes, metrics.clone());
    let endpoint = mcp::http_service(
        mcp_server(settings, metrics.clone(), on_unauthorized)?,
        mcp::HttpOptions {
            allowed_hosts: http.allowed_hosts.iter().map(ToString::to_string).collect(),
            allowed_origins: http.allowed_origins.iter().map(ToString::to_string).collect(),
            max_body_bytes: settings.limits.max_body_bytes,
            shutdown: ending_streams,
        },
    );
    Ok(app::router(http, &settings.limits, settings.offered, gate, metrics, &endpoint))
}

type OnUnauthorized = Arc<dyn Fn(&Identity) + Send + Sync>;

fn sign_in(settings: &Settings, http: &Http, metrics: &Arc<Metrics>) -> Result<(Mode, OnUnauthorized), StartError> {
    match &http.sign_in {
        SignIn::OAuth(oauth) => {
            let tls = tls::client_config(oauth.introspection.url.scheme())?;
            let introspector = Introspector::new(&oauth.introspection, tls, metrics.clone());
            let introspector = introspector.map_err(StartError::Introspection)?;
            let max_questions = settings.limits.max_concurrent_requests;
            let resource_server =
                ResourceServer::new(oauth, settings.offered, introspector, max_questions, metrics.clone());
            let resource_server = Arc::new(resource_server);
            let forgetting = resource_server.clone();
            Ok((Mode::OAuth(resource_server), Arc::new(move |identity| forgetting.forget(identity))))
        }
        SignIn::ApiKey { api_key, callers } => {
            Ok((Mode::Shared(SharedToken::new(callers, api_key, settings.offered)), Arc::new(|_| {})))
        }
    }
}

fn mcp_server(
    settings: &Settings,
    metrics: Arc<Metrics>,
    on_unauthorized: OnUnauthorized,
) -> Result<mcp::Server, StartError> {
    let limits = &settings.limits;
    let lenses = lenses::Client::new(lenses::Options {
        url: settings.lenses_url.clone(),
        // The rest is for sign-in and for telling the model what happened.
        request_timeout: limits.request_timeout / 4 * 3,
        response_max_bytes: limits.response_max_bytes,
        metrics: metrics.clone(),
    })?;
    Ok(mcp::Server::new(mcp::Options {
        lenses,
        offered: settings.offered,
        sql_max_rows: limits.sql_max_rows,
        sql_timeout: limits.sql_timeout,
        response_max_bytes: limits.response_max_bytes,
        metrics,
        on_unauthorized,
    }))
}

async fn bind(address: SocketAddr, variables: &'static str) -> Result<TcpListener, StartError> {
    let listener = TcpListener::bind(address).await;
    let listener = listener.map_err(|source| StartError::Bind { address, variables, source })?;
    tracing::info!(address = %listener.local_addr().unwrap_or(address), "listening");
    Ok(listener)
}
