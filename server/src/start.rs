//! From settings to a running server, and its end.

use std::{convert::Infallible, io, net::SocketAddr, sync::Arc};

use axum::{Router, extract::Request, response::IntoResponse};
use rustls::ClientConfig;
use secrecy::{ExposeSecret, SecretString};
use tokio::net::TcpListener;
use tower::Service;
use url::Url;

use crate::{
    admin, app,
    auth::{
        Authenticator, AuthorizationServer, BackChannel, Mode, ResourceServer, SharedToken,
        shared_identity,
    },
    diagnostics::Diagnostics,
    identity::{Fingerprint, Identity},
    landing::{LandingPage, LandingPageError},
    lenses,
    lifecycle::{self, Signals, Stages},
    mcp,
    metrics::Metrics,
    settings::{Http, Settings, SignIn, Transport},
    tls::{self, TlsError},
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
    /// A TLS file or the machine's trust store can't be used.
    #[error("failed to set up TLS: {0}")]
    Tls(#[from] TlsError),
    /// The client of HQ's OAuth endpoints can't be made.
    #[error("failed to set up the client of the OAuth endpoints of Lenses HQ: {0}")]
    BackChannel(#[source] reqwest::Error),
    /// The landing page can't be made.
    #[error(transparent)]
    LandingPage(#[from] LandingPageError),
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
pub async fn run(settings: Settings, metrics: Arc<Metrics>) -> Result<(), StartError> {
    for warning in &settings.warnings {
        tracing::warn!("{warning}");
    }
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
    let identity = shared_identity(
        api_key,
        settings.policy.scopes(),
        Fingerprint::of(api_key.expose_secret()),
    );
    let tls = lenses_tls(settings, None, &metrics)?;
    let back_channel = BackChannel::new(tls.clone()).map_err(StartError::BackChannel)?;
    let diagnostics =
        Arc::new(Diagnostics::of_api_key(&settings.lenses_url, api_key, back_channel));
    let server = mcp_server(settings, tls, diagnostics, &metrics, Arc::new(|_| {}))?;
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
    let acceptor = http
        .tls
        .as_ref()
        .map(|files| tls::listener::acceptor(files, metrics.tls.clone()))
        .transpose()?;
    let Routers { endpoint: router, admin } =
        http_routers(settings, http, metrics, &stages, mcp::http_service)?;
    let listener = bind(http.listen, "HOST, PORT").await?;
    let admin_listener = bind(http.admin, "ADMIN_HOST, ADMIN_PORT").await?;

    // Probes are answered until the very end, so this port does not stop with the other.
    let admin = tokio::spawn(lifecycle::serve(
        admin_listener,
        None,
        admin,
        ADMIN_CONNECTIONS,
        Stages::default(),
    ));
    let max_connections =
        settings.limits.max_concurrent_requests.saturating_mul(CONNECTIONS_PER_REQUEST);
    let serving = lifecycle::serve(listener, acceptor, router, max_connections, stages.clone());
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

/// What [`run`] serves, without a socket.
#[derive(Debug)]
pub struct Routers {
    /// The MCP port.
    pub endpoint: Router,
    /// The admin port.
    pub admin: Router,
}

/// The routers of both ports with everything behind them. `endpoint` makes the MCP endpoint from the server: it is
/// [`mcp::http_service`], or what the conformance suite's fixtures are served with through the same layers.
///
/// # Errors
///
/// [`StartError`], when a client can't be made.
pub fn http_routers<S>(
    settings: &Settings,
    http: &Http,
    metrics: Arc<Metrics>,
    stages: &Stages,
    endpoint: impl FnOnce(mcp::Server, mcp::HttpOptions) -> S,
) -> Result<Routers, StartError>
where
    S: Service<Request, Error = Infallible> + Clone + Send + Sync + 'static,
    S::Response: IntoResponse,
    S::Future: Send + 'static,
{
    let Front { mode, on_unauthorized, diagnostics, tls } = front(settings, http, &metrics)?;
    let authenticator = Authenticator::new(mode, settings.policy.clone(), metrics.auth.clone());
    let mcp = endpoint(
        mcp_server(settings, tls, diagnostics.clone(), &metrics, on_unauthorized)?,
        mcp::HttpOptions {
            allowed_hosts: http.allowed_hosts.iter().map(ToString::to_string).collect(),
            allowed_origins: http.allowed_origins.iter().map(ToString::to_string).collect(),
            max_body_bytes: settings.limits.max_body_bytes,
            shutdown: stages.ending_streams.clone(),
        },
    );
    let offered = settings.policy.scopes();
    let page = LandingPage::new(http, offered)?;
    let endpoint =
        app::router(http, &settings.limits, offered, authenticator, &metrics, page, &mcp);
    let admin = admin::router(metrics, diagnostics, stages.stopping.clone());
    Ok(Routers { endpoint, admin })
}

type OnUnauthorized = Arc<dyn Fn(&Identity) + Send + Sync>;

/// What sign-in leaves for the others.
struct Front {
    mode: Mode,
    on_unauthorized: OnUnauthorized,
    diagnostics: Arc<Diagnostics>,
    /// For all connections to HQ.
    tls: ClientConfig,
}

fn front(settings: &Settings, http: &Http, metrics: &Metrics) -> Result<Front, StartError> {
    let lenses_url = &settings.lenses_url;
    let introspection_url = match &http.sign_in {
        SignIn::OAuth(oauth) => Some(&oauth.introspection.url),
        SignIn::ApiKey { .. } => None,
    };
    let tls = lenses_tls(settings, introspection_url, metrics)?;
    let back_channel = BackChannel::new(tls.clone()).map_err(StartError::BackChannel)?;
    match &http.sign_in {
        SignIn::OAuth(oauth) => {
            let authorization_server = Arc::new(AuthorizationServer::new(
                oauth,
                lenses_url,
                back_channel,
                metrics.auth.clone(),
                &metrics.lenses,
            ));
            let max_questions = settings.limits.max_concurrent_requests;
            let resource_server = Arc::new(ResourceServer::new(
                oauth,
                settings.policy.scopes(),
                authorization_server.clone(),
                max_questions,
                metrics.auth.clone(),
            ));
            let forgetting = resource_server.clone();
            Ok(Front {
                mode: Mode::OAuth(resource_server),
                on_unauthorized: Arc::new(move |identity| forgetting.forget(identity)),
                diagnostics: Arc::new(Diagnostics::of_oauth(
                    lenses_url,
                    oauth,
                    authorization_server,
                )),
                tls,
            })
        }
        SignIn::ApiKey { api_key, callers } => Ok(Front {
            mode: Mode::Shared(SharedToken::new(callers, api_key, settings.policy.scopes())),
            on_unauthorized: Arc::new(|_| {}),
            diagnostics: Arc::new(Diagnostics::of_api_key(lenses_url, api_key, back_channel)),
            tls,
        }),
    }
}

/// The one TLS configuration for all connections to HQ.
fn lenses_tls(
    settings: &Settings,
    introspection_url: Option<&Url>,
    metrics: &Metrics,
) -> Result<ClientConfig, TlsError> {
    let addresses =
        [&settings.lenses_url, &settings.lenses_websocket_url].into_iter().chain(introspection_url);
    tls::client_config(&settings.lenses_trust, addresses, metrics.tls.clone())
}

fn mcp_server(
    settings: &Settings,
    tls: ClientConfig,
    diagnostics: Arc<Diagnostics>,
    metrics: &Metrics,
    on_unauthorized: OnUnauthorized,
) -> Result<mcp::Server, StartError> {
    let limits = &settings.limits;
    let lenses = lenses::Client::new(lenses::Options {
        url: settings.lenses_url.clone(),
        websocket_url: settings.lenses_websocket_url.clone(),
        tls,
        // The rest is for sign-in and for telling the model what happened.
        request_timeout: limits.request_timeout / 4 * 3,
        response_max_bytes: limits.response_max_bytes,
        metrics: metrics.lenses.clone(),
    })?;
    Ok(mcp::Server::new(mcp::Options {
        lenses,
        policy: settings.policy.clone(),
        diagnostics,
        confirm: settings.confirm,
        sealing_key: settings.sealing_key.clone(),
        sql_max_rows: limits.sql_max_rows,
        sql_timeout: limits.sql_timeout,
        result_max_bytes: limits.result_max_bytes,
        metrics: metrics.mcp.clone(),
        on_unauthorized,
    }))
}

async fn bind(address: SocketAddr, variables: &'static str) -> Result<TcpListener, StartError> {
    let listener = TcpListener::bind(address).await;
    let listener = listener.map_err(|source| StartError::Bind { address, variables, source })?;
    tracing::info!(address = %listener.local_addr().unwrap_or(address), "listening");
    Ok(listener)
}
