//! The server under test: its whole router on loopback. HQ is not there, because the page never asks it anything.

use std::{collections::BTreeMap, io, net::SocketAddr, path::Path, sync::Arc};

use lenses_mcp_server::{
    lifecycle::Stages,
    metrics::Metrics,
    settings::{Settings, Transport, Variables},
    start,
};
use tokio::{net::TcpListener, task::AbortHandle};

use crate::chromium::OTHER_NAME;

/// What the server that is set up with OAuth advertises.
pub(crate) const MCP_URL: &str = "https://mcp.example.com/mcp";

/// A server that ends when this is dropped.
pub(crate) struct Server {
    address: SocketAddr,
    serving: AbortHandle,
}

impl Server {
    pub(crate) async fn with_oauth() -> Self {
        Self::start(&[
            ("OAUTH_ENABLED", "true"),
            ("LENSES_ADVERTISED_URL", "https://lenses.example.com"),
            ("MCP_ADVERTISED_URL", "https://mcp.example.com"),
            ("MCP_ALLOWED_HOSTS", OTHER_NAME),
        ])
        .await
    }

    /// API-key mode, with no public address.
    pub(crate) async fn with_callers_token() -> Self {
        Self::start(&[
            ("TRANSPORT", "http"),
            ("LENSES_API_KEY", "service-account"),
            ("MCP_CALLER_TOKEN", "callers-token-of-a-test"),
        ])
        .await
    }

    async fn start(variables: &[(&str, &str)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let port = address.port().to_string();
        let common =
            [("LENSES_URL", "http://127.0.0.1:9"), ("HOST", "127.0.0.1"), ("PORT", port.as_str())];
        let environment: BTreeMap<_, _> = variables
            .iter()
            .chain(&common)
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let no_files = |_: &Path| Err(io::ErrorKind::NotFound.into());
        let settings = Settings::read(&Variables::load(environment, &no_files).unwrap()).unwrap();
        let Transport::Http(http) = &settings.transport else { panic!("not HTTP") };
        let router = start::http_routers(
            &settings,
            http,
            Arc::new(Metrics::new()),
            &Stages::default(),
            Arc::new,
        )
        .unwrap()
        .endpoint;
        let serving =
            tokio::spawn(async move { axum::serve(listener, router).await }).abort_handle();
        Self { address, serving }
    }

    /// `path` on loopback, which browsers take for a secure context.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The page by another name of this machine.
    pub(crate) fn url_by_name(&self, name: &str) -> String {
        format!("http://{name}:{}/", self.address.port())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.serving.abort();
    }
}
