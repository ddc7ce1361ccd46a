//! What is recorded of a request that is refused in front of MCP, and what joins the records.

use std::time::Duration;

use http::StatusCode;
use lenses_mcp_server::{client_address::ClientAddress, identity::Fingerprint};
use serde_json::{Value, json};

use crate::{
    client::{DELETE, READ, Server, With, call},
    hq::{Hq, Introspection},
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
        request.extensions_mut().insert(ClientAddress {
            peer,
            client,
            own: None,
            is_proxied: true,
        });
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

/// Who decided what, of the lines so far.
fn decisions(server: &Server) -> Vec<Value> {
    let names = ["event", "token_fingerprint", "decided_by", "reason", "outcome"];
    let decision = |line: &Value| names.iter().map(|name| line[*name].clone()).collect();
    server.audit.lines().iter().map(decision).collect()
}

#[tokio::test]
async fn an_hq_that_cannot_be_asked_is_no_bad_token() {
    let hq = Hq::start().await;
    let server = Server::with_oauth(&hq, &[]);
    hq.introspection(Introspection::Says(StatusCode::INTERNAL_SERVER_ERROR, String::new()));
    assert_eq!(server.call("alice", READ).await.status, StatusCode::SERVICE_UNAVAILABLE);
    let fingerprint = Fingerprint::of("alice").to_string();
    assert_eq!(decisions(&server), [json!(["sign_in", fingerprint, "hq", "unavailable", null])]);
}

#[tokio::test]
async fn with_an_api_key_only_tokens_that_were_shown_are_recorded() {
    let hq = Hq::start().await;
    let shared = ("MCP_CALLER_TOKEN", "a-shared-token-of-28-chars");
    for (callers, requests, expected) in [
        (
            shared,
            vec![call(READ), call(READ).with_header("authorization", &bearer(shared.1))],
            json!([["call", Fingerprint::of(shared.1).to_string(), "policy", null, "success"]]),
        ),
        (
            ("MCP_CALLERS", "anyone"),
            vec![call(READ)],
            json!([["call", null, "policy", null, "success"]]),
        ),
    ] {
        let server = Server::new(&[
            ("LENSES_URL", &hq.url),
            ("LENSES_API_KEY", "key"),
            ("TRANSPORT", "http"),
            ("MCP_ALLOWED_HOSTS", "mcp.example.com"),
            callers,
        ]);
        for request in requests {
            server.send(request).await;
        }
        assert_eq!(json!(decisions(&server)), expected);
    }
}

#[tokio::test]
async fn calls_beyond_a_bound_are_recorded() {
    let hq = Hq::start().await;
    for (setting, status) in
        [("MCP_CONCURRENT_REQUESTS_PER_USER", 429), ("MCP_MAX_CONCURRENT_REQUESTS", 503)]
    {
        let server = Server::with_oauth(&hq, &[(setting, "1")]);
        let token = bearer(hq.issue_to_alice());
        hq.hold_api_calls(true);
        let waiting = server.send(call(READ).with_header("authorization", &token));
        let refused = async {
            hq.next_api_call().await;
            let refused = server.send(call(READ).with_header("authorization", &token)).await;
            hq.hold_api_calls(false);
            refused
        };
        // `refused` is polled first, so that it sees the call arrive.
        let (refused, waited) = tokio::join!(refused, waiting);
        assert_eq!((waited.status.as_u16(), refused.status.as_u16()), (200, status));
        let fingerprint = Fingerprint::of(token.strip_prefix("Bearer ").unwrap()).to_string();
        assert_eq!(
            decisions(&server),
            [
                json!(["call", fingerprint, "limit", setting, "denied"]),
                json!(["call", fingerprint, "policy", null, "success"]),
            ]
        );
    }
}

#[tokio::test]
async fn a_call_over_the_time_limit_is_recorded_as_timed_out() {
    let hq = Hq::start().await;
    let more = [("MCP_REQUEST_TIMEOUT", "2s"), ("MCP_SQL_TIMEOUT", "1s")];
    let server = Server::with_oauth(&hq, &more);
    let token = bearer(hq.issue_to_alice());
    hq.hold_introspection(true);
    hq.hold_api_calls(true);
    let slow_sign_in = async {
        // Longer than what the time for HQ leaves of the time for all.
        tokio::time::sleep(Duration::from_secs(1)).await;
        hq.hold_introspection(false);
    };
    let waiting = server.send(call(READ).with_header("authorization", &token));
    let (answer, ()) = tokio::join!(waiting, slow_sign_in);
    hq.hold_api_calls(false);
    assert_eq!(answer.status, StatusCode::GATEWAY_TIMEOUT);
    let lines = server.audit.lines();
    assert_eq!((lines.len(), &lines[0]["outcome"]), (1, &json!("timed_out")));
}

fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}

#[tokio::test]
async fn only_a_trusted_proxy_chooses_the_id_of_a_request() {
    let hq = Hq::start().await;
    let server = Server::with_oauth(&hq, &[]);
    for is_proxied in [true, false] {
        let mut request = call(READ).with_header("x-request-id", "of-somebody");
        let (peer, client) = ("10.0.0.1:4711".parse().unwrap(), "192.0.2.7".parse().unwrap());
        let address = ClientAddress { peer, client, own: None, is_proxied };
        request.extensions_mut().insert(address);
        let answer = server.send(request).await;
        assert_eq!(answer.header("x-request-id") == Some("of-somebody"), is_proxied);
    }
}
