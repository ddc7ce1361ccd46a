//! The admin port: for the kubelet and the scraper, not for callers. It has no sign-in, so nothing secret is here.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::State,
    response::{IntoResponse, Response},
    routing::get,
};
use http::{
    StatusCode,
    header::{CACHE_CONTROL, CONTENT_TYPE},
};

use crate::{diagnostics::Diagnostics, lifecycle::Stages, metrics::Metrics};

/// The content type of what prometheus-client writes.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// `/livez`: the process answers. `/readyz`: it is configured, listens, can take requests, and was
/// not told to stop; HQ's health is HQ's.
/// `/metrics`: what [`Metrics`] counted. `/diagnostics`: what [`Diagnostics`] finds, always 200, because it is a report and
/// no probe.
pub fn router(metrics: Arc<Metrics>, diagnostics: Arc<Diagnostics>, stages: Stages) -> Router {
    Router::new()
        .route("/livez", get(async || "ok\n"))
        .route("/readyz", get(ready).with_state(stages))
        .route("/metrics", get(exposition).with_state(metrics))
        .route("/diagnostics", get(diagnose).with_state(diagnostics))
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
