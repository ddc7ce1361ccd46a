//! The binary with traces on, in front of an HQ that notes which trace it was asked in.

use std::{
    process::Stdio,
    sync::{Arc, Mutex},
};

use axum::{Json, Router, extract::State, response::IntoResponse, routing::get};
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    net::TcpListener,
    process::{Child, ChildStderr, Command},
};

type Traceparents = Arc<Mutex<Vec<Option<String>>>>;

/// A running server.
pub(crate) struct Server {
    process: Child,
    endpoint: String,
    admin: String,
    log: Lines<BufReader<ChildStderr>>,
    /// The log so far.
    pub(crate) lines: Vec<Value>,
    client: reqwest::Client,
    hq: Traceparents,
}

async fn environments(State(hq): State<Traceparents>, headers: HeaderMap) -> impl IntoResponse {
    hq.lock()
        .unwrap()
        .push(headers.get("traceparent").map(|value| value.to_str().unwrap().to_owned()));
    Json(json!({ "items": [{ "name": "hunter-record" }] }))
}

async fn refuse(State(hq): State<Traceparents>, headers: HeaderMap) -> impl IntoResponse {
    hq.lock()
        .unwrap()
        .push(headers.get("traceparent").map(|value| value.to_str().unwrap().to_owned()));
    (StatusCode::FORBIDDEN, "hunter-reply")
}

impl Server {
    /// Starts the binary with these settings.
    pub(crate) async fn start(settings: &[(&str, &str)]) -> Self {
        let hq = Traceparents::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new()
            .route("/api/v1/environments", get(environments))
            .fallback(refuse)
            .with_state(hq.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        let mut process = Command::new(env!("CARGO_BIN_EXE_lenses-mcp-server"))
            .env_clear()
            .current_dir(env!("CARGO_TARGET_TMPDIR"))
            .envs([
                ("LENSES_API_KEY", "hunter-key"),
                ("MCP_CALLERS", "anyone"),
                ("TRANSPORT", "http"),
            ])
            .envs([
                ("HOST", "127.0.0.1"),
                ("PORT", "0"),
                ("ADMIN_HOST", "127.0.0.1"),
                ("ADMIN_PORT", "0"),
            ])
            .envs([("LENSES_URL", url.as_str()), ("LOG_FORMAT", "json")])
            .envs(settings.iter().copied())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let log = BufReader::new(process.stderr.take().unwrap()).lines();
        // The client wants a provider even for plain HTTP; another test may have installed it.
        let _installed = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let mut server = Self {
            process,
            endpoint: String::new(),
            admin: String::new(),
            log,
            lines: Vec::new(),
            client,
            hq,
        };
        let line = server.line("listening").await;
        server.endpoint = format!("http://{}/mcp", line["address"].as_str().unwrap());
        let line = server.line("listening").await;
        server.admin = format!("http://{}", line["address"].as_str().unwrap());
        server
    }

    /// What Prometheus is told.
    pub(crate) async fn metrics(&self) -> String {
        let answer = self.client.get(format!("{}/metrics", self.admin)).send().await.unwrap();
        answer.text().await.unwrap()
    }

    /// The next line of the log with this message.
    pub(crate) async fn line(&mut self, message: &str) -> Value {
        loop {
            let line = self.log.next_line().await.unwrap();
            let line: Value =
                serde_json::from_str(&line.unwrap_or_else(|| panic!("{message} was not logged")))
                    .unwrap();
            self.lines.push(line.clone());
            if line["message"].as_str().is_some_and(|text| text.starts_with(message)) {
                return line;
            }
        }
    }

    /// Sends a request, within the span of a client where `traceparent` is given in a header.
    pub(crate) async fn send(
        &self,
        method: &str,
        params: Value,
        traceparent: Option<&str>,
    ) -> Value {
        let mut request = self
            .client
            .post(&self.endpoint)
            .header("accept", "application/json, text/event-stream")
            .header("mcp-protocol-version", "2025-11-25")
            .json(&json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params }));
        if let Some(traceparent) = traceparent {
            request = request.header("traceparent", traceparent);
        }
        request.send().await.unwrap().json().await.unwrap()
    }

    /// The `traceparent` of each request to HQ.
    pub(crate) fn asked_hq_in(&self) -> Vec<Option<String>> {
        self.hq.lock().unwrap().clone()
    }

    /// Ends it with SIGTERM, and reads its log to the end.
    pub(crate) async fn end(&mut self) {
        let id = self.process.id().unwrap().to_string();
        assert!(Command::new("kill").arg("-TERM").arg(id).status().await.unwrap().success());
        while let Some(line) = self.log.next_line().await.unwrap() {
            self.lines.push(serde_json::from_str(&line).unwrap());
        }
        assert!(self.process.wait().await.unwrap().success());
    }

    /// How many lines say so.
    pub(crate) fn said(&self, message: &str) -> usize {
        self.lines
            .iter()
            .filter(|line| line["message"].as_str().is_some_and(|text| text.contains(message)))
            .count()
    }
}
