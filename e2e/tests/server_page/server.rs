//! The server under test: its whole router on loopback. HQ is not there, because the page never
//! asks it anything.

use std::net::SocketAddr;

use tokio::net::TcpListener;

use crate::{
    chromium::OTHER_NAME,
    in_process::{Serving, serve},
};

/// What the server that is set up with OAuth advertises.
pub(crate) const MCP_URL: &str = "https://mcp.example.com/mcp";

/// A server that ends when this is dropped.
pub(crate) struct Server {
    address: SocketAddr,
    _serving: Serving,
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
        let variables = [variables, &[("LENSES_URL", "http://127.0.0.1:9")]].concat();
        Self { address, _serving: serve(listener, &variables) }
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
