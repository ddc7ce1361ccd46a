//! Who gets in with OAuth, and what those who do not are told.

use axum::body::Body;
use http::{Request, StatusCode};
use serde_json::json;

use crate::{
    client::{Answer, DELETE, READ, Server, With, call, post},
    hq::Hq,
};

const CHALLENGE: &str = "Bearer resource_metadata=\"https://mcp.example.com/.well-known/\
                         oauth-protected-resource/mcp\", scope=\"read write delete\"";
/// As [`CHALLENGE`], with why the token is not taken; `rejections.rs` has the reasons.
fn assert_invalid_token(answer: &Answer) {
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{answer:?}");
    let challenge = answer.challenge().unwrap();
    assert!(challenge.starts_with("Bearer error=\"invalid_token\", error_description=\""));
    assert!(challenge.ends_with(CHALLENGE.strip_prefix("Bearer ").unwrap()), "{challenge}");
    assert_eq!(answer.json()["error"], "invalid_token");
}

#[tokio::test]
async fn without_a_token_the_challenge_points_to_sign_in_without_an_error() {
    let hq = Hq::start().await;
    let server = Server::with_oauth(&hq, &[]);
    let get = Request::builder()
        .uri("/mcp")
        .header("host", "mcp.example.com")
        .body(Body::empty())
        .unwrap();
    for request in [
        call(READ),
        call(READ).with_header("authorization", "Basic dXNlcjpwYXNz"),
        post("not json"),
        get,
    ] {
        let answer = server.send(request).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
        assert_eq!(answer.challenge(), Some(CHALLENGE));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert_eq!(
            answer.json(),
            json!({
                "error": "authentication_required",
                "error_description": "sign in: this server takes an access token in the \
                                      Authorization header, as Bearer",
            })
        );
    }
    assert_eq!(hq.introspections(), 0);
}

#[tokio::test]
async fn a_malformed_token_is_invalid_without_asking_hq() {
    let hq = Hq::start().await;
    let server = Server::with_oauth(&hq, &[]);
    for value in ["Bearer a b", "Bearer a,b", "Bearer \"a\"", "Bearer ====", "Bearer t\u{f6}ken"] {
        assert_invalid_token(&server.send(call(READ).with_header("authorization", value)).await);
    }
    assert_eq!(hq.introspections(), 0);
}

#[tokio::test]
async fn a_malformed_header_is_a_bad_request() {
    let server = Server::with_oauth(&Hq::start().await, &[]);
    let empty = call(READ).with_header("authorization", "Bearer ");
    let two = call(READ)
        .with_header("authorization", "Bearer a")
        .with_header("authorization", "Bearer b");
    for request in [empty, two] {
        let answer = server.send(request).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
        assert!(
            answer.challenge().unwrap().starts_with("Bearer error=\"invalid_request\""),
            "{answer:?}"
        );
        assert_eq!(answer.json()["error"], "invalid_request");
    }
}

#[tokio::test]
async fn a_token_in_the_url_or_the_body_is_no_token() {
    let hq = Hq::start().await;
    let server = Server::with_oauth(&hq, &[]);
    let token = hq.issue_to_alice();
    let mut request = call(READ);
    *request.uri_mut() = format!("/mcp?access_token={token}").parse().unwrap();
    assert_eq!(server.send(request).await.challenge(), Some(CHALLENGE));
    assert_eq!(
        server.send(post(&format!("access_token={token}"))).await.challenge(),
        Some(CHALLENGE)
    );
}

#[tokio::test]
async fn a_token_of_16_kib_passes_and_a_longer_one_is_431() {
    let hq = Hq::start().await;
    let server = Server::with_oauth(&hq, &[]);
    let longest = "a".repeat(16 * 1024);
    hq.issue(&longest, json!({"scope": "read", "sub": "alice"}));
    assert_eq!(server.call(&longest, READ).await.status, StatusCode::OK);
    let answer = server.call(&format!("{longest}a"), READ).await;
    assert_eq!(answer.status, StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
    assert_eq!(answer.challenge(), None);
    assert_eq!(
        answer.json(),
        json!({
            "error": "invalid_request",
            "error_description":
                "the access token is longer than 16384 bytes; ask HQ for a shorter one",
        })
    );
    assert_eq!(hq.introspections(), 1);
    let outcome = r#"lenses_mcp_sign_ins_total{outcome="token_too_long"} 1"#;
    assert!(server.exposition().contains(outcome));
}

#[tokio::test]
async fn a_good_token_calls_the_tool_as_its_user() {
    let hq = Hq::start().await;
    let server = Server::with_oauth(&hq, &[]);
    let token = hq.issue_to_alice();
    let answer = server.call(token, READ).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    assert!(
        answer.body.contains(r#""structuredContent":{"result":[{"name":"dev"}]}"#),
        "{answer:?}"
    );
    assert_eq!(hq.called_with(), [format!("Bearer {token}")]);
}

#[tokio::test]
async fn only_active_bearer_access_tokens_for_this_server_get_in() {
    let hq = Hq::start().await;
    let server = Server::with_oauth(&hq, &[]);
    hq.issue("expired", json!({"scope": "read", "exp": 1_000_000_000}));
    hq.issue("elsewhere", json!({"scope": "read", "aud": "https://other.example.com/mcp"}));
    hq.issue("bound", json!({"scope": "read", "token_type": "DPoP"}));
    hq.issue("refresh", json!({"scope": "read", "token_use": "refresh_token"}));
    for token in ["unknown", "expired", "elsewhere", "bound", "refresh"] {
        assert_invalid_token(&server.call(token, READ).await);
    }
    assert_eq!(hq.called_with(), [""; 0]);
}

#[tokio::test]
async fn a_token_for_another_server_is_refused_as_the_operator_says() {
    let hq = Hq::start().await;
    hq.issue("none", json!({"scope": "read"}));
    hq.issue("here", json!({"scope": "read", "aud": ["x", "https://MCP.example.com:443/mcp/"]}));
    hq.issue("there", json!({"scope": "read", "aud": "https://there.example.com"}));
    for (rule, admitted) in [
        ("required", [false, true, false]),
        ("whenPresent", [true, true, false]),
        ("ignored", [true, true, true]),
    ] {
        let server = Server::with_oauth(&hq, &[("MCP_AUDIENCE", rule)]);
        for (token, admitted) in ["none", "here", "there"].into_iter().zip(admitted) {
            let status = server.call(token, READ).await.status;
            assert_eq!(status == StatusCode::OK, admitted, "{rule} {token}: {status}");
        }
    }
}

#[tokio::test]
async fn one_challenge_names_the_missing_scope_and_those_held() {
    let hq = Hq::start().await;
    let server = Server::with_oauth(&hq, &[]);
    hq.issue("bobs-token", json!({"scope": "openid read", "sub": "bob"}));
    let answer = server.call("bobs-token", DELETE).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert_eq!(
        answer.challenge(),
        Some(
            "Bearer error=\"insufficient_scope\", error_description=\"this call needs the scope \
             'delete'; the token holds 'read'\", scope=\"read delete\", \
             resource_metadata=\"https://mcp.example.com/.well-known/oauth-protected-resource/mcp\""
        )
    );
    assert_eq!(
        answer.json(),
        json!({
            "error": "insufficient_scope",
            "error_description": "this call needs the scope \"delete\"; the token holds \"read\"",
        })
    );
    assert_eq!(server.call("bobs-token", READ).await.status, StatusCode::OK);
}

#[tokio::test]
async fn what_a_statement_does_decides_the_scopes_of_execute_sql() {
    let hq = Hq::start().await;
    let server = Server::with_oauth(&hq, &[]);
    hq.issue("reader", json!({"scope": "read"}));
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call",
    "params": {
        "name": "execute_sql", "arguments": {"environment": "dev", "sql": "DROP TABLE t"}
    }});
    let answer =
        server.send(post(&body.to_string()).with_header("authorization", "Bearer reader")).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert!(answer.challenge().unwrap().contains("delete"), "{answer:?}");
}

#[tokio::test]
async fn a_tool_above_the_offered_scopes_is_neither_requested_nor_called() {
    let hq = Hq::start().await;
    let server = Server::with_oauth(&hq, &[("MCP_SCOPES", "read")]);
    let answer = server.call(hq.issue_to_alice(), DELETE).await;
    assert_eq!(answer.challenge(), None, "{answer:?}");
    let answer = answer.json();
    assert!(answer["error"].is_object() || answer["result"]["isError"] == true, "{answer}");
}

#[tokio::test]
async fn a_token_without_scopes_signs_in_but_learns_only_who_it_is() {
    let hq = Hq::start().await;
    let server = Server::with_oauth(&hq, &[]);
    hq.issue("empty", json!({"sub": "carol"}));
    let list = post(r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#)
        .with_header("authorization", "Bearer empty");
    let list = server.send(list).await.json();
    let names: Vec<_> =
        list["result"]["tools"].as_array().unwrap().iter().map(|tool| &tool["name"]).collect();
    assert_eq!(names, ["whoami"]);
    assert_eq!(server.call("empty", READ).await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_repeated_member_cannot_show_sign_in_another_tool_than_is_called() {
    let hq = Hq::start().await;
    let server = Server::with_oauth(&hq, &[]);
    hq.issue("reader", json!({"scope": "read"}));
    for body in [
        concat!(
            r#"{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/call","#,
            r#""params":{"name":"delete_consumer_group"}}"#,
        ),
        concat!(
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","#,
            r#""params":{"name":"list_environments"},"params":{"name":"delete_consumer_group"}}"#,
        ),
        concat!(
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","#,
            r#""params":{"name":"list_environments","name":"delete_consumer_group"}}"#,
        ),
    ] {
        let answer = server.send(post(body).with_header("authorization", "Bearer reader")).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{body}: {answer:?}");
    }
}
