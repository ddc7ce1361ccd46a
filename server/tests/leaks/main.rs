//! Whole runs in which every token, secret, argument, answer and reply of HQ's is planted: none of
//! them is in the log at its lowest level, in a span, in a metric, in a diagnosis or in the audit
//! stream.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that fails says so by panicking")]
#![expect(dead_code, reason = "other tests use the rest of the collector and the stand-ins")]

#[path = "../traces/collector.rs"]
mod collector;
mod hq;
mod server;
#[path = "../mcp/hq.rs"]
mod sql;
mod stdio;
#[path = "../mcp/valid.rs"]
mod valid;

use lenses_mcp_server::tools;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use crate::{
    collector::Collector,
    hq::{Hq, TOKEN},
    server::Server,
};

/// What every planted text holds.
const PLANTED: &str = "pLaNtEd";
/// How base64 of it begins.
const ENCODED: &str = "cExhTnRFZ";

/// `value` with each text and each key below it planted in turn, one at a time.
fn planted(value: &Value) -> Vec<Value> {
    match value {
        Value::Object(members) => {
            let mut all = Vec::new();
            for (name, member) in members {
                for changed in planted(member) {
                    let mut members = members.clone();
                    members[name] = changed;
                    all.push(members.into());
                }
                let mut members = members.clone();
                if let Some(member) = members.remove(name) {
                    members.insert(format!("{PLANTED}-{name}"), member);
                }
                all.push(members.into());
            }
            all
        }
        Value::Array(items) => items.iter().flat_map(planted).map(|item| json!([item])).collect(),
        Value::String(text) => vec![json!(format!("{PLANTED}-argument-{}", text.len()))],
        _ => vec![json!(format!("{PLANTED}-number"))],
    }
}

/// A call of every tool with each argument planted.
fn planted_calls() -> Vec<(&'static str, Value)> {
    let calls = tools::registry().iter().flat_map(|tool| {
        let good = valid::arguments(tool.name());
        let all = std::iter::once(good.clone()).chain(planted(&good));
        all.map(|arguments| (tool.name(), arguments))
    });
    calls.collect()
}

/// Calls every tool with every argument planted, and asks for what else there is.
async fn use_everything(server: &Server) -> usize {
    let calls = planted_calls();
    for (tool, arguments) in &calls {
        server.call(TOKEN, tool, arguments).await;
    }
    for sql in ["SELECT 'pLaNtEd' FROM t", "DROP TABLE t; -- pLaNtEd", r"SELECT 'pLaNtEd\' FROM t"]
    {
        server.call(TOKEN, "execute_sql", &json!({ "environment": "dev", "sql": sql })).await;
    }
    server.call(TOKEN, PLANTED, &json!({ PLANTED: PLANTED })).await;
    for (method, params) in [
        (PLANTED, json!({ PLANTED: PLANTED })),
        ("initialize", json!({ "protocolVersion": PLANTED, "capabilities": {} })),
        ("prompts/get", json!({ "name": "write_sql_query", "arguments": { "task": PLANTED } })),
        ("prompts/get", json!({ "name": PLANTED })),
        ("resources/list", json!({})),
        ("resources/read", json!({ "uri": "lenses://pLaNtEd/pLaNtEd" })),
        (
            "completion/complete",
            json!({
                "ref": { "type": "ref/resource", "uri": "lenses://environments/{environment}" },
                "argument": { "name": "environment", "value": PLANTED },
            }),
        ),
    ] {
        server.post(&format!("Bearer {TOKEN}"), &message(method, &params)).await;
    }
    for (authorization, body) in [
        ("Bearer pLaNtEd-unknown", message("ping", &json!({}))),
        ("Bearer pLaNtEd one", message("ping", &json!({}))),
        ("Basic pLaNtEd", message("ping", &json!({}))),
        (&*format!("Bearer {TOKEN}"), r#"{"pLaNtEd":"#.to_owned()),
        (&*format!("Bearer {TOKEN}"), r#"["pLaNtEd"]"#.to_owned()),
    ] {
        server.post(authorization, &body).await;
    }
    calls.len()
}

fn message(method: &str, params: &Value) -> String {
    json!({ "jsonrpc": "2.0", "id": 7, "method": method, "params": params }).to_string()
}

/// An audit line without what it may name.
fn without_names(line: &str) -> String {
    let mut line: Value = serde_json::from_str(line).unwrap();
    let members = line.as_object_mut().unwrap();
    members.remove("environment");
    for object in members.get_mut("objects").and_then(Value::as_array_mut).into_iter().flatten() {
        object.as_object_mut().unwrap().remove("name");
    }
    line.to_string()
}

fn assert_clean(what: &str, text: &str) {
    for line in text.lines() {
        assert!(!line.to_lowercase().contains("planted"), "in the {what}: {line}");
        assert!(!line.contains(ENCODED), "in the {what}: {line}");
    }
}

fn assert_audit_is_clean(audit: &str) {
    let lines: Vec<_> = audit.lines().map(without_names).collect();
    assert_clean("audit stream", &lines.join("\n"));
    // What a call names is there.
    assert!(audit.contains("pLaNtEd-argument"), "{audit}");
}

/// Rows for statements.
async fn rows() -> sql::Query {
    let rows = sql::query(async |mut socket| {
        let record = json!({ "type": "RECORD", "data": { "value": { "name": PLANTED } } });
        sql::send(&mut socket, [record]).await;
        let _gone = futures::SinkExt::send(&mut socket, Message::Close(None)).await;
    });
    rows.await
}

/// Has questions asked, and gives each kind of answer: how many were asked.
async fn answer_questions(server: &Server) -> usize {
    let mut asked = 0;
    for (tool, arguments) in [
        ("delete_consumer_group", json!({ "environment": "dev", "group_id": "pLaNtEd-argument" })),
        ("execute_sql", json!({ "environment": "dev", "sql": "DROP TABLE a -- pLaNtEd" })),
    ] {
        for answer in [
            json!({ "action": "accept", "content": { "confirm": true, PLANTED: PLANTED } }),
            json!({ "action": "accept", "content": { "confirm": PLANTED } }),
            json!({ "action": "decline", PLANTED: PLANTED }),
            json!({ "action": PLANTED }),
        ] {
            let call = json!({ "arguments": arguments });
            let result = server.call_asking(TOKEN, tool, call).await;
            asked += usize::from(result["inputRequests"]["confirm"].is_object());
            for state in [result["requestState"].clone(), json!(PLANTED)] {
                let responses = json!({ "confirm": answer, PLANTED: answer });
                let call = json!({
                    "arguments": arguments, "requestState": state, "inputResponses": responses,
                });
                server.call_asking(TOKEN, tool, call).await;
            }
        }
    }
    asked
}

#[tokio::test]
async fn no_secret_argument_or_record_is_in_logs_spans_metrics_or_audit() {
    let (hq, rows) = (Hq::start().await, rows().await);
    let (collector, spans) = Collector::over_http().await;
    let settings = [
        ("LOG_FORMAT", "json"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", spans.as_str()),
        ("MCP_CONFIRM", "never"),
    ];
    let mut server = Server::start(&hq, &rows.url, "json", &settings).await;
    let calls = use_everything(&server).await;
    let (metrics, diagnosis) = (server.admin("/metrics").await, server.admin("/diagnostics").await);
    let run = server.end().await;

    // There is something to search.
    assert!(hq.answered_with_records() > 50, "{} records", hq.answered_with_records());
    let (log_lines, audit_lines) = (run.log.lines().count(), run.audit.lines().count());
    assert!(calls > 200 && log_lines > calls, "{calls} calls, {log_lines} lines");
    assert!(audit_lines > calls, "{audit_lines} audit lines");
    assert!(collector.spans().len() > calls, "{} spans", collector.spans().len());
    assert!(metrics.contains("tool_calls_total") && diagnosis.contains("introspection"));

    assert_clean("log", &run.log);
    assert_clean("spans", &collector.text());
    assert_clean("metrics", &metrics);
    assert_clean("diagnosis", &diagnosis);
    assert_audit_is_clean(&run.audit);
}

#[tokio::test]
async fn questions_and_answers_appear_in_no_log_span_metric_or_audit_line() {
    let (hq, rows) = (Hq::start().await, rows().await);
    let settings =
        [("LOG_FORMAT", "text"), ("OTEL_EXPORTER", "console"), ("MCP_CONFIRM", "destructive")];
    let mut server = Server::start(&hq, &rows.url, "text", &settings).await;
    let asked = answer_questions(&server).await;
    let calls = use_everything(&server).await;
    let metrics = server.admin("/metrics").await;
    let run = server.end().await;

    assert_eq!(asked, 8);
    // The user's decisions are there, and the spans are in the log.
    assert!(run.audit.contains(r#""decided_by":"user""#));
    let spans = run.log.lines().filter(|line| line.contains("tools/call")).count();
    assert!(spans > calls, "{spans} spans, {calls} calls");

    assert_clean("log", &run.log);
    assert_clean("metrics", &metrics);
    assert_audit_is_clean(&run.audit);
}

#[tokio::test]
async fn over_stdio_secrets_arguments_and_answers_appear_in_no_log_or_audit() {
    let (hq, rows) = (Hq::start().await, rows().await);
    let (asked, calls, run) = stdio::run(&hq, &rows.url).await;
    assert!(asked > 0 && calls > 200, "{asked} questions, {calls} calls");
    let (log_lines, audit_lines) = (run.log.lines().count(), run.audit.lines().count());
    assert!(log_lines > 100 && audit_lines > calls, "{log_lines} lines, {audit_lines} audited");
    assert_clean("log", &run.log);
    assert_audit_is_clean(&run.audit);
}
