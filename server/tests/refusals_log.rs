//! That no refusal puts a token, a secret or a reply of HQ's into the log, at any level. In a
//! process of its own, because whether a line is wanted is decided once in a process, and other
//! tests want none.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that fails says so by panicking")]
#![expect(dead_code, reason = "the other tests of the front use the rest")]

mod captured_log;
#[path = "front/client.rs"]
mod client;
#[path = "front/hq.rs"]
mod hq;

use axum::body::Body;
use http::{Request, StatusCode};
use lenses_mcp_server::identity::Fingerprint;
use serde_json::json;

use crate::{
    captured_log::CapturedLog,
    client::{DELETE, READ, Server, With, call, post},
    hq::{CLIENT, Hq, Introspection},
};

/// Every request here that should not be logged holds this.
const SECRET: &str = "hunter";

fn with_token(request: Request<Body>, token: &str) -> Request<Body> {
    request.with_header("authorization", &format!("Bearer {token}"))
}

/// One request for each way to be refused, and one that is not: the statuses.
async fn all_refusals(hq: &Hq, server: &Server) -> Vec<u16> {
    hq.issue("hunter-reader", json!({"scope": "read", "sub": "bob"}));
    hq.issue("hunter-elsewhere", json!({"scope": "read", "aud": "https://other.example.com"}));
    hq.issue("hunter-expired", json!({"scope": "read", "exp": 1}));
    hq.issue("hunter-refresh", json!({"scope": "read", "token_use": "refresh_token"}));
    let mut in_query = call(READ);
    *in_query.uri_mut() = "/mcp?access_token=hunter-query".parse().unwrap();
    let requests = [
        call(READ).with_header("authorization", "Basic hunter=="),
        call(READ).with_header("authorization", "Bearer hunter one"),
        call(READ).with_header("authorization", "Bearer hunter,two"),
        with_token(call(READ), "hunter-a").with_header("authorization", "Bearer hunter-b"),
        in_query,
        with_token(call(READ), "hunter-unknown"),
        with_token(call(READ), "hunter-elsewhere"),
        with_token(call(READ), "hunter-expired"),
        with_token(call(READ), "hunter-refresh"),
        with_token(call(DELETE), "hunter-reader"),
        with_token(post(r#"{"hunter":"#), "hunter-reader"),
        with_token(post(r#"[{"hunter":1}]"#), "hunter-reader"),
        with_token(post(&format!("\"{}\"", SECRET.repeat(1_000))), "hunter-reader"),
        with_token(call(READ), "hunter-reader")
            .without_header("host")
            .with_header("host", "evil.example"),
        with_token(call(READ), "hunter-reader").with_header("origin", "https://evil.example"),
        with_token(call(READ), "hunter-reader"),
        with_token(call(READ), "hunter-reader"),
    ];
    let mut statuses = Vec::new();
    for request in requests {
        statuses.push(server.send(request).await.status.as_u16());
    }
    statuses
}

#[tokio::test]
async fn no_refusal_shows_a_token_a_secret_or_hqs_reply() {
    let lines = CapturedLog::default();
    let subscriber = tracing_subscriber::fmt()
        .json()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(lines.clone())
        .finish();
    let guard = tracing::subscriber::set_default(subscriber);

    let hq = Hq::start().await;
    hq.offer_exchange();
    let limits = [("MCP_CALLS_PER_MINUTE_PER_USER", "5"), ("MCP_MAX_BODY_BYTES", "1024")];
    let server = Server::with_oauth(&hq, &[&CLIENT[..], &limits].concat());
    assert_eq!(
        all_refusals(&hq, &server).await,
        [401, 401, 401, 400, 401, 401, 401, 401, 401, 403, 400, 400, 413, 403, 403, 200, 429]
    );
    for (status, body) in [
        (StatusCode::UNAUTHORIZED, "hunter-reply"),
        (StatusCode::INTERNAL_SERVER_ERROR, "hunter-reply"),
        (StatusCode::OK, r#"{"active":"hunter-reply"}"#),
        (StatusCode::OK, r#"{"active":true,"exp":"hunter-reply"}"#),
    ] {
        hq.introspection(Introspection::Says(status, body.into()));
        assert_eq!(
            server.call("hunter-reader", READ).await.status,
            StatusCode::SERVICE_UNAVAILABLE
        );
        server.admin("/diagnostics").await;
    }
    hq.introspection(Introspection::Answers);
    for (status, body) in [
        (StatusCode::BAD_REQUEST, r#"{"error":"hunter reply","error_description":"hunter-reply"}"#),
        (StatusCode::OK, r#"{"access_token":"hunter\n","token_type":"Bearer"}"#),
        (StatusCode::OK, r#"{"access_token":"hunter-exchanged","token_type":"Bearer"}"#),
    ] {
        hq.answer_exchange(status, body);
        server.call("hunter-reader", READ).await;
    }
    drop(guard);

    let log = lines.text();
    // What `logging` lets through: this program's at the level that is set, libraries' warnings and
    // errors.
    let shown = ["\"target\":\"lenses_mcp_server", "\"level\":\"WARN\"", "\"level\":\"ERROR\""];
    let shown: Vec<_> =
        log.lines().filter(|line| shown.iter().any(|part| line.contains(part))).collect();
    assert!(shown.len() > 25, "{log}");
    for line in shown {
        assert!(!line.contains(SECRET), "{line}");
    }
    // What stands there instead.
    for token in ["hunter-reader", "hunter-unknown", "hunter-elsewhere", "hunter-expired"] {
        assert!(log.contains(&Fingerprint::of(token).to_string()), "{token} can't be followed");
    }
    assert!(
        log.contains("Lenses HQ refuses introspection")
            && log.contains("Lenses HQ refuses token exchange"),
        "{log}"
    );
}
