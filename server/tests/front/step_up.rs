//! Scopes that depend on a call's arguments: they are asked for before the tool runs.

use http::StatusCode;
use serde_json::{Value, json};

use crate::{
    client::{Server, With as _, post},
    hq::Hq,
};

/// The scopes of the challenge that a call gets; none if the call is let in.
async fn challenged(server: &Server, token: &str, tool: &str, arguments: &Value) -> Option<String> {
    let call = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call",
        "params": { "name": tool, "arguments": arguments } });
    let request = post(&call.to_string()).with_header("authorization", &format!("Bearer {token}"));
    let answer = server.send(request).await;
    if answer.status == StatusCode::OK {
        return None;
    }
    assert_eq!(answer.status, StatusCode::FORBIDDEN, "{answer:?}");
    let challenge = answer.challenge().unwrap();
    assert!(challenge.contains("error=\"insufficient_scope\""), "{challenge}");
    let (_, scopes) = challenge.split_once(" scope=\"").unwrap();
    Some(scopes.split_once('"').unwrap().0.to_owned())
}

#[tokio::test]
async fn settings_that_delete_records_are_asked_for_with_delete() {
    let hq = Hq::start().await;
    let server = Server::with_oauth(&hq, &[]);
    hq.issue("writer", json!({ "scope": "write" }));
    hq.issue("deleter", json!({ "scope": "write delete" }));
    let set = |configs: Value| {
        let mut arguments = json!({ "environment": "dev", "topic_name": "orders" });
        arguments["configs"] = configs;
        arguments
    };
    let retention = json!([{ "key": "retention.ms", "value": "1" }]);
    let text = retention.to_string();
    let texts = json!([retention[0].to_string()]);
    for configs in [retention, json!(text), texts, json!({ "retention.ms": "1" })] {
        let arguments = set(configs);
        let asked = challenged(&server, "writer", "update_topic_config", &arguments).await;
        assert_eq!(asked.as_deref(), Some("write delete"), "{arguments}");
        assert_eq!(challenged(&server, "deleter", "update_topic_config", &arguments).await, None);
    }
    let harmless = set(json!([{ "key": "compression.type", "value": "zstd" }]));
    assert_eq!(challenged(&server, "writer", "update_topic_config", &harmless).await, None);
}

#[tokio::test]
async fn the_statement_of_a_processor_decides_its_scopes() {
    let hq = Hq::start().await;
    let server = Server::with_oauth(&hq, &[]);
    hq.issue("writer", json!({ "scope": "write" }));
    hq.issue("both", json!({ "scope": "read write" }));
    let create = |sql: &str| json!({ "environment": "dev", "name": "p", "sql": sql });
    let reads = create("INSERT INTO big SELECT STREAM * FROM orders");
    let tool = "create_sql_processor";
    assert_eq!(challenged(&server, "writer", tool, &reads).await.as_deref(), Some("read write"));
    assert_eq!(challenged(&server, "both", tool, &reads).await, None);
    let drops = create("DROP TABLE orders");
    let asked = challenged(&server, "both", tool, &drops).await;
    assert_eq!(asked.as_deref(), Some("read write delete"));
}
