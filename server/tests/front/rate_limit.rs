//! How often one user may call.

use std::num::NonZeroU32;

use axum::{body::Body, extract::Request};
use http::StatusCode;
use serde_json::json;

use crate::{
    client::{DELETE, READ, Server, With, call, post, settings},
    hq::Hq,
};

/// Slow enough that no call comes back while a test runs.
const TWO: (&str, &str) = ("MCP_CALLS_PER_MINUTE_PER_USER", "2");

#[tokio::test]
async fn a_call_over_the_rate_is_429_without_asking_hq() {
    let hq = Hq::start().await;
    let server = Server::with_oauth(&hq, &[TWO]);
    let token = hq.issue_to_alice();
    for _ in 0..2 {
        assert_eq!(server.call(token, READ).await.status, StatusCode::OK);
    }
    let answer = server.call(token, READ).await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
    let seconds: u64 = answer.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=30).contains(&seconds), "{seconds}");
    assert_eq!(
        answer.json(),
        json!({"jsonrpc": "2.0", "id": 1, "error": {"code": -32000, "message": format!(
            "too many calls: this server takes 2 a minute from one user; nothing was done, try \
             again in {seconds} s"
        )}})
    );
    assert_eq!(hq.called_with().len(), 2);
    assert!(server.exposition().contains("lenses_mcp_calls_rate_limited_total 1"));
}

#[tokio::test]
async fn calls_are_counted_by_user_and_not_by_token_or_application() {
    let hq = Hq::start().await;
    let server = Server::with_oauth(&hq, &[TWO]);
    for (token, members) in [
        ("alice-1", json!({"scope": "read", "sub": "alice", "client_id": "claude"})),
        ("alice-2", json!({"scope": "read", "sub": "alice", "client_id": "vscode"})),
        ("bob", json!({"scope": "read", "sub": "bob", "client_id": "claude"})),
        ("machine-1", json!({"scope": "read", "client_id": "robot"})),
        ("machine-2", json!({"scope": "read", "client_id": "robot"})),
        ("nobody-1", json!({"scope": "read"})),
        ("nobody-2", json!({"scope": "read"})),
    ] {
        hq.issue(token, members);
    }
    for (token, status) in [
        ("alice-1", 200),
        ("alice-2", 200),
        ("alice-1", 429),
        ("alice-2", 429),
        ("bob", 200),
        ("machine-1", 200),
        ("machine-2", 200),
        ("machine-1", 429),
        ("nobody-1", 200),
        ("nobody-1", 200),
        ("nobody-1", 429),
        ("nobody-2", 200),
    ] {
        assert_eq!(server.call(token, READ).await.status.as_u16(), status, "{token}");
    }
}

/// Without `sub` and `client_id`, whoever has two tokens would have twice the calls.
#[tokio::test]
async fn tokens_without_a_subject_are_counted_by_client_address() {
    let hq = Hq::start().await;
    let server = Server::with_oauth(&hq, &[TWO]);
    for token in ["nobody-1", "nobody-2"] {
        hq.issue(token, json!({"scope": "read"}));
    }
    for (token, address, status) in [
        ("nobody-1", "192.0.2.1", 200),
        ("nobody-2", "192.0.2.1", 200),
        ("nobody-1", "192.0.2.1", 429),
        ("nobody-2", "192.0.2.1", 429),
        ("nobody-1", "192.0.2.2", 200),
        // One client holds the whole /64.
        ("nobody-1", "2001:db8::1", 200),
        ("nobody-2", "2001:db8::2", 200),
        ("nobody-1", "2001:db8::3", 429),
    ] {
        let request = call(READ).with_header("authorization", &format!("Bearer {token}"));
        let answer = server.send(request.from(address.parse().unwrap())).await;
        assert_eq!(answer.status.as_u16(), status, "{token} from {address}");
    }
}

/// Each request costs HQ at least an introspection, whatever its method.
#[tokio::test]
async fn every_method_counts() {
    let hq = Hq::start().await;
    for method in ["tools/list", "ping", "initialize", "nonsense", "resources/list"] {
        let server = Server::with_oauth(&hq, &[TWO]);
        let authorization = format!("Bearer {}", hq.issue_to_alice());
        let params = json!({
            "uri": "lenses://x",
            "protocolVersion": "2025-11-25",
            "capabilities": {},
            "clientInfo": { "name": "test", "version": "1" },
        });
        let body = json!({"jsonrpc": "2.0", "id": "a", "method": method, "params": params});
        let send =
            || server.send(post(&body.to_string()).with_header("authorization", &authorization));
        for _ in 0..2 {
            assert_eq!(send().await.status, StatusCode::OK, "{method}");
        }
        let answer = send().await;
        assert_eq!((answer.status.as_u16(), &answer.json()["id"]), (429, &json!("a")), "{method}");
    }
}

/// HQ is asked about the token of each, so that none of them is free.
#[tokio::test]
async fn requests_refused_after_sign_in_count_and_refused_tokens_do_not() {
    let hq = Hq::start().await;
    let refused = |name: &str| match name {
        "of another scope" => (call(DELETE), 403),
        "malformed" => (post("{"), 400),
        "without its params" => {
            (post(r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{}}"#), 400)
        }
        "of another method of HTTP" => (
            Request::get("/mcp").header("host", "mcp.example.com").body(Body::empty()).unwrap(),
            405,
        ),
        other => panic!("{other}"),
    };
    for name in ["of another scope", "malformed", "without its params", "of another method of HTTP"]
    {
        let server = Server::with_oauth(&hq, &[TWO]);
        hq.issue("reader", json!({"scope": "read", "sub": "bob"}));
        assert_eq!(server.call("unknown", READ).await.status, StatusCode::UNAUTHORIZED);
        for limited in [false, false, true] {
            let (request, status) = refused(name);
            let request = request.with_header("authorization", "Bearer reader");
            let answer = server.send(request).await;
            let expected = if limited { 429 } else { status };
            assert_eq!(answer.status.as_u16(), expected, "{name}: {answer:?}");
        }
    }
}

#[tokio::test]
async fn callers_that_share_an_api_key_are_one_user() {
    let hq = Hq::start().await;
    let server = Server::new(&[
        ("LENSES_URL", &hq.url),
        ("LENSES_API_KEY", "key"),
        ("TRANSPORT", "http"),
        ("MCP_ALLOWED_HOSTS", "mcp.example.com"),
        ("MCP_CALLER_TOKEN", "shared-by-all-callers"),
        TWO,
    ]);
    let mut statuses = Vec::new();
    for _ in 0..3 {
        statuses.push(server.call("shared-by-all-callers", READ).await.status.as_u16());
    }
    assert_eq!(statuses, [200, 200, 429]);
}

#[tokio::test]
async fn zero_is_no_limit_and_without_a_word_there_is_one() {
    let hq = Hq::start().await;
    let server = Server::with_oauth(&hq, &[("MCP_CALLS_PER_MINUTE_PER_USER", "0")]);
    let token = hq.issue_to_alice();
    for _ in 0..20 {
        assert_eq!(server.call(token, READ).await.status, StatusCode::OK);
    }
    let limit = settings(&[("LENSES_API_KEY", "key")]).limits.calls_per_minute_per_user;
    assert_eq!(limit.map(NonZeroU32::get), Some(600));
}
