//! From settings to a running server, and its end.

mod error;
mod front;
mod listening;

use std::{net::SocketAddr, sync::Arc};

use axum::Router;
use rustls::ClientConfig;
use secrecy::SecretString;

pub use self::error::StartError;
use self::{
    front::{Front, OnUnauthorized, front, lenses_tls},
    listening::{bind, bind_admin, connection_options},
};
use crate::{
    admin,
    app::{self, Bounds},
    audit::AuditLog,
    auth::{Authenticator, BackChannel, shared_identity},
    connections,
    diagnostics::Diagnostics,
    identity::SignInMode,
    landing::LandingPage,
    lenses,
    lifecycle::{Signals, Stages},
    limits::{Bodies, Bound, LimitMetrics, PerUser, Slots, USER_SHARE, Users},
    mcp::{self, Handler},
    metrics::Metrics,
    settings::{Http, Settings, Transport},
    tls,
};

/// Serves as `settings` say until a signal comes (or, over stdio, until standard input ends).
///
/// # Errors
///
/// [`StartError`], when it can't start. A connection that has to be cut at the end is no error.
pub async fn run(
    settings: Settings,
    metrics: Arc<Metrics>,
    audit: AuditLog,
) -> Result<(), StartError> {
    for warning in &settings.warnings {
        tracing::warn!("{warning}");
    }
    for route in settings.routes() {
        tracing::info!("{route}");
    }
    let mut signals = Signals::install().map_err(StartError::Signals)?;
    match &settings.transport {
        Transport::Stdio { api_key } => {
            run_stdio(&settings, api_key, metrics, audit, &mut signals).await
        }
        Transport::Http(http) => run_http(&settings, http, metrics, audit, &mut signals).await,
    }
}

async fn run_stdio(
    settings: &Settings,
    api_key: &SecretString,
    metrics: Arc<Metrics>,
    audit: AuditLog,
    signals: &mut Signals,
) -> Result<(), StartError> {
    let identity = shared_identity(api_key, SignInMode::Stdio, settings.policy.scopes(), None);
    let tls = lenses_tls(settings, None, &metrics)?;
    let back_channel =
        BackChannel::new(tls.clone(), &settings.proxies).map_err(StartError::BackChannel)?;
    let diagnostics =
        Arc::new(Diagnostics::of_api_key(&settings.lenses_url, api_key, back_channel));
    let server = mcp_server(settings, None, tls, diagnostics, &metrics, Arc::new(|_| {}), audit)?;
    let (elicitation, max_bytes) = (server.elicitation(), settings.limits.max_body_bytes);
    let server = Arc::new(server);
    let users = bounds(settings, &metrics.limits).users;
    let budget = users.budget(users.user(&identity, None));
    tracing::info!("serving MCP over standard input and output");
    tokio::select! {
        ended = mcp::serve_stdio(server, elicitation, identity, budget, max_bytes) => {
            match ended.map_err(StartError::Stdio)? {
                0 => Err(StartError::NoInput),
                _ => Ok(()),
            }
        }
        () = signals.next() => Ok(()),
    }
}

async fn run_http(
    settings: &Settings,
    http: &Http,
    metrics: Arc<Metrics>,
    audit: AuditLog,
    signals: &mut Signals,
) -> Result<(), StartError> {
    let stages = Stages::default();
    let acceptor = http
        .tls
        .as_ref()
        .map(|files| tls::listener::acceptor(files, metrics.tls.clone()))
        .transpose()?;
    let (endpoint, admin) = connection_options(settings, http, acceptor, &metrics);
    let routers = http_routers(settings, http, metrics, audit, &stages, Arc::new)?;
    let listener = bind(http.listen, "HOST, PORT")?;
    let admin_listener = bind_admin(http)?;

    // Probes are answered until the very end, so this port does not stop with the other.
    let admin = admin_listener.map(|listener| {
        tokio::spawn(connections::serve(listener, routers.admin, admin, Stages::default()))
    });
    let serving = connections::serve(listener, routers.endpoint, endpoint, stages.clone());
    tokio::pin!(serving);
    tokio::select! {
        () = &mut serving => {}
        () = signals.next() => {
            tracing::info!("stopping");
            stages.run(settings.shutdown_grace, signals, &mut serving).await;
        }
    }
    if let Some(admin) = admin {
        admin.abort();
    }
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

/// The routers of both ports with everything behind them. `handler` makes what answers requests
/// from the server: the server itself, or the conformance suite's fixtures around it.
///
/// # Errors
///
/// [`StartError`], when a client can't be made.
pub fn http_routers<H: Handler>(
    settings: &Settings,
    http: &Http,
    metrics: Arc<Metrics>,
    audit: AuditLog,
    stages: &Stages,
    handler: impl FnOnce(mcp::Server) -> Arc<H>,
) -> Result<Routers, StartError> {
    let Front { mode, on_unauthorized, diagnostics, tls } = front(settings, http, &metrics)?;
    let authenticator = Authenticator::new(mode, settings.policy.clone(), metrics.auth.clone())
        .with_audit(audit.clone());
    let replica = settings.replica_host.map(|host| SocketAddr::new(host, http.admin.port()));
    let server = mcp_server(
        settings,
        replica,
        tls,
        diagnostics.clone(),
        &metrics,
        on_unauthorized,
        audit.clone(),
    )?;
    let elicitation = server.elicitation();
    let replicas = mcp::replica_routes(Arc::clone(&elicitation));
    let mcp = mcp::Endpoint::new(handler(server), elicitation, stages.ending_streams.clone())
        .with_audit(audit);
    let offered = settings.policy.scopes();
    let page = LandingPage::new(http, offered)?;
    let bounds = bounds(settings, &metrics.limits);
    let slots = bounds.slots.clone();
    stages.readiness.add(Box::new(move || slots.fault()));
    let endpoint = app::router(http, bounds, offered, authenticator, &metrics, page, mcp);
    let admin = admin::router(http, metrics, diagnostics, stages.clone(), replicas);
    Ok(Routers { endpoint, admin })
}

fn bounds(settings: &Settings, metrics: &LimitMetrics) -> Bounds {
    let limits = &settings.limits;
    metrics.allows(Bound::RequestsPerUser, limits.concurrent_requests_per_user);
    metrics.allows(Bound::BodyBytes, limits.max_body_bytes);
    metrics.allows(
        Bound::BodyTime,
        usize::try_from(limits.body_timeout.as_secs()).unwrap_or(usize::MAX),
    );
    metrics.allows_calls_per_minute(limits.calls_per_minute_per_user);
    let per_user = PerUser {
        concurrent_requests: limits.concurrent_requests_per_user,
        calls_per_minute: limits.calls_per_minute_per_user,
    };
    Bounds {
        slots: Slots::new(limits.max_concurrent_requests, metrics.clone()),
        users: Users::new(per_user, limits.memory_budget_bytes, metrics.clone()),
        bodies: Bodies {
            max_bytes: limits.max_body_bytes,
            time: limits.body_timeout,
            metrics: metrics.clone(),
        },
        request_timeout: limits.request_timeout,
    }
}

fn mcp_server(
    settings: &Settings,
    replica: Option<SocketAddr>,
    tls: ClientConfig,
    diagnostics: Arc<Diagnostics>,
    metrics: &Metrics,
    on_unauthorized: OnUnauthorized,
    audit: AuditLog,
) -> Result<mcp::Server, StartError> {
    let limits = &settings.limits;
    let lenses = lenses::Client::new(lenses::Options {
        url: settings.lenses_url.clone(),
        websocket_url: settings.lenses_websocket_url.clone(),
        tls,
        proxies: settings.proxies.clone(),
        // The rest is for sign-in and for telling the model what happened.
        request_timeout: limits.request_timeout / 4 * 3,
        // One reply is in memory for one user.
        response_max_bytes: limits.response_max_bytes.min(limits.memory_budget_bytes / USER_SHARE),
        metrics: metrics.lenses.clone(),
    })?;
    let server = mcp::Server::new(mcp::Options {
        lenses,
        policy: settings.policy.clone(),
        diagnostics,
        confirm: settings.confirm,
        sealing_key: settings.sealing_key.clone(),
        sql_max_rows: limits.sql_max_rows,
        sql_timeout: limits.sql_timeout,
        result_max_bytes: limits.result_max_bytes,
        metrics: metrics.mcp.clone(),
        audit,
        on_unauthorized,
        replica,
    });
    Ok(server?)
}
