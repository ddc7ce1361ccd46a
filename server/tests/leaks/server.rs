//! The binary with everything on that tells something, and all that it told.

use std::{path::PathBuf, process::Stdio};

use serde_json::{Value, json};
use tokio::{
    fs,
    io::{AsyncBufReadExt, AsyncReadExt, BufReader},
    process::{Child, Command},
    task::JoinHandle,
};
use url::Url;

use crate::{hq::Hq, message};

pub(crate) struct Server {
    process: Child,
    endpoint: String,
    admin: String,
    /// The log, which is read to its end.
    log: JoinHandle<String>,
    audit: PathBuf,
    client: reqwest::Client,
}

/// What a run has told.
pub(crate) struct Run {
    pub(crate) log: String,
    pub(crate) audit: String,
}

impl Server {
    pub(crate) async fn start(hq: &Hq, sql: &Url, collector: &str) -> Self {
        let audit = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("leaks.jsonl");
        let _absent = fs::remove_file(&audit).await;
        let mut process = Command::new(env!("CARGO_BIN_EXE_lenses-mcp-server"))
            .env_clear()
            .current_dir(env!("CARGO_TARGET_TMPDIR"))
            .envs([
                ("OAUTH_ENABLED", "true"),
                ("LENSES_URL", hq.url.as_str()),
                ("LENSES_API_WEBSOCKET_URL", &sql.as_str().replace("http", "ws")),
                ("MCP_ADVERTISED_URL", "http://127.0.0.1"),
                ("INTROSPECTION_CLIENT_ID", "pLaNtEd-client"),
                ("INTROSPECTION_CLIENT_SECRET", "pLaNtEd-secret"),
                ("MCP_SEALING_KEY", "cExhTnRFZCBwTGFOdEVkIHBMYU50RWQgcExhTnRFZCBwTGFOdEVk"),
                ("MCP_CALLS_PER_MINUTE_PER_USER", "0"),
                ("MCP_CONFIRM", "never"),
                ("MCP_TOKEN_EXCHANGE", "off"),
            ])
            .envs([
                ("HOST", "127.0.0.1"),
                ("PORT", "0"),
                ("ADMIN_HOST", "127.0.0.1"),
                ("ADMIN_PORT", "0"),
                ("LOG_LEVEL", "trace"),
                ("LOG_FORMAT", "json"),
                ("OTEL_ENABLED", "true"),
                ("OTEL_EXPORTER_OTLP_ENDPOINT", collector),
                ("OTEL_EXPORTER_OTLP_HEADERS", "x-key=pLaNtEd"),
            ])
            .env("MCP_AUDIT", format!("file:{}", audit.display()))
            .stderr(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut log = BufReader::new(process.stderr.take().unwrap()).lines();
        let (mut text, mut listening) = (String::new(), Vec::new());
        while listening.len() < 2 {
            let line = log.next_line().await.unwrap().unwrap();
            let parsed: Value =
                serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
            if parsed["message"] == "listening" {
                listening.push(format!("http://{}", parsed["address"].as_str().unwrap()));
            }
            text.push_str(&line);
            text.push('\n');
        }
        // It goes on being read, or lines would be dropped.
        let log = tokio::spawn(async move {
            while let Some(line) = log.next_line().await.unwrap() {
                text.push_str(&line);
                text.push('\n');
            }
            text
        });
        // The client wants a provider even for plain HTTP; another test may have installed it.
        let _installed = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let [endpoint, admin] = listening.try_into().unwrap();
        Self { process, endpoint, admin, log, audit, client }
    }

    pub(crate) async fn post(&self, authorization: &str, body: &str) {
        let request = self
            .client
            .post(format!("{}/mcp?pLaNtEd=pLaNtEd", self.endpoint))
            .header("accept", "application/json, text/event-stream")
            .header("content-type", "application/json")
            .header("mcp-protocol-version", "2025-11-25")
            .header("authorization", authorization)
            .header("x-request-id", "pLaNtEd / not an id")
            .header("user-agent", "pLaNtEd");
        request.body(body.to_owned()).send().await.unwrap().bytes().await.unwrap();
    }

    pub(crate) async fn call(&self, token: &str, tool: &str, arguments: &Value) {
        let params = json!({ "name": tool, "arguments": arguments });
        self.post(&format!("Bearer {token}"), &message("tools/call", &params)).await;
    }

    /// What the admin port says at `path`.
    pub(crate) async fn admin(&self, path: &str) -> String {
        let request = self.client.get(format!("{}{path}", self.admin));
        request.send().await.unwrap().text().await.unwrap()
    }

    /// Ends it with SIGTERM, and reads all that it told to the end.
    pub(crate) async fn end(&mut self) -> Run {
        let id = self.process.id().unwrap().to_string();
        assert!(Command::new("kill").arg("-TERM").arg(id).status().await.unwrap().success());
        let log = (&mut self.log).await.unwrap();
        let mut stdout = String::new();
        self.process.stdout.take().unwrap().read_to_string(&mut stdout).await.unwrap();
        assert_eq!(stdout, "");
        assert!(self.process.wait().await.unwrap().success());
        Run { log, audit: fs::read_to_string(&self.audit).await.unwrap() }
    }
}
