//! API-key mode: one credential for HQ, one token (or none) for all callers.

use http::StatusCode;

use crate::{
    client::{DELETE, READ, Server, call, get},
    hq::Hq,
};

fn server(hq: &Hq, callers: (&str, &str)) -> Server {
    Server::new(&[
        ("LENSES_URL", &hq.url),
        ("LENSES_API_KEY", "service-account"),
        ("TRANSPORT", "http"),
        ("MCP_ALLOWED_HOSTS", "mcp.example.com"),
        callers,
    ])
}

#[tokio::test]
async fn callers_show_their_token_and_hq_sees_the_key() {
    let hq = Hq::start().await;
    let server = server(&hq, ("MCP_CALLER_TOKEN", "callers-token"));
    let answer = server.call("callers-token", READ).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    assert_eq!(hq.called_with(), ["Bearer service-account"]);
    assert_eq!(hq.introspections(), 0);
}

#[tokio::test]
async fn others_are_challenged_without_oauth() {
    let hq = Hq::start().await;
    let server = server(&hq, ("MCP_CALLER_TOKEN", "callers-token"));
    let answer = server.send(call(READ)).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert_eq!(answer.challenge(), Some("Bearer realm=\"lenses-mcp\""));
    for token in ["service-account", "callers-token2", "callers-toke", "Callers-token"] {
        let answer = server.call(token, READ).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{token}");
        let challenge = answer.challenge().unwrap();
        assert!(challenge.starts_with("Bearer error=\"invalid_token\"") && challenge.ends_with("realm=\"lenses-mcp\""));
    }
    assert_eq!(server.send(get("/.well-known/oauth-protected-resource")).await.status, StatusCode::NOT_FOUND);
    assert_eq!(hq.called_with(), [""; 0]);
}

#[tokio::test]
async fn anyone_may_call_where_that_was_said() {
    let hq = Hq::start().await;
    let server = server(&hq, ("MCP_CALLERS", "anyone"));
    assert_eq!(server.send(call(READ)).await.status, StatusCode::OK);
    assert_eq!(hq.called_with(), ["Bearer service-account"]);
}

#[tokio::test]
async fn the_scopes_that_are_offered_bound_the_key_too() {
    let hq = Hq::start().await;
    let server = Server::new(&[
        ("LENSES_URL", &hq.url),
        ("LENSES_API_KEY", "service-account"),
        ("TRANSPORT", "http"),
        ("MCP_ALLOWED_HOSTS", "mcp.example.com"),
        ("MCP_CALLERS", "anyone"),
        ("MCP_SCOPES", "read"),
    ]);
    let answer = server.send(call(DELETE)).await.json();
    assert!(answer["error"].is_object() || answer["result"]["isError"] == true, "{answer}");
}
