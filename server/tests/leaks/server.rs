//! The binary with everything on that tells something, and all that it told.

use std::{path::PathBuf, process::Stdio};

use reqwest::RequestBuilder;
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

/// Planted twice: as it is written, and, from the seventh byte on, as it is decoded.
const SEALING_KEY: &str = "pLaNtEd+cExhTnRFZCBwTGFOdEVkIHBMYU50RWQgcExhTnRFZCBwTGFOdEVk";

/// What a run has told.
pub(crate) struct Run {
    pub(crate) log: String,
    pub(crate) audit: String,
}

impl Server {
    /// Starts it over HTTP with `more` settings. `name` is that of the run.
    pub(crate) async fn start(hq: &Hq, sql: &Url, name: &str, more: &[(&str, &str)]) -> Self {
        let audit = audit_file(name).await;
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
                ("MCP_SEALING_KEY", SEALING_KEY),
                ("MCP_CALLS_PER_MINUTE_PER_USER", "0"),
                ("MCP_TOKEN_EXCHANGE", "off"),
                ("HOST", "127.0.0.1"),
                ("PORT", "0"),
                ("ADMIN_HOST", "127.0.0.1"),
                ("ADMIN_PORT", "0"),
                ("LOG_LEVEL", "trace"),
                ("OTEL_ENABLED", "true"),
                ("OTEL_EXPORTER_OTLP_HEADERS", "x-key=pLaNtEd"),
            ])
            .envs(more.iter().copied())
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
            listening.extend(address(&line).map(|address| format!("http://{address}")));
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

    fn request(&self, authorization: &str, body: &str) -> RequestBuilder {
        self.client
            .post(format!("{}/mcp?pLaNtEd=pLaNtEd", self.endpoint))
            .header("accept", "application/json, text/event-stream")
            .header("content-type", "application/json")
            .header("authorization", authorization)
            .header("x-request-id", "pLaNtEd / not an id")
            .header("user-agent", "pLaNtEd")
            .body(body.to_owned())
    }

    pub(crate) async fn post(&self, authorization: &str, body: &str) {
        let request = self.request(authorization, body);
        let request = request.header("mcp-protocol-version", "2025-11-25");
        request.send().await.unwrap().bytes().await.unwrap();
    }

    /// Calls a tool as a client whose user can be asked: the result.
    pub(crate) async fn call_asking(&self, token: &str, tool: &str, mut params: Value) -> Value {
        const REVISION: &str = "2026-07-28";
        params["name"] = json!(tool);
        params["_meta"] = json!({
            "io.modelcontextprotocol/protocolVersion": REVISION,
            "io.modelcontextprotocol/clientCapabilities": { "elicitation": { "form": {} } },
        });
        let request = self.request(&format!("Bearer {token}"), &message("tools/call", &params));
        let request = request
            .header("mcp-protocol-version", REVISION)
            .header("mcp-method", "tools/call")
            .header("mcp-name", tool);
        let reply = request.send().await.unwrap().text().await.unwrap();
        let reply: Value = serde_json::from_str(&reply).unwrap_or_else(|_| panic!("{reply}"));
        reply["result"].clone()
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

/// A file for the audit lines of the run `name`.
pub(crate) async fn audit_file(name: &str) -> PathBuf {
    let audit = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("leaks-{name}.jsonl"));
    let _absent = fs::remove_file(&audit).await;
    audit
}

/// The address in a line of the log, in either format, that says where the server listens.
fn address(line: &str) -> Option<String> {
    let Ok(line) = serde_json::from_str::<Value>(line) else {
        return line.split_once(" listening address=").map(|(_, address)| address.to_owned());
    };
    let address = line["address"].as_str().filter(|_| line["message"] == "listening");
    address.map(str::to_owned)
}
