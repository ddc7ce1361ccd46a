//! The admin port: `/livez`, `/readyz` and `/metrics`. It says nothing about any one resource.

use std::sync::Arc;

use axum::{
    Router, extract::State, http::StatusCode, http::header, response::IntoResponse, routing::get,
};

use crate::{context::Context, metrics::Metrics};

/// What the admin port can see.
#[derive(Clone)]
pub struct Admin {
    /// The counters.
    pub metrics: Arc<Metrics>,
    /// What reconciles work with, once this process is the one that works; a standby has none and is ready.
    pub work: tokio::sync::watch::Receiver<Option<Arc<Context>>>,
}

/// The routes of the admin port.
pub fn router(admin: Admin) -> Router {
    Router::new()
        .route("/livez", get(|| async { "alive\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .with_state(admin)
}

/// Ready is: waiting for the lease, or working with everything read once. A missing CRD or a missing right shows here.
async fn ready(State(admin): State<Admin>) -> (StatusCode, String) {
    let unread = admin.work.borrow().as_ref().map_or_else(Vec::new, |work| work.unread());
    if unread.is_empty() {
        (StatusCode::OK, "ready\n".to_owned())
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, format!("not read yet: {}\n", unread.join(", ")))
    }
}

async fn metrics(State(admin): State<Admin>) -> axum::response::Response {
    let gauges = admin.work.borrow().as_ref().map(|work| work.gauges()).unwrap_or_default();
    match admin.metrics.encode(&gauges) {
        Ok(text) => (
            [(header::CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")],
            text,
        )
            .into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
