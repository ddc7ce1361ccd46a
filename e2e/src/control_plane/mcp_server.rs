//! The server that is at every resource's URL.

use std::{
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use tokio::time::sleep;

use crate::cluster::LOOPBACK_SERVICE;

const ADDRESS: &str = "127.0.0.1:8000";
/// How often it is looked whether it listens.
const LOOK: Duration = Duration::from_millis(10);

/// It ends when this is dropped.
pub struct McpServer {
    child: Child,
    /// What clients are told.
    pub url: String,
}

impl McpServer {
    /// Starts `program` for the HQ at `hq`, and waits until it listens.
    pub async fn start(program: &Path, hq: &str) -> Self {
        let (host, port) = ADDRESS.split_once(':').unwrap();
        let url = format!("http://{LOOPBACK_SERVICE}:{port}");
        let child = Command::new(program)
            .env_clear()
            .envs([
                ("OAUTH_ENABLED", "true"),
                ("LENSES_URL", hq),
                ("MCP_ADVERTISED_URL", &url),
                ("HOST", host),
                ("PORT", port),
                ("LOG_LEVEL", "error"),
            ])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        while tokio::net::TcpStream::connect(ADDRESS).await.is_err() {
            sleep(LOOK).await;
        }
        Self { child, url }
    }
}

impl Drop for McpServer {
    fn drop(&mut self) {
        let _ended_already = self.child.kill();
        let _ended_already = self.child.wait();
    }
}
