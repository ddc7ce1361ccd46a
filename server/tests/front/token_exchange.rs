//! Token exchange: what HQ is asked, what it is then shown, and that no token goes on where none
//! should.

use std::time::{Duration, Instant};

use http::StatusCode;
use serde_json::json;

use crate::{
    client::{Answer, READ, Server},
    hq::{CLIENT, Hq},
};

const REQUIRED: (&str, &str) = ("MCP_TOKEN_EXCHANGE", "required");

fn server(hq: &Hq, more: &[(&str, &str)]) -> Server {
    Server::with_oauth(hq, &[&CLIENT, more].concat())
}

fn assert_unavailable(answer: &Answer) {
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{answer:?}");
    assert_eq!((answer.header("retry-after"), answer.challenge()), (Some("5"), None));
}

#[tokio::test]
async fn where_hq_offers_it_hq_is_shown_a_token_of_its_own() {
    let hq = Hq::start().await;
    hq.offer_exchange();
    let server = server(&hq, &[("MCP_SCOPES", "read,write")]);
    let token = hq.issue_to_alice();
    let answer = server.call(token, READ).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    assert_eq!(hq.called_with(), ["Bearer exchanged-1"]);
    let exchanges = hq.exchanges();
    let (form, headers) = &exchanges[0];
    let expected = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
        ("subject_token", token),
        ("subject_token_type", "urn:ietf:params:oauth:token-type:access_token"),
        ("requested_token_type", "urn:ietf:params:oauth:token-type:access_token"),
        ("resource", "https://lenses.example.com"),
        ("scope", "read write"),
    ];
    assert_eq!(*form, expected.map(|(name, value)| (name.to_owned(), value.to_owned())).into());
    assert_eq!(headers["accept"], "application/json");
}

#[tokio::test]
async fn elsewhere_the_callers_token_is_passed_on() {
    let offering = || async {
        let hq = Hq::start().await;
        hq.offer_exchange();
        hq
    };
    let not_offering = Hq::start().await;
    let silent = Hq::start().await;
    silent.answer_metadata(None);
    let page = Hq::start().await;
    page.answer_metadata(Some((StatusCode::OK, "<html>".into())));
    for (hq, settings) in [
        (not_offering, &CLIENT[..]),
        (silent, &CLIENT),
        (page, &CLIENT),
        (offering().await, &[]),
        (offering().await, &[CLIENT[0], CLIENT[1], ("MCP_TOKEN_EXCHANGE", "off")]),
    ] {
        let server = Server::with_oauth(&hq, settings);
        assert_eq!(server.call(hq.issue_to_alice(), READ).await.status, StatusCode::OK);
        assert_eq!(hq.called_with(), ["Bearer alices-token"]);
        assert_eq!(hq.exchanges().len(), 0);
    }
}

#[tokio::test]
async fn metadata_is_read_once_at_the_first_accepted_sign_in() {
    let hq = Hq::start().await;
    hq.offer_exchange();
    let server = server(&hq, &[]);
    assert_eq!(server.call("unknown", READ).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(hq.metadata_paths(), [""; 0]);
    let token = hq.issue_to_alice();
    for _ in 0..3 {
        assert_eq!(server.call(token, READ).await.status, StatusCode::OK);
    }
    assert_eq!(hq.metadata_paths(), ["/.well-known/oauth-authorization-server"]);
    assert_eq!(
        hq.called_with(),
        ["Bearer exchanged-1", "Bearer exchanged-2", "Bearer exchanged-3"]
    );
}

#[tokio::test]
async fn metadata_is_found_below_a_path_too() {
    let hq = Hq::start().await;
    hq.answer_metadata(None);
    let below = format!("{}/lenses", hq.url);
    let server = server(
        &hq,
        &[("LENSES_URL", &below), ("INTROSPECTION_URL", &format!("{}/oauth2/introspect", hq.url))],
    );
    server.call(hq.issue_to_alice(), READ).await;
    assert_eq!(
        hq.metadata_paths(),
        [
            "/.well-known/oauth-authorization-server/lenses",
            "/.well-known/oauth-authorization-server",
            "/lenses/.well-known/oauth-authorization-server",
        ]
    );
}

#[tokio::test]
async fn a_failed_exchange_is_503_and_the_token_is_not_forwarded() {
    for (status, body) in [
        (StatusCode::BAD_REQUEST, r#"{"error":"invalid_request"}"#),
        (StatusCode::BAD_REQUEST, r#"{"error":"invalid_target"}"#),
        (StatusCode::UNAUTHORIZED, r#"{"error":"invalid_client"}"#),
        (StatusCode::FORBIDDEN, ""),
        (StatusCode::INTERNAL_SERVER_ERROR, ""),
        (StatusCode::TEMPORARY_REDIRECT, ""),
        (StatusCode::OK, "<html>"),
        (StatusCode::OK, "{}"),
        (StatusCode::OK, r#"{"access_token":"","token_type":"Bearer"}"#),
        (StatusCode::OK, r#"{"access_token":"a\nb","token_type":"Bearer"}"#),
        (StatusCode::OK, r#"{"access_token":"a","token_type":"DPoP"}"#),
        (StatusCode::OK, r#"{"access_token":"a","token_type":"N_A"}"#),
    ] {
        let hq = Hq::start().await;
        hq.offer_exchange();
        hq.answer_exchange(status, body);
        let server = server(&hq, &[]);
        assert_unavailable(&server.call(hq.issue_to_alice(), READ).await);
        assert_eq!(hq.called_with(), [""; 0], "{status} {body}");
        assert!(!server.exposition().contains(r#"operation="token_exchange",outcome="success""#));
        assert!(server.exposition().contains(r#"operation="token_exchange""#));
    }
}

#[tokio::test]
async fn an_endpoint_that_is_not_hqs_gets_no_token() {
    let hq = Hq::start().await;
    let exchange = "urn:ietf:params:oauth:grant-type:token-exchange";
    hq.publish(
        json!({"token_endpoint": "https://evil.example/token", "grant_types_supported": [exchange]})
    );
    assert_unavailable(&server(&hq, &[]).call(hq.issue_to_alice(), READ).await);
    assert_eq!((hq.called_with().len(), hq.exchanges().len()), (0, 0));
}

#[tokio::test]
async fn where_it_is_required_and_not_offered_nothing_is_passed_on() {
    for answer in
        [None, Some((StatusCode::OK, "<html>".to_owned())), Some((StatusCode::OK, "{}".to_owned()))]
    {
        let hq = Hq::start().await;
        hq.answer_metadata(answer);
        assert_unavailable(&server(&hq, &[REQUIRED]).call(hq.issue_to_alice(), READ).await);
        assert_eq!(hq.called_with(), [""; 0]);
    }
    let hq = Hq::start().await;
    assert_unavailable(&server(&hq, &[REQUIRED]).call(hq.issue_to_alice(), READ).await);
    assert_eq!(hq.called_with(), [""; 0]);
}

#[tokio::test]
async fn an_outage_of_the_metadata_decides_nothing_and_mends_by_itself() {
    let hq = Hq::start().await;
    let server = server(&hq, &[]);
    let token = hq.issue_to_alice();
    hq.answer_metadata(Some((StatusCode::BAD_GATEWAY, String::new())));
    assert_unavailable(&server.call(token, READ).await);
    assert_eq!(hq.called_with(), [""; 0]);
    hq.offer_exchange();
    let deadline = Instant::now() + Duration::from_secs(5);
    while server.call(token, READ).await.status != StatusCode::OK {
        assert!(Instant::now() < deadline, "the failure is still told");
    }
    assert_eq!(hq.called_with(), ["Bearer exchanged-1"]);
}

#[tokio::test]
async fn an_exchanged_token_lives_as_long_as_the_word_on_the_callers() {
    let hq = Hq::start().await;
    hq.offer_exchange();
    let server = server(&hq, &[("INTROSPECTION_CACHE_TTL", "60")]);
    let token = hq.issue_to_alice();
    for _ in 0..3 {
        assert_eq!(server.call(token, READ).await.status, StatusCode::OK);
    }
    assert_eq!((hq.exchanges().len(), hq.introspections()), (1, 1));

    hq.exchange_for(0);
    let ending = remembering_server(&hq);
    for _ in 0..2 {
        assert_eq!(ending.call(token, READ).await.status, StatusCode::OK);
    }
    assert_eq!(
        (hq.exchanges().len(), hq.introspections()),
        (3, 3),
        "one that has ended is not kept"
    );
}

fn remembering_server(hq: &Hq) -> Server {
    server(hq, &[("INTROSPECTION_CACHE_TTL", "60")])
}

#[tokio::test]
async fn an_exchanged_token_that_hq_does_not_take_is_forgotten() {
    let hq = Hq::start().await;
    hq.offer_exchange();
    let server = remembering_server(&hq);
    let token = hq.issue_to_alice();
    server.call(token, READ).await;
    hq.refuse_api_calls(true);
    assert_eq!(server.call(token, READ).await.json()["result"]["isError"], true);
    hq.refuse_api_calls(false);
    // Forgetting is a task of its own.
    let deadline = Instant::now() + Duration::from_secs(5);
    while hq.called_with().last().unwrap() != "Bearer exchanged-2" {
        assert!(Instant::now() < deadline, "the token is still shown: {:?}", hq.called_with());
        server.call(token, READ).await;
    }
}

#[tokio::test]
async fn concurrent_calls_with_one_token_exchange_it_once() {
    let hq = Hq::start().await;
    hq.offer_exchange();
    let server = server(&hq, &[("MCP_CONCURRENT_REQUESTS_PER_USER", "20")]);
    let token = hq.issue_to_alice();
    hq.hold_introspection(true);
    let calls: Vec<_> = (0..20)
        .map(|_| {
            let server = server.clone();
            tokio::spawn(async move { server.call(token, READ).await })
        })
        .collect();
    while hq.introspections() == 0 {
        tokio::task::yield_now().await;
    }
    hq.hold_introspection(false);
    for call in calls {
        assert_eq!(call.await.unwrap().status, StatusCode::OK);
    }
    assert_eq!(hq.exchanges().len(), 1);
}
