//! Bodies, time, numbers, panics: each is bounded, and each bound is answered in words.

use std::{convert::Infallible, io, sync::Arc, time::Duration};

use axum::{body::Body, extract::Request, response::Response};
use http::StatusCode;
use http_body_util::BodyExt;
use lenses_mcp_server::{
    app,
    auth::{Authenticator, Mode, SharedToken},
    landing::LandingPage,
    metrics::Metrics,
    scope::ScopeSet,
    settings::Callers,
};
use secrecy::SecretString;
use serde_json::json;
use tower::ServiceExt;

use crate::client::{READ, Server, With, call, http, post, settings};

/// The router in front of an endpoint that does what the test needs.
fn in_front_of<F, R>(more: &[(&str, &str)], endpoint: F) -> Server
where
    F: Fn(Request) -> R + Clone + Send + Sync + 'static,
    R: Future<Output = Response> + Send + 'static,
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
    let endpoint = tower::service_fn(move |request| {
        let answer = endpoint(request);
        async move { Ok::<_, Infallible>(answer.await) }
    });
    let offered = settings.policy.scopes();
    let page = LandingPage::new(http(&settings), offered).unwrap();
    let router = app::router(
        http(&settings),
        &settings.limits,
        offered,
        authenticator,
        &metrics,
        page,
        &endpoint,
    );
    Server { router, admin: axum::Router::new(), metrics }
}

async fn hello(_: Request) -> Response {
    Response::new(Body::from("hello"))
}

#[tokio::test]
async fn a_body_over_the_limit_is_413_and_one_at_the_limit_passes() {
    let server = in_front_of(&[("MCP_MAX_BODY_BYTES", "1024")], hello);
    let body = |length: usize| format!("{{\"method\":\"{}\"}}", "x".repeat(length - 13));
    assert_eq!(server.send(post(&body(1024))).await.status, StatusCode::OK);
    let answer = server.send(post(&body(1025))).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(
        answer.json(),
        json!({"jsonrpc": "2.0", "id": null, "error": {"code": -32600, "message": "the body is longer than 1024 bytes"}})
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
        ("{\"method\":\"tools/call\"}", -32602),
        ("{\"method\":\"tools/call\",\"params\":{\"arguments\":{}}}", -32602),
        ("{\"method\":\"tools/call\",\"params\":{\"name\":\"x\",\"arguments\":[]}}", -32602),
    ] {
        let answer = server.send(post(body)).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{body:?}");
        assert_eq!(answer.json()["error"]["code"], code, "{body:?}");
        assert_eq!(answer.json()["id"], json!(null));
    }
}

#[tokio::test]
async fn more_requests_than_the_limit_get_503_until_the_last_byte_of_one() {
    let stream = |_| async {
        let endless = futures::stream::pending::<Result<String, Infallible>>();
        Response::new(Body::from_stream(endless))
    };
    let server = in_front_of(&[("MCP_MAX_CONCURRENT_REQUESTS", "1")], stream);
    let streaming = server.router.clone().oneshot(call(READ)).await.unwrap();
    assert_eq!(streaming.status(), StatusCode::OK);
    let answer = server.send(call(READ)).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.header("retry-after"), Some("1"));
    drop(streaming);
    assert_eq!(server.router.clone().oneshot(call(READ)).await.unwrap().status(), StatusCode::OK);
}

#[tokio::test]
async fn a_call_that_takes_too_long_is_504_and_a_stream_that_began_is_not_cut() {
    let more = [("MCP_REQUEST_TIMEOUT", "1500ms"), ("MCP_SQL_TIMEOUT", "1s")];
    let server = in_front_of(&more, |_| std::future::pending());
    let answer = server.send(call(READ)).await;
    assert_eq!(answer.status, StatusCode::GATEWAY_TIMEOUT);
    assert_eq!(
        answer.json()["error"]["message"],
        "the call took longer than 1s 500ms and was stopped; its outcome is not known"
    );

    let server = in_front_of(&more, |_| async {
        let late = futures::stream::once(async {
            tokio::time::sleep(Duration::from_secs(2)).await;
            Ok::<_, Infallible>("late")
        });
        Response::new(Body::from_stream(late))
    });
    assert_eq!(server.send(call(READ)).await.body, "late");
}

#[tokio::test]
async fn a_body_that_never_ends_is_cut_by_the_time_limit() {
    let more = [("MCP_REQUEST_TIMEOUT", "2s"), ("MCP_SQL_TIMEOUT", "1s")];
    let server = in_front_of(&more, hello);
    let endless = post("")
        .map(|_| Body::from_stream(futures::stream::pending::<Result<String, io::Error>>()));
    assert_eq!(server.send(endless).await.status, StatusCode::GATEWAY_TIMEOUT);
}

#[tokio::test]
async fn a_panic_is_500_without_detail() {
    let server = in_front_of(&[], |_| async { panic!("secret detail") });
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
async fn each_answer_has_a_request_id_and_a_proxys_is_kept_if_it_is_one() {
    let server = in_front_of(&[], hello);
    let made = server.send(call(READ)).await;
    assert_eq!(made.header("x-request-id").map(str::len), Some(36));
    let kept = server.send(call(READ).with_header("x-request-id", "proxy-7.1")).await;
    assert_eq!(kept.header("x-request-id"), Some("proxy-7.1"));
    let odd = server.send(call(READ).with_header("x-request-id", "a b<script>")).await;
    assert_eq!(odd.header("x-request-id").map(str::len), Some(36));
}

#[tokio::test]
async fn the_endpoint_sees_the_identity_and_no_longer_the_token() {
    let server = in_front_of(&[], |request: Request| async move {
        let identity =
            request.extensions().get::<lenses_mcp_server::identity::Identity>().cloned().unwrap();
        assert!(request.headers().get("authorization").is_none());
        let body = request.into_body().collect().await.unwrap().to_bytes();
        Response::new(Body::from(format!("{} {}", identity.scopes, body.len())))
    });
    let answer =
        server.send(post("{\"method\":\"ping\"}").with_header("authorization", "Bearer x")).await;
    assert_eq!(answer.body, "read write delete 17");
}
