//! Bodies, time, numbers, panics: each is bounded, and each bound is answered in words.

use std::{io, sync::Arc, time::Duration};

use axum::body::Body;
use futures::future::BoxFuture;
use http::StatusCode;
use lenses_mcp_server::{
    app::{self, Bounds},
    auth::{Authenticator, Mode, SharedToken},
    landing::LandingPage,
    limits::{Bodies, PerUser, Slots, Users},
    mcp::{Answer, Call, Context, Elicitation, Endpoint, Handler, Outcome},
    metrics::Metrics,
    scope::ScopeSet,
    settings::Callers,
};
use rmcp::model::RequestStateCodec;
use secrecy::SecretString;
use serde_json::{Map, Value, json};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use crate::client::{CapturedAudit, READ, Server, With, call, http, post, settings};

/// Does with each request what the test needs.
struct Doing<F>(F);

impl<F> Handler for Doing<F>
where
    F: Fn(Context) -> BoxFuture<'static, Outcome> + Send + Sync + 'static,
{
    fn handle(self: Arc<Self>, _: Call, context: Context) -> BoxFuture<'static, Outcome> {
        (self.0)(context)
    }

    fn input_schema(&self, _: &str) -> Option<Arc<Map<String, Value>>> {
        None
    }

    fn required_scopes(&self, _: &Call) -> Option<ScopeSet> {
        None
    }
}

/// The router in front of a handler.
fn in_front_of<F>(more: &[(&str, &str)], handler: F) -> Server
where
    F: Fn(Context) -> BoxFuture<'static, Outcome> + Send + Sync + 'static,
{
    let key = [
        ("LENSES_API_KEY", "key"),
        ("TRANSPORT", "http"),
        ("MCP_CALLERS", "anyone"),
        ("MCP_ALLOWED_HOSTS", "mcp.example.com"),
    ];
    let settings = settings(&[&key, more].concat());
    let metrics = Arc::new(Metrics::new());
    let shared = SharedToken::new(&Callers::Anyone, &SecretString::from("key"), ScopeSet::ALL);
    let authenticator =
        Authenticator::new(Mode::Shared(shared), Arc::default(), metrics.auth.clone());
    let codec = RequestStateCodec::new_unchecked(*b"the key of a test, 32 bytes long");
    let elicitation = Arc::new(Elicitation::new(codec, None));
    let endpoint = Endpoint::new(Arc::new(Doing(handler)), elicitation, CancellationToken::new());
    let offered = settings.policy.scopes();
    let page = LandingPage::new(http(&settings), offered).unwrap();
    let limits = &settings.limits;
    let per_user = PerUser {
        concurrent_requests: limits.concurrent_requests_per_user,
        calls_per_minute: limits.calls_per_minute_per_user,
    };
    let bounds = Bounds {
        slots: Slots::new(limits.max_concurrent_requests, metrics.limits.clone()),
        users: Users::new(per_user, limits.memory_budget_bytes, metrics.limits.clone()),
        bodies: Bodies {
            max_bytes: limits.max_body_bytes,
            time: limits.body_timeout,
            metrics: metrics.limits.clone(),
        },
        request_timeout: limits.request_timeout,
    };
    let router =
        app::router(http(&settings), bounds, offered, authenticator, &metrics, page, endpoint);
    Server { router, admin: axum::Router::new(), metrics, audit: Arc::new(CapturedAudit::new()) }
}

fn hello(_: Context) -> BoxFuture<'static, Outcome> {
    Box::pin(async { Answer::object(&json!({ "said": "hello" })) })
}

fn never(_: Context) -> BoxFuture<'static, Outcome> {
    Box::pin(std::future::pending())
}

#[tokio::test]
async fn a_body_over_the_limit_is_413_and_one_at_it_passes() {
    let server = in_front_of(&[("MCP_MAX_BODY_BYTES", "1024")], hello);
    let body = |length: usize| {
        let start = r#"{"jsonrpc":"2.0","id":1,"method":""#;
        format!("{start}{}\"}}", "x".repeat(length - start.len() - 2))
    };
    assert_eq!(server.send(post(&body(1024))).await.status, StatusCode::OK);
    let answer = server.send(post(&body(1025))).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(
        answer.json(),
        json!({
            "jsonrpc": "2.0", "id": null,
            "error": {
                "code": -32600, "message": "the body is longer than 1024 bytes (MCP_MAX_BODY_BYTES)"
            }
        })
    );
    // Without Content-Length it is counted as it comes.
    let chunks = futures::stream::iter((0..4).map(|_| Ok::<_, io::Error>("x".repeat(512))));
    let streamed = post("").map(|_| Body::from_stream(chunks));
    assert_eq!(server.send(streamed).await.status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn what_is_no_message_is_answered_as_json_rpc_has_it() {
    let server = in_front_of(&[], hello);
    for (body, code) in [
        ("", -32700),
        ("{", -32700),
        ("{\"method\":\"ping\"} x", -32700),
        ("hello", -32700),
        ("{\"method\":\"\u{0}\"}", -32700),
        ("[]", -32600),
        (" [{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}]", -32600),
        ("1", -32600),
        ("\"ping\"", -32600),
        ("null", -32600),
        ("{\"method\":1}", -32600),
    ] {
        let answer = server.send(post(body)).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{body:?}");
        assert_eq!(answer.json()["error"]["code"], code, "{body:?}");
        assert_eq!(answer.json()["id"], json!(null));
    }
}

/// Says something, and then nothing more.
fn streams(context: Context) -> BoxFuture<'static, Outcome> {
    Box::pin(async move {
        assert!(context.client.notify("notifications/message", json!({})).await);
        std::future::pending().await
    })
}

#[tokio::test]
async fn requests_over_the_limit_get_503_until_one_response_has_ended() {
    let server = in_front_of(&[("MCP_MAX_CONCURRENT_REQUESTS", "1")], streams);
    let streaming = server.router.clone().oneshot(call(READ)).await.unwrap();
    assert_eq!(streaming.status(), StatusCode::OK);
    let answer = server.send(call(READ)).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.header("retry-after"), Some("1"));
    assert_eq!(answer.json()["id"], 1, "the request's id");
    drop(streaming);
    assert_eq!(server.router.clone().oneshot(call(READ)).await.unwrap().status(), StatusCode::OK);
}

#[tokio::test]
async fn more_requests_of_one_user_than_the_limit_get_429() {
    let server = in_front_of(&[("MCP_CONCURRENT_REQUESTS_PER_USER", "1")], streams);
    let streaming = server.router.clone().oneshot(call(READ)).await.unwrap();
    let answer = server.send(call(READ)).await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(answer.header("retry-after"), Some("1"));
    drop(streaming);
    assert_eq!(server.router.clone().oneshot(call(READ)).await.unwrap().status(), StatusCode::OK);
}

#[tokio::test]
async fn a_slow_call_is_504_but_a_started_stream_is_not_cut() {
    let more = [("MCP_REQUEST_TIMEOUT", "1500ms"), ("MCP_SQL_TIMEOUT", "1s")];
    let server = in_front_of(&more, never);
    let answer = server.send(call(READ)).await;
    assert_eq!(answer.status, StatusCode::GATEWAY_TIMEOUT);
    assert_eq!(answer.json()["id"], 1, "the request's id");
    assert_eq!(
        answer.json()["error"]["message"],
        "the call took longer than 1s 500ms and was stopped; its outcome is not known"
    );

    let server = in_front_of(&more, |context| {
        Box::pin(async move {
            assert!(context.client.notify("notifications/message", json!({})).await);
            tokio::time::sleep(Duration::from_secs(2)).await;
            Answer::object(&json!({ "said": "late" }))
        })
    });
    assert!(server.send(call(READ)).await.body.contains("late"));
}

#[tokio::test]
async fn a_body_that_never_ends_is_408() {
    let server = in_front_of(&[("MCP_BODY_TIMEOUT", "1s")], hello);
    let endless = post("")
        .map(|_| Body::from_stream(futures::stream::pending::<Result<String, io::Error>>()));
    let answer = server.send(endless).await;
    assert_eq!(answer.status, StatusCode::REQUEST_TIMEOUT);
    assert_eq!(answer.header("connection"), Some("close"));
}

/// Bodies that do not come take no place of requests whose bodies are there.
#[tokio::test]
async fn a_request_without_its_body_takes_no_slot() {
    let server = in_front_of(&[("MCP_MAX_CONCURRENT_REQUESTS", "1")], hello);
    let endless = post("")
        .map(|_| Body::from_stream(futures::stream::pending::<Result<String, io::Error>>()));
    let mut waiting = Box::pin(server.send(endless));
    assert!(futures::poll!(&mut waiting).is_pending());
    assert_eq!(server.send(call(READ)).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_panic_is_500_without_detail() {
    let server = in_front_of(&[], |_| Box::pin(async { panic!("secret detail") }));
    let answer = server.send(call(READ)).await;
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(
        answer.body,
        r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32603,"message":"internal error"}}"#
    );
    assert!(
        server
            .exposition()
            .contains(r#"lenses_mcp_http_requests_total{route="mcp",status="500"} 1"#)
    );
}

#[tokio::test]
async fn each_response_has_a_request_id_and_keeps_a_valid_one() {
    let server = in_front_of(&[], hello);
    let made = server.send(call(READ)).await;
    assert_eq!(made.header("x-request-id").map(str::len), Some(36));
    let kept = server.send(call(READ).with_header("x-request-id", "proxy-7.1")).await;
    assert_eq!(kept.header("x-request-id"), Some("proxy-7.1"));
    let odd = server.send(call(READ).with_header("x-request-id", "a b<script>")).await;
    assert_eq!(odd.header("x-request-id").map(str::len), Some(36));
}
