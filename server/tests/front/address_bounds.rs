//! What one client address can have HQ asked, and that the others and those who are signed in do
//! not suffer from it.

use std::net::{IpAddr, Ipv4Addr};

use http::StatusCode;
use serde_json::json;
use tokio::task::JoinHandle;

use crate::{
    client::{Answer, READ, Server, With, call},
    hq::Hq,
};

const HOME: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
const ELSEWHERE: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 2));

async fn call_from(address: IpAddr, server: &Server, token: &str) -> Answer {
    let authorization = format!("Bearer {token}");
    server.send(call(READ).with_header("authorization", &authorization).from(address)).await
}

/// Starts a call and waits until HQ, which holds its answers, was asked about its token.
async fn call_under_way(
    address: IpAddr,
    server: &Server,
    hq: &Hq,
    token: &str,
) -> JoinHandle<Answer> {
    let before = hq.introspections();
    let (server, token) = (server.clone(), token.to_owned());
    let call = tokio::spawn(async move { call_from(address, &server, &token).await });
    while hq.introspections() == before {
        assert!(!call.is_finished(), "answered without asking HQ: {:?}", call.await);
        tokio::task::yield_now().await;
    }
    call
}

async fn hang_up(call: JoinHandle<Answer>) {
    call.abort();
    assert!(call.await.unwrap_err().is_cancelled());
}

/// Fails to sign in `times` times with tokens of which none is like another.
async fn fail(address: IpAddr, server: &Server, times: u32) {
    for attempt in 0..times {
        let answer = call_from(address, server, &format!("bad-{attempt}")).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{attempt}: {answer:?}");
    }
}

#[tokio::test]
async fn after_twenty_failed_sign_ins_an_address_gets_429_without_introspection() {
    let hq = Hq::start().await;
    let server = Server::with_oauth(&hq, &[]);
    fail(HOME, &server, 20).await;
    let asked = hq.introspections();
    let answer = call_from(HOME, &server, "bad").await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(answer.challenge(), None);
    let seconds: u64 = answer.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=60).contains(&seconds), "{seconds}");
    assert_eq!(
        answer.json(),
        json!({
            "error": "temporarily_unavailable",
            "error_description": format!(
                "too many failed sign-ins from this address: this server takes 20 a minute; keep \
                 the token and try again in {seconds} s"
            ),
        })
    );
    assert_eq!(hq.introspections(), asked);
    let metrics = server.exposition();
    for line in [
        r#"lenses_mcp_sign_ins_total{outcome="too_many_failures"} 1"#,
        "lenses_mcp_failed_sign_ins_per_minute_limit 20",
    ] {
        assert!(metrics.contains(line), "{line} is not in\n{metrics}");
    }
    assert_eq!(call_from(ELSEWHERE, &server, "bad").await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn tokens_that_hq_accepted_lately_pass_at_an_address_over_its_limit() {
    let hq = Hq::start().await;
    for cache_ttl in ["0", "60"] {
        let server = Server::with_oauth(
            &hq,
            &[("MCP_FAILED_SIGN_INS_PER_MINUTE", "2"), ("INTROSPECTION_CACHE_TTL", cache_ttl)],
        );
        let token = hq.issue_to_alice();
        fail(HOME, &server, 2).await;
        let answer = call_from(HOME, &server, token).await;
        assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS, "it was never seen: {answer:?}");
        assert_eq!(call_from(ELSEWHERE, &server, token).await.status, StatusCode::OK);
        assert_eq!(call_from(HOME, &server, token).await.status, StatusCode::OK, "{cache_ttl}");
    }
}

#[tokio::test]
async fn hq_still_refuses_a_revoked_token_at_an_address_over_its_limit() {
    let hq = Hq::start().await;
    let server = Server::with_oauth(&hq, &[("MCP_FAILED_SIGN_INS_PER_MINUTE", "2")]);
    let token = hq.issue_to_alice();
    assert_eq!(call_from(HOME, &server, token).await.status, StatusCode::OK);
    fail(HOME, &server, 2).await;
    hq.revoke(token);
    assert_eq!(call_from(HOME, &server, token).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_token_that_is_refused_from_memory_is_no_further_failure() {
    let hq = Hq::start().await;
    let server = Server::with_oauth(&hq, &[("MCP_FAILED_SIGN_INS_PER_MINUTE", "3")]);
    for _ in 0..10 {
        // Refusals are remembered for a second: on a slow machine HQ is asked twice.
        if hq.introspections() < 2 {
            let answer = call_from(HOME, &server, "bad").await;
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
        }
    }
    assert!(server.exposition().contains(r#"introspections_spared_total{by="recently_refused"}"#));
    assert_eq!(call_from(HOME, &server, "another").await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn zero_lets_an_address_fail_any_number_of_times() {
    let hq = Hq::start().await;
    let server = Server::with_oauth(&hq, &[("MCP_FAILED_SIGN_INS_PER_MINUTE", "0")]);
    fail(HOME, &server, 50).await;
    assert_eq!(hq.introspections(), 50);
}

#[tokio::test]
async fn only_an_address_over_its_share_of_introspections_gets_503() {
    let hq = Hq::start().await;
    let server = Server::with_oauth(&hq, &[("MCP_MAX_CONCURRENT_REQUESTS", "8")]);
    let token = hq.issue_to_alice();
    hq.hold_introspection(true);
    let mut calls = vec![call_under_way(HOME, &server, &hq, "random-1").await];
    calls.push(call_under_way(HOME, &server, &hq, "random-2").await);
    let answer = call_from(HOME, &server, "random-3").await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!((answer.header("retry-after"), answer.challenge()), (Some("1"), None));
    assert_eq!(answer.json()["error"], "temporarily_unavailable");
    let good = call_under_way(ELSEWHERE, &server, &hq, token).await;
    let metrics = server.exposition();
    for line in [
        r#"lenses_mcp_sign_ins_total{outcome="address_busy"} 1"#,
        "lenses_mcp_introspections_in_flight 3",
        "lenses_mcp_introspections_limit 8",
        "lenses_mcp_introspections_per_address_limit 2",
    ] {
        assert!(metrics.contains(line), "{line} is not in\n{metrics}");
    }
    hq.hold_introspection(false);
    assert_eq!(good.await.unwrap().status, StatusCode::OK);
    for call in calls {
        assert_eq!(call.await.unwrap().status, StatusCode::UNAUTHORIZED);
    }
    assert_eq!(call_from(HOME, &server, "random-3").await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn who_waits_for_the_same_token_takes_no_share() {
    let hq = Hq::start().await;
    let server = Server::with_oauth(&hq, &[("MCP_CONCURRENT_INTROSPECTIONS_PER_ADDRESS", "1")]);
    let token = hq.issue_to_alice();
    hq.hold_introspection(true);
    let first = call_under_way(HOME, &server, &hq, token).await;
    // Polled once, the second has joined the first's introspection or got 503.
    let mut second = Box::pin(call_from(HOME, &server, token));
    assert!(futures::poll!(&mut second).is_pending());
    hq.hold_introspection(false);
    assert_eq!(first.await.unwrap().status, StatusCode::OK);
    assert_eq!(second.await.status, StatusCode::OK);
    assert_eq!(hq.introspections(), 1);
}

#[tokio::test]
async fn a_caller_that_hangs_up_gives_its_share_back_at_once() {
    let hq = Hq::start().await;
    let server = Server::with_oauth(&hq, &[("MCP_CONCURRENT_INTROSPECTIONS_PER_ADDRESS", "1")]);
    hq.hold_introspection(true);
    let first = call_under_way(HOME, &server, &hq, "random-1").await;
    let answer = call_from(HOME, &server, "random-2").await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    hang_up(first).await;
    assert!(server.exposition().contains("lenses_mcp_introspections_in_flight 0"));
    hang_up(call_under_way(HOME, &server, &hq, "random-2").await).await;
}

#[tokio::test]
async fn callers_that_hang_up_before_hq_answers_count_as_failed() {
    let hq = Hq::start().await;
    let server = Server::with_oauth(&hq, &[("MCP_FAILED_SIGN_INS_PER_MINUTE", "2")]);
    hq.hold_introspection(true);
    for token in ["random-1", "random-2"] {
        hang_up(call_under_way(HOME, &server, &hq, token).await).await;
    }
    let answer = call_from(HOME, &server, "random-3").await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(hq.introspections(), 2);
}

#[tokio::test]
async fn hq_failing_is_no_failed_sign_in() {
    let hq = Hq::start().await;
    let server = Server::with_oauth(&hq, &[("MCP_FAILED_SIGN_INS_PER_MINUTE", "2")]);
    hq.introspection(crate::hq::Introspection::Says(StatusCode::BAD_GATEWAY, String::new()));
    for token in ["a", "b", "c", "d"] {
        let answer = call_from(HOME, &server, token).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    }
}
