//! A client that goes away, or wants the answer no longer: the query ends at HQ too.

use std::process::Stdio;

use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
    sync::oneshot,
};
use url::Url;

use super::{end, record, select};
use crate::{
    client::{Endpoint, Events, LEGACY, MODERN, request},
    hq::{Query, query, send, until_gone},
};

/// A query without end, and word that it runs. Its statement is told once the connection has ended.
async fn endless() -> (Query, oneshot::Receiver<()>) {
    let (started, has_started) = oneshot::channel();
    let query = query(|mut socket| async move {
        send(&mut socket, [record(0)]).await;
        started.send(()).unwrap();
        until_gone(&mut socket).await;
    })
    .await;
    (query, has_started)
}

#[tokio::test]
async fn a_client_that_leaves_before_the_response_stops_the_query_at_hq() {
    for revision in [LEGACY, MODERN] {
        let (query, has_started) = endless().await;
        let endpoint = Endpoint::new(&query.url);
        let params = json!({ "name": "execute_sql", "arguments": select() });
        tokio::select! {
            _ = endpoint.send(
                request(revision, "tools/call", params)
            ) => panic!("the query has no end"),
            _ = has_started => {}
        }
        query.statement.await.unwrap();
    }
}

#[tokio::test]
async fn a_client_that_leaves_a_stream_stops_the_query_at_hq() {
    for revision in [LEGACY, MODERN] {
        let (query, _has_started) = endless().await;
        let params = json!({
            "name": "execute_sql", "arguments": select(), "_meta": { "progressToken": 1 }
        });
        let mut events = Events::of(
            Endpoint::new(&query.url).send(request(revision, "tools/call", params)).await,
        );
        assert_eq!(events.next().await.unwrap()["method"], "notifications/progress");
        drop(events);
        query.statement.await.unwrap();
    }
}

/// The binary over standard input and output.
struct Local {
    process: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
}

impl Local {
    async fn start(hq: &Url, log_level: &str) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_lenses-mcp-server"))
            .env_clear()
            .envs([
                ("TRANSPORT", "stdio"),
                ("LENSES_API_KEY", "service-account"),
                ("LOG_LEVEL", log_level),
            ])
            .env("LENSES_URL", hq.as_str())
            .current_dir(env!("CARGO_TARGET_TMPDIR"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let input = process.stdin.take().unwrap();
        let output = BufReader::new(process.stdout.take().unwrap()).lines();
        let mut local = Self { process, input, output };
        let client = json!({ "name": "test", "version": "1" });
        let params = json!({ "protocolVersion": LEGACY, "capabilities": {}, "clientInfo": client });
        local.say(json!({ "id": 1, "method": "initialize", "params": params })).await;
        assert_eq!(local.hear().await["id"], 1);
        local.say(json!({ "method": "notifications/initialized" })).await;
        local
    }

    async fn say(&mut self, mut message: Value) {
        message["jsonrpc"] = json!("2.0");
        self.input.write_all(format!("{message}\n").as_bytes()).await.unwrap();
    }

    async fn hear(&mut self) -> Value {
        serde_json::from_str(&self.output.next_line().await.unwrap().unwrap()).unwrap()
    }

    /// Ends it: what it logged.
    async fn end(mut self) -> String {
        let mut log = String::new();
        let mut errors = self.process.stderr.take().unwrap();
        drop(self.input);
        errors.read_to_string(&mut log).await.unwrap();
        assert!(self.process.wait().await.unwrap().success());
        log
    }
}

#[tokio::test]
async fn a_local_cancel_stops_the_query_at_hq_without_a_response() {
    let (query, has_started) = endless().await;
    let mut local = Local::start(&query.url, "info").await;
    local
        .say(json!({
            "id": 5, "method": "tools/call",
            "params": { "name": "execute_sql", "arguments": select() }
        }))
        .await;
    has_started.await.unwrap();
    local.say(json!({ "method": "notifications/cancelled", "params": { "requestId": 5 } })).await;
    query.statement.await.unwrap();
    local.say(json!({ "id": 6, "method": "ping" })).await;
    assert_eq!(local.hear().await["id"], 6);
    let log = local.end().await;
    assert!(log.contains("cancelled"), "{log}");
}

#[tokio::test]
async fn no_record_and_no_statement_is_logged_at_any_level() {
    let query = query(|mut socket| async move {
        let row =
            json!({ "key": "jane.doe@example.com", "value": { "iban": "DE02120300000000202051" } });
        send(&mut socket, [json!({ "type": "RECORD", "data": row }), end()]).await;
        until_gone(&mut socket).await;
    })
    .await;
    let mut local = Local::start(&query.url, "trace").await;
    let arguments =
        json!({ "environment": "dev", "sql": "SELECT * FROM t WHERE name = 'Jane Doe'" });
    local
        .say(json!({
            "id": 5, "method": "tools/call",
            "params": { "name": "execute_sql", "arguments": arguments }
        }))
        .await;
    let reply = local.hear().await.to_string();
    assert!(
        reply.contains("jane.doe@example.com") && reply.contains("DE02120300000000202051"),
        "{reply}"
    );
    let log = local.end().await;
    assert!(log.contains("tool called") && log.contains("execute_sql"), "{log}");
    for secret in ["jane.doe", "DE0212", "Jane Doe", "SELECT", "service-account"] {
        assert!(!log.contains(secret), "{secret} is in {log}");
    }
}
