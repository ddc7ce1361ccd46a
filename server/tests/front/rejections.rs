//! Why a token is not taken, as the client is told it: in the challenge and in the body alike.

use http::StatusCode;
use serde_json::{Value, json};

use crate::{
    client::{READ, Server, With, call},
    hq::{CLIENT, Hq},
};

const RESOURCE: &str = "https://mcp.example.com/mcp";

/// What a client is told that shows `token`, which is not taken: one text in both places.
async fn refusal(server: &Server, token: &str) -> String {
    let answer =
        server.send(call(READ).with_header("authorization", &format!("Bearer {token}"))).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{answer:?}");
    let body = answer.json();
    assert_eq!(body["error"], "invalid_token");
    let description = body["error_description"].as_str().unwrap().to_owned();
    let challenge = answer.challenge().unwrap();
    let start = format!("Bearer error=\"invalid_token\", error_description=\"{description}\", ");
    assert!(challenge.starts_with(&start), "{challenge}");
    assert!(challenge.contains("resource_metadata=\"https://mcp.example.com/"), "{challenge}");
    assert_eq!(challenge.matches('"').count(), 8, "{challenge}");
    description
}

fn in_seconds(seconds: i64) -> i64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    i64::try_from(now.as_secs()).unwrap() + seconds
}

/// The introspection reply for alice with these members too.
fn alice(members: &Value) -> Value {
    let mut reply = json!({"scope": "read", "sub": "alice", "client_id": "claude"});
    for (name, value) in members.as_object().unwrap() {
        reply[name] = value.clone();
    }
    reply
}

#[tokio::test]
async fn a_bound_premature_or_foreign_token_is_401_with_the_reason() {
    let hq = Hq::start().await;
    let server = Server::with_oauth(&hq, &[]);
    for (members, said) in [
        (json!({"cnf": {"jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}}), "(cnf)"),
        (json!({"cnf": {"x5t#S256": "bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2"}}), "(cnf)"),
        (json!({"token_type": "DPoP"}), "without DPoP"),
        (json!({"nbf": in_seconds(3600)}), "not valid yet (nbf)"),
        (json!({"iss": "https://other.example.com"}), "from another issuer, 'https://other."),
        (json!({"exp": in_seconds(-1)}), "has expired"),
        (json!({"token_use": "refresh_token"}), "no bearer access token"),
    ] {
        hq.issue("token", alice(&members));
        let server = Server::with_oauth(&hq, &[]);
        let told = refusal(&server, "token").await;
        assert!(told.contains(said), "{members}: {told}");
    }
    assert!(refusal(&server, "unknown").await.contains("does not know the token"));
    assert_eq!(hq.called_with(), [""; 0]);
}

#[tokio::test]
async fn a_current_token_of_hq_is_accepted_however_its_issuer_ends() {
    let hq = Hq::start().await;
    for members in [
        json!({"nbf": in_seconds(-60), "iss": "https://lenses.example.com"}),
        // The clocks of two machines differ a little.
        json!({"nbf": in_seconds(5), "iss": "https://lenses.example.com/"}),
        json!({"nbf": null, "iss": null, "cnf": null, "token_type": "Bearer"}),
    ] {
        hq.issue("token", alice(&members));
        let server = Server::with_oauth(&hq, &[]);
        assert_eq!(server.call("token", READ).await.status, StatusCode::OK, "{members}");
    }
}

#[tokio::test]
async fn a_token_for_another_resource_is_told_with_both_resources() {
    let hq = Hq::start().await;
    for aud in ["https://lenses.example.com", "claude", "https://mcp.example.com"] {
        hq.issue("token", alice(&json!({"aud": aud})));
        let server = Server::with_oauth(&hq, &[]);
        let expected = format!(
            "the token is for another resource, '{aud}'; this server is {RESOURCE}, ask for that"
        );
        assert_eq!(refusal(&server, "token").await, expected);
    }
    hq.issue("token", alice(&json!({})));
    let server = Server::with_oauth(&hq, &[("MCP_AUDIENCE", "required")]);
    let told = refusal(&server, "token").await;
    assert!(told.contains(&format!("another resource, none; this server is {RESOURCE}")), "{told}");
}

#[tokio::test]
async fn what_hq_names_can_neither_end_the_quotes_nor_fill_the_header() {
    let hq = Hq::start().await;
    let many: Vec<_> = (0..50).map(|number| format!("{}{number}", "x".repeat(1000))).collect();
    for aud in [json!("a\", error=\"none"), json!("a\r\nSet-Cookie: b\\"), json!(many)] {
        hq.issue("token", alice(&json!({"aud": aud})));
        let server = Server::with_oauth(&hq, &[]);
        let told = refusal(&server, "token").await;
        assert!(told.len() < 600, "{}", told.len());
        hq.issue("token", alice(&json!({"iss": aud.as_str().unwrap_or("x")})));
        let server = Server::with_oauth(&hq, &[]);
        assert!(refusal(&server, "token").await.len() < 600);
    }
}

#[tokio::test]
async fn a_token_that_hq_no_longer_exchanges_is_401() {
    let hq = Hq::start().await;
    hq.offer_exchange();
    let server = Server::with_oauth(&hq, &CLIENT);
    let token = hq.issue_to_alice();
    hq.answer_exchange(StatusCode::BAD_REQUEST, r#"{"error":"invalid_grant"}"#);
    let told = refusal(&server, token).await;
    assert_eq!(told, "Lenses HQ does not exchange the token (invalid_grant); sign in again");
    assert_eq!(hq.called_with(), [""; 0]);
}
