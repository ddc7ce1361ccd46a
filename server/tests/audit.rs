//! The audit stream of the binary: on standard output, apart from the log, and in nobody's way.

#![expect(clippy::unwrap_used, reason = "a test that fails says so by panicking")]
#![expect(dead_code, reason = "other tests use the rest of the stand-in")]

#[path = "mcp/hq.rs"]
mod hq;

use std::process::Stdio;

use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    net::{TcpListener, TcpStream},
    process::{Child, ChildStdout, Command},
};

use crate::hq::Hq;

struct Server {
    process: Child,
    endpoint: String,
    admin: String,
    client: reqwest::Client,
}

/// A port that was free a moment ago.
async fn free_port() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap().port().to_string()
}

impl Server {
    /// Starts the binary, which logs errors only.
    async fn start(hq: &Hq) -> Self {
        let (port, admin) = (free_port().await, free_port().await);
        let process = Command::new(env!("CARGO_BIN_EXE_lenses-mcp-server"))
            .env_clear()
            .current_dir(env!("CARGO_TARGET_TMPDIR"))
            .envs([
                ("TRANSPORT", "http"),
                ("LENSES_API_KEY", "key"),
                ("MCP_CALLERS", "anyone"),
                ("LENSES_URL", hq.url.as_str()),
                ("HOST", "127.0.0.1"),
                ("PORT", &port),
                ("ADMIN_HOST", "127.0.0.1"),
                ("ADMIN_PORT", &admin),
                ("LOG_LEVEL", "error"),
                ("MCP_CALLS_PER_MINUTE_PER_USER", "0"),
            ])
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        // It does not say when it listens, at this level.
        for port in [&port, &admin] {
            while TcpStream::connect(format!("127.0.0.1:{port}")).await.is_err() {
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
        }
        // The client wants a provider even for plain HTTP; another test may have installed it.
        let _installed = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let address = |port| format!("http://127.0.0.1:{port}");
        Self { process, endpoint: address(port) + "/mcp", admin: address(admin), client }
    }

    fn stdout(&mut self) -> BufReader<ChildStdout> {
        BufReader::new(self.process.stdout.take().unwrap())
    }

    /// Calls a tool: the response's status and request id.
    async fn call(&self, tool: &str, arguments: &Value) -> (u16, String) {
        let params = json!({ "name": tool, "arguments": arguments });
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params });
        let request = self.client.post(&self.endpoint).json(&body);
        let response = request.header("accept", "application/json").send().await.unwrap();
        let id = response.headers()["x-request-id"].to_str().unwrap().to_owned();
        (response.status().as_u16(), id)
    }

    /// How many audit lines were dropped.
    async fn dropped(&self) -> u64 {
        let metrics = self.client.get(format!("{}/metrics", self.admin)).send().await.unwrap();
        let metrics = metrics.text().await.unwrap();
        let counter = "lenses_mcp_audit_lines_dropped_total ";
        let value = metrics.lines().find_map(|line| line.strip_prefix(counter));
        value.unwrap().parse().unwrap()
    }
}

#[tokio::test]
async fn audit_lines_are_on_standard_output_whatever_the_log_level() {
    let hq = Hq::giving(&json!({ "name": "orders" })).await;
    let mut server = Server::start(&hq).await;
    let arguments = json!({ "environment": "dev", "topic_name": "orders" });
    let (status, id) = server.call("get_topic", &arguments).await;
    assert_eq!(status, 200);
    let line = server.stdout().lines().next_line().await.unwrap().unwrap();
    assert!(line.starts_with("{\"schema\":\"lenses-mcp-audit/1\","), "{line}");
    let line: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(line["request_id"], id);
    assert_eq!(line["objects"], json!([{ "kind": "topic", "name": "orders" }]));
    assert_eq!((&line["peer_address"], &line["outcome"]), (&json!("127.0.0.1"), &json!("success")));
}

#[tokio::test]
async fn a_slow_reader_holds_up_no_call_and_loses_counted_lines() {
    let hq = Hq::giving(&json!({})).await;
    let mut server = Server::start(&hq).await;
    // Refused for its arguments, so that HQ is not asked, and named in full.
    let names: Vec<_> = (0..8).map(|number| format!("{number}-{}", "x".repeat(250))).collect();
    let arguments = json!({ "environment": "dev", "group_id": "", "topics": names });
    let mut calls = 0;
    while server.dropped().await == 0 {
        for _ in 0..100 {
            let (status, _) = server.call("delete_consumer_group_offsets", &arguments).await;
            assert_eq!(status, 200);
            calls += 1;
        }
        assert!(calls < 5_000, "nothing is dropped after {calls} calls");
    }
    // Once somebody reads, what waited comes whole, and what is called then is there again.
    let mut lines = server.stdout().lines();
    for _ in 0..calls - server.dropped().await {
        let line = lines.next_line().await.unwrap().unwrap();
        let line: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(line["tool"], "delete_consumer_group_offsets");
    }
    let (_, id) = server.call("whoami", &json!({})).await;
    let line: Value = serde_json::from_str(&lines.next_line().await.unwrap().unwrap()).unwrap();
    assert_eq!(line["request_id"], id);
}

#[tokio::test]
async fn a_file_that_cannot_be_written_is_named_with_the_remedy() {
    let output = Command::new(env!("CARGO_BIN_EXE_lenses-mcp-server"))
        .env_clear()
        .current_dir(env!("CARGO_TARGET_TMPDIR"))
        .envs([("LENSES_API_KEY", "key"), ("MCP_AUDIT", "file:/nonexistent/a.jsonl")])
        .output()
        .await
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        String::from_utf8(output.stderr).unwrap(),
        "MCP_AUDIT is \"file:/nonexistent/a.jsonl\", which can't be written to: No such file or \
         directory (os error 2); name a file in a directory that exists and in which this server's \
         user may write, or write stdout or off\n"
    );
}
