//! A replica as a process, and requests to it.

use std::{net::SocketAddr, process::Stdio};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, client::conn::http1};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    net::{TcpListener, TcpStream},
    process::{Child, Command},
};

use super::{REVISION, session_of};
use crate::hq::Hq;

/// One replica, as a process.
pub(super) struct Replica {
    pub(super) endpoint: SocketAddr,
    pub(super) admin: SocketAddr,
    _process: Child,
}

impl Replica {
    pub(super) async fn start(hq: &Hq, more: &[(&str, &str)]) -> Self {
        // Somebody else may take a port between the moments at which it is found and bound.
        let mut replica = None;
        for _ in 0..10 {
            if replica.is_none() {
                replica = Self::try_start(hq, more).await;
            }
        }
        replica.unwrap()
    }

    /// None if the port was taken.
    pub(super) async fn try_start(hq: &Hq, more: &[(&str, &str)]) -> Option<Self> {
        // Free when it was asked for; the other replicas must know it before it is bound.
        let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
        let mut process = Command::new(env!("CARGO_BIN_EXE_lenses-mcp-server"))
            .env_clear()
            .current_dir(env!("CARGO_TARGET_TMPDIR"))
            .envs([
                ("TRANSPORT", "http"),
                ("LENSES_API_KEY", "key"),
                ("MCP_CALLERS", "anyone"),
                ("HOST", "127.0.0.1"),
                ("PORT", "0"),
                ("ADMIN_HOST", "127.0.0.1"),
                ("MCP_REPLICA_HOST", "127.0.0.1"),
                ("MCP_SEALING_KEY", "YSBrZXkgb2YgdGhpcnR5LXR3byBieXRlcyBvciBtb3Jl"),
                ("LOG_FORMAT", "json"),
            ])
            .env("ADMIN_PORT", port.to_string())
            .env("LENSES_URL", hq.url.as_str())
            .envs(more.iter().copied())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut log = BufReader::new(process.stderr.take().unwrap()).lines();
        let mut listening = Vec::new();
        while listening.len() < 2 {
            let line = log.next_line().await.unwrap()?;
            if line.contains("\"listening\"") {
                let line: Value = serde_json::from_str(&line).unwrap();
                listening.push(line["address"].as_str().unwrap().parse().unwrap());
            }
        }
        tokio::spawn(async move { while let Ok(Some(_)) = log.next_line().await {} });
        Some(Self { endpoint: listening[0], admin: listening[1], _process: process })
    }

    /// What the admin port counts.
    pub(super) async fn metrics(&self) -> String {
        let request = Request::get("/metrics").header("host", "localhost");
        let response = send(self.admin, request.body(Full::default()).unwrap()).await;
        let body = response.into_body().collect().await.unwrap().to_bytes();
        String::from_utf8(body.to_vec()).unwrap()
    }

    /// Sends a message.
    pub(super) async fn post(&self, session: Option<&str>, message: &Value) -> Response<Incoming> {
        let mut request = Request::post("/mcp")
            .header("host", "localhost")
            .header("content-type", "application/json")
            .header("accept", "application/json, text/event-stream")
            .header("mcp-protocol-version", REVISION);
        if let Some(session) = session {
            request = request.header("mcp-session-id", session);
        }
        let body = Full::new(Bytes::from(message.to_string()));
        send(self.endpoint, request.body(body).unwrap()).await
    }

    /// The session that `initialize` gives a client with `capabilities`.
    pub(super) async fn session(&self, capabilities: Value) -> Option<String> {
        let client = json!({ "name": "test", "version": "1" });
        let params = json!({
            "protocolVersion": REVISION, "capabilities": capabilities, "clientInfo": client,
        });
        let message =
            json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params });
        session_of(self.post(None, &message).await.headers())
    }
}

/// Sends a request over a connection of its own.
pub(super) async fn send(address: SocketAddr, request: Request<Full<Bytes>>) -> Response<Incoming> {
    let stream = TokioIo::new(TcpStream::connect(address).await.unwrap());
    let (mut sender, connection) = http1::handshake(stream).await.unwrap();
    tokio::spawn(connection);
    sender.send_request(request).await.unwrap()
}
