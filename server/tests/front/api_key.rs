//! API-key mode: one credential for HQ, one token (or none) for all callers.

use http::StatusCode;

use crate::{
    client::{Answer, DELETE, READ, Server, With, call, get, post, try_settings},
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
    let server = server(&hq, ("MCP_CALLER_TOKEN", "callers-token-of-a-test"));
    let answer = server.call("callers-token-of-a-test", READ).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    assert_eq!(hq.called_with(), ["Bearer service-account"]);
    assert_eq!(hq.introspections(), 0);
}

#[tokio::test]
async fn others_are_challenged_without_oauth() {
    let hq = Hq::start().await;
    let server = server(&hq, ("MCP_CALLER_TOKEN", "callers-token-of-a-test"));
    let answer = server.send(call(READ)).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert_eq!(answer.challenge(), Some("Bearer realm=\"lenses-mcp\""));
    for token in [
        "service-account",
        "callers-token-of-a-test2",
        "callers-token-of-a-tes",
        "Callers-token-of-a-test",
    ] {
        let answer = server.call(token, READ).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{token}");
        let challenge = answer.challenge().unwrap();
        assert!(
            challenge.starts_with("Bearer error=\"invalid_token\"")
                && challenge.ends_with("realm=\"lenses-mcp\"")
        );
    }
    assert_eq!(hq.called_with(), [""; 0]);
}

/// The text that clients show.
fn told(answer: &Answer) -> String {
    answer.json()["error_description"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn clients_that_seek_a_sign_in_are_told_who_hands_out_tokens() {
    let hq = Hq::start().await;
    let server = server(&hq, ("MCP_CALLER_TOKEN", "callers-token-of-a-test"));
    let expected = "this server has no sign-in of its own: ask its operator for the token that \
                    callers share, and send it in the Authorization header, as Bearer";
    let unsigned = server.send(call(READ)).await;
    assert_eq!((unsigned.status, told(&unsigned).as_str()), (StatusCode::UNAUTHORIZED, expected));
    for path in [
        "/.well-known/oauth-protected-resource",
        "/.well-known/oauth-protected-resource/mcp",
        "/.well-known/oauth-authorization-server",
        "/.well-known/oauth-authorization-server/mcp",
        "/.well-known/openid-configuration",
        "/.well-known/openid-configuration/mcp",
        "/mcp/.well-known/openid-configuration",
    ] {
        let answer = server.send(get(path)).await;
        assert_eq!((answer.status, told(&answer).as_str()), (StatusCode::NOT_FOUND, expected));
        // Pages look for it too.
        let of_page = server.send(get(path).with_header("origin", "https://page.example")).await;
        assert_eq!(of_page.header("access-control-allow-origin"), Some("*"), "{path}");
    }
    let mut registration = post(r#"{"redirect_uris":["http://localhost/callback"]}"#);
    *registration.uri_mut() = "/register".parse().unwrap();
    let answer = server.send(registration).await;
    assert_eq!((answer.status, told(&answer).as_str()), (StatusCode::FORBIDDEN, expected));
    assert_eq!(answer.json()["error"], "access_denied");
    let wrong = server.call("another-token-of-a-test", READ).await;
    assert!(told(&wrong).contains("ask its operator, who hands it out"), "{wrong:?}");
    for answer in [unsigned, wrong] {
        assert!(!answer.body.contains("callers-token-of-a-test"), "{answer:?}");
    }
}

#[tokio::test]
async fn the_answer_about_a_sign_in_is_below_the_advertised_path_too() {
    let hq = Hq::start().await;
    let server = Server::new(&[
        ("LENSES_URL", &hq.url),
        ("LENSES_API_KEY", "service-account"),
        ("TRANSPORT", "http"),
        ("MCP_ADVERTISED_URL", "https://mcp.example.com/team"),
        ("OAUTH_ENABLED", "false"),
        ("MCP_CALLER_TOKEN", "callers-token-of-a-test"),
    ]);
    for path in ["/.well-known/oauth-protected-resource/team/mcp", "/register"] {
        assert!(told(&server.send(get(path)).await).contains("ask its operator"), "{path}");
    }
}

#[tokio::test]
async fn over_http_the_key_is_not_lent_to_strangers_or_pages() {
    let hq = Hq::start().await;
    let key = [
        ("LENSES_URL", hq.url.as_str()),
        ("LENSES_API_KEY", "service-account"),
        ("TRANSPORT", "http"),
    ];
    let faults = try_settings(&key).unwrap_err().to_string();
    assert!(faults.contains("MCP_CALLER_TOKEN is not set"), "{faults}");

    let closed = server(&hq, ("MCP_CALLER_TOKEN", "callers-token-of-a-test"));
    assert_eq!(closed.send(call(READ)).await.status, StatusCode::UNAUTHORIZED);
    // Even where anyone may call, a page that makes its own name resolve here may not, nor one from
    // elsewhere.
    let open = server(&hq, ("MCP_CALLERS", "anyone"));
    for (header, value) in [
        ("host", "rebound.example"),
        ("host", "10.0.0.1:8000"),
        ("origin", "https://evil.example"),
        ("origin", "null"),
    ] {
        let request = if header == "host" { call(READ).without_header(header) } else { call(READ) };
        let answer = open.send(request.with_header(header, value)).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{header}: {value}");
        assert_eq!(answer.header("access-control-allow-origin"), None);
    }
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
