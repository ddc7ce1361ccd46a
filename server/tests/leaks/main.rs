//! A whole run in which every token, secret, argument and reply of HQ's is planted: none of them is
//! in the log at its lowest level, in a span, in a metric, in a diagnosis or in the audit stream.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that fails says so by panicking")]
#![expect(dead_code, reason = "other tests use the rest of the collector and the stand-ins")]

#[path = "../traces/collector.rs"]
mod collector;
mod hq;
mod server;
#[path = "../mcp/hq.rs"]
mod sql;
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

/// Calls every tool with every argument planted, and asks for what else there is.
async fn use_everything(server: &Server) -> usize {
    let mut calls = 0;
    for tool in tools::registry().iter() {
        let good = valid::arguments(tool.name());
        for arguments in std::iter::once(good.clone()).chain(planted(&good)) {
            server.call(TOKEN, tool.name(), &arguments).await;
            calls += 1;
        }
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
    calls
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
    }
}

#[tokio::test]
async fn no_secret_argument_or_record_is_in_logs_spans_metrics_or_audit() {
    let rows = sql::query(async |mut socket| {
        let record = json!({ "type": "RECORD", "data": { "value": { "name": PLANTED } } });
        sql::send(&mut socket, [record]).await;
        let _gone = futures::SinkExt::send(&mut socket, Message::Close(None)).await;
    });
    let (hq, rows) = (Hq::start().await, rows.await);
    let (collector, spans) = Collector::over_http().await;
    let mut server = Server::start(&hq, &rows.url, &spans).await;
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
    let audit: Vec<_> = run.audit.lines().map(without_names).collect();
    assert_clean("audit stream", &audit.join("\n"));
    // What a call names is there.
    assert!(run.audit.contains("pLaNtEd-argument"), "{}", run.audit);
}
