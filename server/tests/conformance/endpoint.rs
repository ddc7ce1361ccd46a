//! The server on a socket of its own, with the fixtures inside.

use std::{collections::BTreeMap, net::SocketAddr, path::Path, sync::Arc};

use axum::{Json, Router, routing::get};
use lenses_mcp_server::{
    audit::AuditLog,
    connections,
    lifecycle::Stages,
    metrics::Metrics,
    settings::{Settings, Transport, Variables},
    start,
};
use serde_json::json;
use tokio::net::TcpListener;

use crate::fixtures::Fixtures;

/// A server that runs until this is dropped.
pub(crate) struct Endpoint {
    /// Where it is.
    pub(crate) url: String,
    stages: Stages,
}

impl Endpoint {
    /// Served as the binary serves.
    pub(crate) async fn start() -> Self {
        let settings = settings(&empty_hq().await);
        let Transport::Http(http) = &settings.transport else { panic!("not HTTP") };
        let stages = Stages::default();
        let metrics = Arc::new(Metrics::new());
        let router = start::http_routers(
            &settings,
            http,
            metrics,
            AuditLog::default(),
            &stages,
            Fixtures::beside,
        )
        .unwrap()
        .endpoint;
        let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
        let url = format!("http://{}/mcp", listener.local_addr().unwrap());
        tokio::spawn(connections::serve(
            listener,
            router,
            connections::Options::default(),
            stages.clone(),
        ));
        Self { url, stages }
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        self.stages.stopping.cancel();
        self.stages.cut.cancel();
    }
}

/// An HQ without environments: the suite reads the first resource that is listed, and that is their
/// list.
async fn empty_hq() -> String {
    let router =
        Router::new().route("/api/v1/environments", get(async || Json(json!({ "items": [] }))));
    let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

/// The suite can't sign in, so anybody may call.
fn settings(lenses_url: &str) -> Settings {
    let environment: BTreeMap<_, _> = [
        ("TRANSPORT", "http"),
        ("LENSES_URL", lenses_url),
        ("LENSES_API_KEY", "none"),
        ("MCP_CALLERS", "anyone"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into();
    let no_files = |_: &Path| Err(std::io::ErrorKind::NotFound.into());
    Settings::read(&Variables::load(environment, &no_files).unwrap()).unwrap()
}
