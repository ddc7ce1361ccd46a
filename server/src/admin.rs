//! The admin port: for the kubelet and the scraper, not for callers. It has no sign-in, so nothing
//! secret is here, and it answers no page that has made its own name resolve to this address.

use std::{ops::ControlFlow, sync::Arc};

use axum::{
    Json, Router,
    extract::{Request, State},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
    routing::get,
};
use http::{
    StatusCode,
    header::{CACHE_CONTROL, CONTENT_TYPE},
};

use crate::{
    client_address::ClientAddress,
    diagnostics::Diagnostics,
    host_check::{AllowedHost, HostCheck},
    lifecycle::Stages,
    metrics::Metrics,
    settings::Http,
};

/// The content type of what prometheus-client writes.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// `/livez`: the process answers. `/readyz`: it is configured, listens, can take requests, and was
/// not told to stop; HQ's health is HQ's. `/metrics`: what [`Metrics`] counted. `/diagnostics`:
/// what [`Diagnostics`] finds, always 200, because it is a report and no probe. `replicas` are the
/// routes for the other replicas.
pub fn router(
    http: &Http,
    metrics: Arc<Metrics>,
    diagnostics: Arc<Diagnostics>,
    stages: Stages,
    replicas: Router,
) -> Router {
    // Their ports are those of the MCP endpoint.
    let hosts = http.allowed_hosts.iter().cloned().map(AllowedHost::on_any_port).collect();
    let host_check = Arc::new(HostCheck::new(hosts, http.allowed_origins.clone()));
    Router::new()
        .route("/livez", get(async || "ok\n"))
        .route("/readyz", get(ready).with_state(stages))
        .route("/metrics", get(exposition).with_state(metrics))
        .route("/diagnostics", get(diagnose).with_state(diagnostics))
        .merge(replicas)
        .layer(from_fn_with_state(host_check, refuse_foreign))
}

async fn refuse_foreign(
    State(host_check): State<Arc<HostCheck>>,
    request: Request,
    next: Next,
) -> Response {
    let own = request.extensions().get::<ClientAddress>().and_then(|address| address.own);
    match host_check.refuse_foreign_at(own, request.uri(), request.headers()) {
        ControlFlow::Continue(()) => next.run(request).await,
        ControlFlow::Break(answer) => answer,
    }
}

async fn ready(State(stages): State<Stages>) -> Response {
    let stopping = stages.stopping.is_cancelled().then_some("stopping");
    match stopping.or_else(|| stages.readiness.fault()) {
        Some(reason) => (StatusCode::SERVICE_UNAVAILABLE, format!("{reason}\n")).into_response(),
        None => "ok\n".into_response(),
    }
}

async fn exposition(State(metrics): State<Arc<Metrics>>) -> Response {
    let mut text = String::new();
    match prometheus_client::encoding::text::encode(&mut text, metrics.registry()) {
        Ok(()) => ([(CONTENT_TYPE, OPEN_METRICS)], text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

async fn diagnose(State(diagnostics): State<Arc<Diagnostics>>) -> Response {
    ([(CACHE_CONTROL, "no-store")], Json(diagnostics.report().await)).into_response()
}
