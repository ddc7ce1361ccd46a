//! How HQ is asked about tokens, how often, and what follows when it has no answer.

use std::time::{Duration, Instant};

use http::StatusCode;
use serde_json::json;

use crate::{
    client::{Answer, READ, Server},
    hq::{Hq, Introspection},
};

fn assert_unavailable(answer: &Answer) {
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{answer:?}");
    assert_eq!(answer.header("retry-after"), Some("5"));
    assert_eq!(answer.challenge(), None);
    assert_eq!(
        answer.json(),
        json!({
            "error": "temporarily_unavailable",
            "error_description": "Lenses HQ can't be asked about the token at the moment; keep the \
                                  token and try again",
        })
    );
}

#[tokio::test]
async fn the_question_is_that_of_rfc_7662_without_client_authentication() {
    let hq = Hq::start().await;
    Server::with_oauth(&hq, &[]).call("a+b/c==", READ).await;
    let (form, headers) = hq.last_introspection();
    assert_eq!(
        form,
        [("token", "a+b/c=="), ("token_type_hint", "access_token")]
            .map(|(k, v)| (k.into(), v.into()))
            .into()
    );
    assert_eq!(headers["accept"], "application/json");
    assert!(headers.get("authorization").is_none());
}

#[tokio::test]
async fn client_authentication_is_basic_with_both_halves_form_encoded() {
    let hq = Hq::start().await;
    // base64("mcp%3Aserver:p%40ss+w%2Frd")
    hq.introspection(Introspection::Wants("Basic bWNwJTNBc2VydmVyOnAlNDBzcyUyQnclMkZyZA=="));
    let credentials =
        [("INTROSPECTION_CLIENT_ID", "mcp:server"), ("INTROSPECTION_CLIENT_SECRET", "p@ss+w/rd")];
    let token = hq.issue_to_alice();
    assert_eq!(
        Server::with_oauth(&hq, &credentials).call(token, READ).await.status,
        StatusCode::OK
    );
}

#[tokio::test]
async fn hq_failing_is_503_until_it_answers_again() {
    let hq = Hq::start().await;
    let server = Server::with_oauth(&hq, &[]);
    let token = hq.issue_to_alice();
    for failing in [
        Introspection::Says(StatusCode::INTERNAL_SERVER_ERROR, String::new()),
        Introspection::Says(StatusCode::BAD_GATEWAY, "<html>".into()),
        Introspection::Says(StatusCode::NOT_FOUND, String::new()),
        Introspection::Says(StatusCode::NO_CONTENT, String::new()),
        Introspection::Says(StatusCode::OK, "<html>login</html>".into()),
        Introspection::Says(StatusCode::OK, "{}".into()),
        Introspection::Says(
            StatusCode::OK,
            format!("{{\"active\":true,\"x\":\"{}\"}}", "x".repeat(70_000)),
        ),
        Introspection::Redirects,
    ] {
        hq.introspection(failing);
        assert_unavailable(&server.call(token, READ).await);
        hq.introspection(Introspection::Answers);
        assert_eq!(server.call(token, READ).await.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn hq_not_listening_is_503() {
    let hq = Hq::start().await;
    // A port that was free a moment ago.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let server = Server::with_oauth(
        &hq,
        &[("INTROSPECTION_URL", &format!("http://{free}/oauth2/introspect"))],
    );
    assert_unavailable(&server.call("token", READ).await);
    assert!(
        server.exposition().contains(r#"lenses_mcp_introspections_total{outcome="unreachable"} 1"#)
    );
}

#[tokio::test]
async fn hq_too_slow_is_503_within_seconds() {
    let hq = Hq::start().await;
    let server = Server::with_oauth(&hq, &[]);
    hq.hold_introspection(true);
    let started = Instant::now();
    assert_unavailable(&server.call("token", READ).await);
    assert!(started.elapsed() < Duration::from_secs(8), "{:?}", started.elapsed());
    assert!(
        server.exposition().contains(r#"lenses_mcp_introspections_total{outcome="timed_out"} 1"#)
    );
}

#[tokio::test]
async fn hq_refusing_to_introspect_is_503_and_counted_as_that() {
    let hq = Hq::start().await;
    let token = hq.issue_to_alice();
    let credentials = [("INTROSPECTION_CLIENT_ID", "a"), ("INTROSPECTION_CLIENT_SECRET", "wrong")];
    for (status, credentials) in [
        (StatusCode::UNAUTHORIZED, &[][..]),
        (StatusCode::FORBIDDEN, &[]),
        (StatusCode::UNAUTHORIZED, &credentials),
    ] {
        let server = Server::with_oauth(&hq, credentials);
        hq.introspection(Introspection::Says(status, String::new()));
        assert_unavailable(&server.call(token, READ).await);
        assert!(
            server.exposition().contains(r#"lenses_mcp_introspections_total{outcome="refused"} 1"#)
        );
    }
}

#[tokio::test]
async fn a_revoked_application_is_out_at_its_next_call() {
    let hq = Hq::start().await;
    let server = Server::with_oauth(&hq, &[]);
    let token = hq.issue_to_alice();
    assert_eq!(server.call(token, READ).await.status, StatusCode::OK);
    hq.revoke(token);
    assert_eq!(server.call(token, READ).await.status, StatusCode::UNAUTHORIZED);
}

/// Starts `count` calls with one token and waits until HQ was asked about it.
async fn calls_under_way(
    server: &Server,
    hq: &Hq,
    token: &'static str,
    count: usize,
) -> Vec<tokio::task::JoinHandle<Answer>> {
    let before = hq.introspections();
    let calls = (0..count).map(|_| {
        let server = server.clone();
        tokio::spawn(async move { server.call(token, READ).await })
    });
    let calls: Vec<_> = calls.collect();
    while hq.introspections() == before {
        tokio::task::yield_now().await;
    }
    calls
}

#[tokio::test]
async fn concurrent_requests_with_one_token_ask_once_even_without_a_cache() {
    let hq = Hq::start().await;
    let server = Server::with_oauth(&hq, &[("MCP_CONCURRENT_REQUESTS_PER_USER", "20")]);
    let token = hq.issue_to_alice();
    hq.hold_introspection(true);
    let calls = calls_under_way(&server, &hq, token, 20).await;
    hq.hold_introspection(false);
    for call in calls {
        assert_eq!(call.await.unwrap().status, StatusCode::OK);
    }
    assert_eq!(hq.introspections(), 1);
    server.call(token, READ).await;
    assert_eq!(hq.introspections(), 2);
}

#[tokio::test]
async fn a_caller_that_leaves_neither_stops_nor_repeats_the_introspection() {
    let hq = Hq::start().await;
    let server = Server::with_oauth(&hq, &[]);
    let token = hq.issue_to_alice();
    hq.hold_introspection(true);
    let first = calls_under_way(&server, &hq, token, 1).await.remove(0);
    let others: Vec<_> = (0..5)
        .map(|_| {
            let server = server.clone();
            tokio::spawn(async move { server.call(token, READ).await })
        })
        .collect();
    tokio::task::yield_now().await;
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    hq.hold_introspection(false);
    for call in others {
        assert_eq!(call.await.unwrap().status, StatusCode::OK);
    }
    assert_eq!(hq.introspections(), 1);
}

#[tokio::test]
async fn hq_failing_is_told_to_all_who_wait() {
    let hq = Hq::start().await;
    let server = Server::with_oauth(&hq, &[]);
    hq.introspection(Introspection::Says(StatusCode::INTERNAL_SERVER_ERROR, String::new()));
    hq.hold_introspection(true);
    let calls = calls_under_way(&server, &hq, "token", 5).await;
    hq.hold_introspection(false);
    for call in calls {
        assert_unavailable(&call.await.unwrap());
    }
}

#[tokio::test]
async fn with_a_cache_a_token_is_asked_about_once() {
    let hq = Hq::start().await;
    let server = Server::with_oauth(&hq, &[("INTROSPECTION_CACHE_TTL", "60")]);
    let token = hq.issue_to_alice();
    for _ in 0..5 {
        assert_eq!(server.call(token, READ).await.status, StatusCode::OK);
    }
    assert_eq!(hq.introspections(), 1);
    assert!(
        server.exposition().contains(r#"lenses_mcp_introspections_spared_total{by="cached"} 4"#)
    );
    server.call("another-token", READ).await;
    assert_eq!(hq.introspections(), 2);
}

#[tokio::test]
async fn a_cached_token_is_forgotten_as_soon_as_hq_refuses_it() {
    let hq = Hq::start().await;
    let server = Server::with_oauth(&hq, &[("INTROSPECTION_CACHE_TTL", "60")]);
    let token = hq.issue_to_alice();
    server.call(token, READ).await;
    hq.revoke(token);
    hq.refuse_api_calls(true);
    let told = server.call(token, READ).await;
    assert_eq!(told.status, StatusCode::OK, "cached, so the tool is called: {told:?}");
    assert_eq!(told.json()["result"]["isError"], true);
    assert_eq!(server.call(token, READ).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_cached_token_is_not_believed_past_its_end() {
    let hq = Hq::start().await;
    let server = Server::with_oauth(&hq, &[("INTROSPECTION_CACHE_TTL", "3600")]);
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    hq.issue("short", json!({"scope": "read", "exp": now + 2}));
    assert_eq!(server.call("short", READ).await.status, StatusCode::OK);
    let deadline = Instant::now() + Duration::from_secs(5);
    while server.call("short", READ).await.status != StatusCode::UNAUTHORIZED {
        assert!(Instant::now() < deadline, "the token is still believed");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn a_flood_of_one_refused_token_spares_hq_and_new_tokens() {
    let hq = Hq::start().await;
    let server = Server::with_oauth(&hq, &[]);
    let started = Instant::now();
    for _ in 0..50 {
        assert_eq!(server.call("alices-token", READ).await.status, StatusCode::UNAUTHORIZED);
    }
    let seconds = usize::try_from(started.elapsed().as_secs()).unwrap();
    assert!(
        hq.introspections() <= 1 + seconds,
        "{} introspections in {seconds} s",
        hq.introspections()
    );
    hq.issue_to_alice();
    let issued = Instant::now();
    while server.call("alices-token", READ).await.status != StatusCode::OK {
        assert!(
            issued.elapsed() < Duration::from_millis(1500),
            "locked out for {:?}",
            issued.elapsed()
        );
    }
}
