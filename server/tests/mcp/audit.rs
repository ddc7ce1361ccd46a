//! What is recorded of calls: before a change, at the end, and by whose decision.

use lenses_mcp_server::{policy, scope::Scope, settings::Confirm};
use serde_json::{Value, json};

use crate::{
    client::{Endpoint, LEGACY, Limits, MODERN, read, request},
    hq::Hq,
};

/// Calls `tool` in the latest revision, for a client that can show forms.
async fn call(
    endpoint: &Endpoint,
    tool: &str,
    arguments: &Value,
    answer: Option<(&Value, &str)>,
) -> Value {
    let mut params = json!({ "name": tool, "arguments": arguments });
    params["_meta"]["io.modelcontextprotocol/clientCapabilities"] =
        json!({ "elicitation": { "form": {} } });
    if let Some((state, action)) = answer {
        params["requestState"] = state.clone();
        let content = json!({ "confirm": action == "accept" });
        params["inputResponses"] = json!({ "confirm": { "action": action, "content": content } });
    }
    read(endpoint.send(request(MODERN, "tools/call", params)).await).await.1
}

fn group(id: &str) -> Value {
    json!({ "environment": "dev", "group_id": id })
}

/// Phase, decision, who made it, why and the outcome of each line.
fn decisions(lines: &[Value]) -> Vec<Value> {
    let names = ["phase", "decision", "decided_by", "reason", "outcome"];
    lines.iter().map(|line| names.iter().map(|name| line[*name].clone()).collect()).collect()
}

#[tokio::test]
async fn a_dropped_table_is_named_before_hq_is_asked_and_after() {
    let hq = Hq::answering(403, "application/json", r#"{"title":"no"}"#).await;
    let endpoint = Endpoint::with(&hq.url, Limits::default(), Confirm::Never, None);
    let sql = "DROP TABLE payments";
    endpoint.failure("execute_sql", json!({ "environment": "dev", "sql": sql })).await;
    let lines = endpoint.audit.lines();
    assert_eq!(
        decisions(&lines),
        [
            json!(["started", "allowed", "policy", null, null]),
            json!(["finished", "denied", "hq", "forbidden", "denied"]),
        ]
    );
    for line in &lines {
        assert_eq!(line["objects"], json!([{ "kind": "table", "name": "payments" }]));
        assert_eq!(line["statement_classes"], json!(["DROP"]));
        assert_eq!(
            line["statement_sha256"],
            "f2944385416be6ce2b6112dc780cce2135737f15c1b6a769071fe522756bcd7e"
        );
        assert_eq!((&line["environment"], &line["subject"]), (&json!("dev"), &json!("alice")));
    }
    assert_eq!(lines[0]["request_id"], lines[1]["request_id"]);
    assert!(!endpoint.audit.text().contains("DROP TABLE"), "the statement is recorded");
}

#[tokio::test]
async fn each_decision_is_recorded_with_who_made_it() {
    let hq = Hq::answering(204, "", "").await;
    let options =
        policy::Options { deny: vec!["get_topic".parse().unwrap()], ..policy::Options::default() };
    let endpoint = Endpoint::with(&hq.url, Limits::default(), Confirm::Destructive, Some(options));
    let delete = "delete_consumer_group";
    for action in ["accept", "decline", "cancel"] {
        let asked = call(&endpoint, delete, &group("g"), None).await;
        let state = &asked["result"]["requestState"];
        call(&endpoint, delete, &group("g"), Some((state, action))).await;
    }
    let topic = json!({ "environment": "dev", "topic_name": "t" });
    endpoint.failure("get_topic", topic).await;
    endpoint.failure(delete, json!({ "environment": "dev" })).await;
    endpoint.request(LEGACY, "tools/call", json!({ "name": "rm_rf" })).await;
    let pending = json!(["finished", "pending", "user", null, "asked"]);
    assert_eq!(
        decisions(&endpoint.audit.lines()),
        [
            pending.clone(),
            json!(["started", "allowed", "user", null, null]),
            json!(["finished", "allowed", "user", null, "success"]),
            pending.clone(),
            json!(["finished", "denied", "user", "decline", "declined"]),
            pending,
            json!(["finished", "denied", "user", "cancel", "cancelled"]),
            json!(["finished", "denied", "policy", "MCP_TOOLS_DENY", "denied"]),
            json!(["finished", "allowed", "policy", null, "error"]),
            json!(["finished", "allowed", "policy", null, "error"]),
        ]
    );
}

#[tokio::test]
async fn a_client_that_cannot_ask_is_recorded_as_refused_by_mcp_confirm() {
    let hq = Hq::answering(204, "", "").await;
    let endpoint = Endpoint::with(&hq.url, Limits::default(), Confirm::Required, None);
    endpoint.failure("delete_consumer_group", group("g")).await;
    let readers = Endpoint::new(&hq.url).with_scopes(Scope::Read.into());
    readers.failure("delete_consumer_group", group("g")).await;
    assert_eq!(
        [decisions(&endpoint.audit.lines()), decisions(&readers.audit.lines())].concat(),
        [
            json!(["finished", "denied", "policy", "MCP_CONFIRM", "denied"]),
            json!(["finished", "denied", "scope", "insufficient_scope", "denied"]),
        ]
    );
    assert_eq!(hq.lines(), [""; 0]);
}

#[tokio::test]
async fn prompts_and_resources_are_recorded_by_name_and_kind() {
    let hq = Hq::giving(&json!({ "name": "orders" })).await;
    let endpoint = Endpoint::new(&hq.url);
    let uri = json!({ "uri": "lenses://environments/dev/topics/orders" });
    endpoint.request(LEGACY, "resources/read", uri).await;
    let arguments = json!({ "environment": "dev", "topic": "orders" });
    let prompt = json!({ "name": "list_consumer_groups_for_topic", "arguments": arguments });
    endpoint.request(LEGACY, "prompts/get", prompt).await;
    let lines = endpoint.audit.lines();
    let names = ["method", "resource", "prompt", "environment", "objects"];
    let found: Vec<Value> =
        lines.iter().map(|line| names.iter().map(|name| line[*name].clone()).collect()).collect();
    assert_eq!(
        found,
        [
            json!([
                "resources/read", "topic", null, "dev", [{ "kind": "topic", "name": "orders" }]
            ]),
            json!(["prompts/get", null, "list_consumer_groups_for_topic", "dev", null]),
        ]
    );
}

#[tokio::test]
async fn names_that_are_listed_or_proposed_are_recorded_without_them() {
    let hq = Hq::with(&[
        ("", json!({ "items": [{ "name": "dev" }] })),
        ("/dev/proxy/api/topics", json!([{ "topicName": "payroll" }])),
    ])
    .await;
    let refusing = Hq::answering(403, "application/json", r#"{"title":"no"}"#).await;
    let complete = json!({
        "ref": {
            "type": "ref/resource", "uri": "lenses://environments/{environment}/topics/{topic}"
        },
        "argument": { "name": "topic", "value": "pay" },
        "context": { "arguments": { "environment": "dev" } },
    });
    let mut found = Vec::new();
    for endpoint in [
        Endpoint::new(&hq.url),
        Endpoint::new(&refusing.url),
        Endpoint::new(&hq.url).with_scopes(Scope::Write.into()),
    ] {
        endpoint.request(MODERN, "resources/list", json!({})).await;
        endpoint.request(MODERN, "completion/complete", complete.clone()).await;
        let lines = endpoint.audit.lines();
        assert!(lines.iter().all(|line| line["objects"].is_null()), "{lines:?}");
        let fields = ["method", "environment", "decided_by", "reason", "outcome"];
        found.extend(lines.iter().map(|line| {
            fields
                .iter()
                .map(|name| line[*name].as_str().unwrap_or("-"))
                .collect::<Vec<_>>()
                .join(" ")
        }));
        assert!(!endpoint.audit.text().contains("pay"), "what was typed or found is recorded");
    }
    assert_eq!(
        found,
        [
            "resources/list - policy - success",
            "completion/complete dev policy - success",
            "resources/list - hq forbidden denied",
            "completion/complete dev hq forbidden denied",
            "resources/list - scope insufficient_scope denied",
            "completion/complete dev scope insufficient_scope denied",
        ]
    );
}
