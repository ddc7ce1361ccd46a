//! Pages: whose may call, what they may read, and that a rebound name gets nothing.

use axum::body::Body;
use http::{Method, Request, StatusCode};
use serde_json::json;

use crate::{
    client::{DELETE, READ, Server, With, call, post},
    hq::{Hq, Introspection},
};

fn preflight(origin: &str) -> Request<Body> {
    Request::builder()
        .method(Method::OPTIONS)
        .uri("/mcp")
        .header("host", "mcp.example.com")
        .header("origin", origin)
        .header("access-control-request-method", "POST")
        .header(
            "access-control-request-headers",
            "authorization,content-type,mcp-method,mcp-param-x",
        )
        .body(Body::empty())
        .unwrap()
}

#[tokio::test]
async fn foreign_hosts_and_origins_get_403_whatever_token_they_bring() {
    let hq = Hq::start().await;
    let server = Server::with_oauth(
        &hq,
        &[("MCP_ALLOWED_ORIGINS", "https://app.example.com,http://dev.example.com:*")],
    );
    let token = format!("Bearer {}", hq.issue_to_alice());
    let table = [
        ("mcp.example.com", None, 200),
        ("MCP.example.com:8443", None, 200),
        ("localhost:8000", None, 200),
        ("[::1]:8000", None, 200),
        ("127.0.0.1", None, 200),
        ("evil.example.com", None, 403),
        ("mcp.example.com.evil.example", None, 403),
        ("10.0.0.1:8000", None, 403),
        ("LOCALHOST", None, 200),
        ("[::1]", None, 200),
        ("mcp.example.com.", None, 403),
        ("localhost.", None, 403),
        ("localhost.evil.example", None, 403),
        ("evil.example?mcp.example.com", None, 400),
        ("evil.example#mcp.example.com", None, 400),
        ("mcp.example.com@evil.example", None, 400),
        ("mcp.example.com:8443:80", None, 400),
        ("mcp.example.com:99999", None, 400),
        ("mcp.example.com:port", None, 400),
        ("mcp.example.com:+80", None, 400),
        ("mcp.example.com:", None, 400),
        ("mcp.example.com/", None, 400),
        ("https://mcp.example.com", None, 400),
        ("mcp.example.com,evil.example", None, 403),
        ("*", None, 400),
        ("[::2]:8000", None, 403),
        ("[::ffff:10.0.0.1]", None, 403),
        ("::1", None, 400),
        ("[::1", None, 400),
        ("0.0.0.0:8000", None, 403),
        ("169.254.169.254", None, 403),
        ("a b", None, 400),
        ("", None, 400),
        ("mcp.example.com", Some("https://mcp.example.com"), 200),
        ("mcp.example.com", Some("https://app.example.com"), 200),
        ("mcp.example.com", Some("https://app.example.com:443"), 200),
        ("mcp.example.com", Some("http://dev.example.com:1234"), 200),
        ("mcp.example.com", Some("http://localhost:6274"), 200),
        ("mcp.example.com", Some("http://[::1]:1"), 200),
        ("mcp.example.com", Some("http://127.0.0.1:3000"), 200),
        ("mcp.example.com", Some("https://mcp.example.com."), 403),
        ("mcp.example.com", Some("https://mcp.example.com:8443"), 403),
        ("mcp.example.com", Some("https://mcp.example.com/path"), 403),
        ("mcp.example.com", Some("https://mcp.example.com https://evil.example"), 403),
        ("mcp.example.com", Some("https://user@mcp.example.com"), 403),
        ("mcp.example.com", Some("mcp.example.com"), 403),
        ("mcp.example.com", Some("http://127.0.0.2:3000"), 403),
        ("mcp.example.com", Some("http://[::2]:1"), 403),
        ("mcp.example.com", Some("http://0.0.0.0:3000"), 403),
        ("mcp.example.com", Some("file://"), 403),
        ("mcp.example.com", Some("chrome-extension://abcdefgh"), 403),
        ("mcp.example.com", Some("ws://localhost:6274"), 403),
        ("mcp.example.com", Some("http://mcp.example.com"), 403),
        ("mcp.example.com", Some("https://app.example.com:444"), 403),
        ("mcp.example.com", Some("https://evil.example.com"), 403),
        ("mcp.example.com", Some("https://localhost.evil.example"), 403),
        ("mcp.example.com", Some("http://dev.example.com:*"), 403),
        ("mcp.example.com", Some("null"), 403),
        ("mcp.example.com", Some(""), 403),
        ("evil.example.com", Some("https://mcp.example.com"), 403),
    ];
    for (host, origin, status) in table {
        let mut request = call(READ)
            .without_header("host")
            .with_header("host", host)
            .with_header("authorization", &token);
        if let Some(origin) = origin {
            request = request.with_header("origin", origin);
        }
        let answer = server.send(request).await;
        assert_eq!(answer.status.as_u16(), status, "{host:?} {origin:?}: {answer:?}");
    }
}

#[tokio::test]
async fn one_host_is_needed_and_the_targets_counts_first() {
    let server = Server::with_oauth(&Hq::start().await, &[]);
    let none = call(READ).without_header("host");
    let two = call(READ).with_header("host", "localhost");
    for request in [none, two] {
        assert_eq!(server.send(request).await.status, StatusCode::BAD_REQUEST);
    }
    let mut absolute = call(READ);
    *absolute.uri_mut() = "http://evil.example.com/mcp".parse().unwrap();
    assert_eq!(server.send(absolute).await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn an_allowed_page_may_call_with_a_token_and_read_the_challenge() {
    let server = Server::with_oauth(&Hq::start().await, &[]);
    let answer = server.send(preflight("http://localhost:6274")).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.header("access-control-allow-origin"), Some("http://localhost:6274"));
    assert_eq!(answer.header("access-control-allow-methods"), Some("POST,GET,DELETE"));
    assert_eq!(
        answer.header("access-control-allow-headers"),
        Some("authorization,content-type,mcp-method,mcp-param-x")
    );
    assert_eq!(answer.header("access-control-allow-credentials"), None);

    let answer = server.send(call(READ).with_header("origin", "http://localhost:6274")).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert_eq!(answer.header("access-control-allow-origin"), Some("http://localhost:6274"));
    let exposed = answer.header("access-control-expose-headers").unwrap();
    for header in [
        "www-authenticate",
        "retry-after",
        "mcp-session-id",
        "mcp-protocol-version",
        "x-request-id",
    ] {
        assert!(
            exposed.split(',').any(|exposed| exposed == header),
            "{header} is not in {exposed}"
        );
    }
    // What a cache may not give to pages of another origin.
    assert!(answer.header("vary").unwrap().contains("origin"), "{answer:?}");
}

#[tokio::test]
async fn a_page_can_read_every_refusal() {
    let hq = Hq::start().await;
    let server = Server::with_oauth(
        &hq,
        &[("MCP_CALLS_PER_MINUTE_PER_USER", "3"), ("MCP_MAX_BODY_BYTES", "1024")],
    );
    hq.issue("reader", json!({"scope": "read"}));
    let page = |request: Request<Body>| {
        server.send(
            request
                .with_header("origin", "http://localhost:6274")
                .with_header("authorization", "Bearer reader"),
        )
    };
    let mut answers = vec![page(call(READ)).await, page(call(DELETE)).await];
    answers.push(page(post("{")).await);
    answers.push(page(call(READ)).await);
    answers.push(page(post(&"x".repeat(2048))).await);
    hq.introspection(Introspection::Says(StatusCode::BAD_GATEWAY, String::new()));
    answers.push(page(call(READ)).await);
    let statuses: Vec<_> = answers.iter().map(|answer| answer.status.as_u16()).collect();
    assert_eq!(statuses, [200, 403, 400, 429, 413, 503]);
    for answer in answers {
        assert_eq!(
            answer.header("access-control-allow-origin"),
            Some("http://localhost:6274"),
            "{answer:?}"
        );
    }
}

#[tokio::test]
async fn one_foreign_origin_among_several_is_foreign() {
    let server = Server::with_oauth(&Hq::start().await, &[]);
    let request = call(READ)
        .with_header("origin", "http://localhost:1")
        .with_header("origin", "https://evil.example");
    assert_eq!(server.send(request).await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_foreign_page_is_allowed_nothing() {
    let server = Server::with_oauth(&Hq::start().await, &[]);
    for request in [
        preflight("https://evil.example.com"),
        call(READ).with_header("origin", "https://evil.example.com"),
    ] {
        assert_eq!(server.send(request).await.header("access-control-allow-origin"), None);
    }
}
