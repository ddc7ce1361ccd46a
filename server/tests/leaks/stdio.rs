//! The binary over standard input and output, with a text log.

use std::process::Stdio;

use serde_json::{Value, json};
use tokio::{
    fs,
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Lines},
    process::{ChildStdin, ChildStdout, Command},
};
use url::Url;

use crate::{
    PLANTED,
    hq::Hq,
    planted_calls,
    server::{Run, audit_file},
};

/// A client on the same machine, whose user answers each question.
struct Client {
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
    asked: usize,
}

impl Client {
    async fn send(&mut self, message: &Value) {
        self.input.write_all(format!("{message}\n").as_bytes()).await.unwrap();
    }

    /// Sends a request and waits for its response.
    async fn request(&mut self, method: &str, params: &Value) {
        let request = json!({ "jsonrpc": "2.0", "id": 7, "method": method, "params": params });
        self.send(&request).await;
        loop {
            let line = self.output.next_line().await.unwrap().unwrap();
            let message: Value = serde_json::from_str(&line).unwrap();
            if message["method"] == "elicitation/create" {
                self.asked += 1;
                let yes = self.asked.is_multiple_of(2);
                let content = json!({ "confirm": yes, PLANTED: PLANTED });
                let result = json!({ "action": "accept", "content": content });
                let id = message["id"].clone();
                self.send(&json!({ "jsonrpc": "2.0", "id": id, "result": result })).await;
            } else if message["id"] == 7 {
                return;
            }
        }
    }
}

/// A whole run: how many questions were asked, how many calls made, and what was told.
pub(crate) async fn run(hq: &Hq, sql: &Url) -> (usize, usize, Run) {
    let audit = audit_file("stdio").await;
    let mut process = Command::new(env!("CARGO_BIN_EXE_lenses-mcp-server"))
        .env_clear()
        .current_dir(env!("CARGO_TARGET_TMPDIR"))
        .envs([
            ("LENSES_API_KEY", "pLaNtEd-key"),
            ("LENSES_URL", hq.url.as_str()),
            ("LENSES_API_WEBSOCKET_URL", &sql.as_str().replace("http", "ws")),
            ("LOG_LEVEL", "trace"),
            ("MCP_CALLS_PER_MINUTE_PER_USER", "0"),
        ])
        .env("MCP_AUDIT", format!("file:{}", audit.display()))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut stderr = process.stderr.take().unwrap();
    // It is read all the time, or lines would be dropped.
    let log = tokio::spawn(async move {
        let mut log = String::new();
        stderr.read_to_string(&mut log).await.unwrap();
        log
    });
    let output = BufReader::new(process.stdout.take().unwrap()).lines();
    let mut client = Client { input: process.stdin.take().unwrap(), output, asked: 0 };
    let initialize = json!({
        "protocolVersion": "2025-11-25", "capabilities": { "elicitation": {} },
        "clientInfo": { "name": PLANTED, "version": PLANTED },
    });
    client.request("initialize", &initialize).await;
    client.send(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" })).await;
    let calls = planted_calls();
    for (tool, arguments) in &calls {
        client.request("tools/call", &json!({ "name": tool, "arguments": arguments })).await;
    }
    client.request(PLANTED, &json!({ PLANTED: PLANTED })).await;
    let asked = client.asked;
    drop(client);
    assert!(process.wait().await.unwrap().success());
    let audit = fs::read_to_string(&audit).await.unwrap();
    (asked, calls.len(), Run { log: log.await.unwrap(), audit })
}
