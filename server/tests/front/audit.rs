//! What is recorded of a request that is refused in front of MCP, and what joins the records.

use http::StatusCode;
use lenses_mcp_server::{client_address::ClientAddress, identity::Fingerprint};
use serde_json::{Value, json};

use crate::{
    client::{DELETE, READ, Server, With, call},
    hq::Hq,
};

const PARENT: &str = "00-11111111111111111111111111111111-1111111111111111-01";

/// The members of `line` that are named.
fn members(line: &Value, names: &[&str]) -> Value {
    names.iter().map(|name| ((*name).to_owned(), line[*name].clone())).collect()
}

#[tokio::test]
async fn a_refused_request_is_recorded_with_who_from_where_and_why() {
    let hq = Hq::start().await;
    let server = Server::with_oauth(&hq, &[("MCP_CALLS_PER_MINUTE_PER_USER", "2")]);
    hq.issue("reader", json!({ "scope": "read", "sub": "bob", "client_id": "codex" }));
    let bearer = |token: &str| format!("Bearer {token}");
    for (request, status) in [
        // The begin of each sign-in, and no attempt.
        (call(READ), 401),
        (call(READ).with_header("authorization", "Bearer"), 400),
        (call(READ).with_header("authorization", &bearer("stolen")), 401),
        (call(DELETE).with_header("authorization", &bearer("reader")), 403),
        (call(READ).with_header("authorization", &bearer("reader")), 200),
        (call(READ).with_header("authorization", &bearer("reader")), 429),
    ] {
        let mut request = request;
        let (peer, client) = ("10.0.0.1:4711".parse().unwrap(), "192.0.2.7".parse().unwrap());
        request.extensions_mut().insert(ClientAddress { peer, client, own: None });
        assert_eq!(server.send(request).await.status.as_u16(), status);
    }
    let lines = server.audit.lines();
    let names =
        ["event", "token_fingerprint", "subject", "tool", "decision", "decided_by", "reason"];
    let found: Vec<_> = lines.iter().map(|line| members(line, &names)).collect();
    let reader = Fingerprint::of("reader").to_string();
    let expected = [
        json!(["sign_in", null, null, null, "denied", "sign_in", "malformed"]),
        json!([
            "sign_in",
            Fingerprint::of("stolen").to_string(),
            null,
            null,
            "denied",
            "sign_in",
            "invalid"
        ]),
        json!(["call", reader, "bob", DELETE, "denied", "scope", "insufficient_scope"]),
        json!(["call", reader, "bob", READ, "allowed", "policy", null]),
        json!(["call", reader, "bob", READ, "denied", "limit", "MCP_CALLS_PER_MINUTE_PER_USER"]),
    ];
    let expected: Vec<Value> = expected
        .iter()
        .map(|values| {
            let values = values.as_array().unwrap();
            names
                .iter()
                .zip(values)
                .map(|(name, value)| ((*name).to_owned(), value.clone()))
                .collect()
        })
        .collect();
    assert_eq!(found, expected);
    for line in &lines {
        assert_eq!(
            members(line, &["peer_address", "peer_port", "client_address"]),
            json!({ "peer_address": "10.0.0.1", "peer_port": 4711, "client_address": "192.0.2.7" })
        );
    }
    assert_eq!(lines[2]["environment"], "dev");
    assert_eq!(lines[2]["objects"], json!([{ "kind": "consumer_group", "name": "g" }]));
}

#[tokio::test]
async fn one_request_id_joins_the_response_the_record_and_hq() {
    let hq = Hq::start().await;
    let server = Server::with_oauth(&hq, &[]);
    let token = format!("Bearer {}", hq.issue_to_alice());
    for (id, traceparent) in [(None, None), (Some("gateway-1"), Some(PARENT)), (None, Some("00-x"))]
    {
        let mut request = call(READ).with_header("authorization", &token);
        if let Some(id) = id {
            request = request.with_header("x-request-id", id);
        }
        if let Some(traceparent) = traceparent {
            request = request.with_header("traceparent", traceparent);
        }
        let answer = server.send(request).await;
        assert_eq!(answer.status, StatusCode::OK);
        let answered = answer.header("x-request-id").unwrap();
        assert!(id.is_none_or(|id| id == answered));
        let recorded = server.audit.lines().pop().unwrap()["request_id"].clone();
        let asked = hq.called_for().pop().unwrap();
        assert_eq!(
            (&recorded, &asked["x-request-id"]),
            (&json!(answered), &answered.parse().unwrap())
        );
        // What is no trace is not passed on.
        let passed_on = asked.get("traceparent").map(|value| value.to_str().unwrap());
        assert_eq!(passed_on, traceparent.filter(|parent| *parent == PARENT));
    }
}
