//! The page for browsers: who gets it, what it shows, and that nothing in it can run or load but
//! its own.

use axum::body::Body;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use http::{Method, Request, StatusCode};
use sha2::{Digest, Sha256};

use crate::{
    client::{Answer, Server, With, get, post},
    hq::Hq,
};

const BROWSER: &str =
    "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8";

fn with_key(more: &[(&str, &str)]) -> Server {
    let key = [
        ("LENSES_URL", "http://127.0.0.1:9"),
        ("LENSES_API_KEY", "service-account"),
        ("TRANSPORT", "http"),
        ("MCP_ALLOWED_HOSTS", "mcp.example.com"),
    ];
    Server::new(&[&key, more].concat())
}

async fn open(server: &Server, path: &str) -> Answer {
    let answer = server.send(get(path).with_header("accept", BROWSER)).await;
    assert_eq!(answer.status, StatusCode::OK, "{path}: {answer:?}");
    assert_eq!(answer.header("content-type"), Some("text/html; charset=utf-8"), "{path}");
    answer
}

/// What stands between `<tag>` and `</tag>`, which must be there once.
fn between<'a>(html: &'a str, tag: &str) -> &'a str {
    let parts: Vec<_> = html.split(&format!("<{tag}>")).collect();
    let [_, after] = parts[..] else { panic!("{} <{tag}>", parts.len() - 1) };
    after.split(&format!("</{tag}>")).next().unwrap()
}

fn varies_with_accept(answer: &Answer) -> bool {
    answer.headers.get_all("vary").iter().any(|value| value == "accept")
}

#[tokio::test]
async fn a_browser_gets_the_page_at_root_and_endpoint_without_sign_in() {
    let server = Server::with_oauth(&Hq::start().await, &[]);
    let page = open(&server, "/").await.body;
    let at_endpoint = open(&server, "/mcp").await;
    assert_eq!(at_endpoint.body, page);
    assert!(varies_with_accept(&at_endpoint), "{at_endpoint:?}");
    assert!(page.contains("<code>https://mcp.example.com/mcp</code>"), "{page}");
    // Nothing else is at `/`, so whoever asks for anything gets it too.
    assert_eq!(server.send(get("/")).await.body, page);
}

#[tokio::test]
async fn below_a_path_the_page_is_where_a_proxy_may_leave_it() {
    let server = Server::with_oauth(
        &Hq::start().await,
        &[("MCP_ADVERTISED_URL", "https://mcp.example.com/team-a/")],
    );
    let page = open(&server, "/").await.body;
    assert!(page.contains("<code>https://mcp.example.com/team-a/mcp</code>"), "{page}");
    for path in ["/team-a", "/team-a/", "/team-a/mcp", "/mcp"] {
        assert_eq!(open(&server, path).await.body, page, "{path}");
    }
}

#[tokio::test]
async fn mcp_clients_get_what_they_got_before() {
    let server = with_key(&[("MCP_CALLERS", "anyone")]);
    for accept in
        ["text/event-stream", "application/json, text/event-stream", "*/*", "text/html;q=0", ""]
    {
        let answer = server.send(get("/mcp").with_header("accept", accept)).await;
        assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{accept:?}");
        // A cache must not give it to a browser.
        assert!(varies_with_accept(&answer), "{answer:?}");
    }
    let answer = server
        .send(
            post(r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#)
                .with_header("accept", "text/html"),
        )
        .await;
    assert_eq!(answer.header("content-type"), Some("application/json"), "{answer:?}");
}

#[tokio::test]
async fn head_tells_the_same_without_the_page() {
    let server = Server::with_oauth(&Hq::start().await, &[]);
    for path in ["/", "/mcp"] {
        let page = open(&server, path).await;
        let mut head = get(path).with_header("accept", BROWSER);
        *head.method_mut() = Method::HEAD;
        let answer = server.send(head).await;
        assert_eq!((answer.status, answer.body.as_str()), (StatusCode::OK, ""), "{path}");
        for header in ["content-length", "content-type", "content-security-policy", "cache-control"]
        {
            assert_eq!(answer.header(header), page.header(header), "{path} {header}");
        }
        assert_eq!(answer.header("content-length"), Some(page.body.len().to_string().as_str()));
    }
    let mut other = get("/");
    *other.method_mut() = Method::POST;
    assert_eq!(server.send(other).await.status, StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn a_foreign_host_gets_no_page() {
    let server = Server::with_oauth(&Hq::start().await, &[]);
    for path in ["/", "/mcp"] {
        for (host, status) in
            [("evil.example.com", StatusCode::FORBIDDEN), ("a b", StatusCode::BAD_REQUEST)]
        {
            let request = Request::get(path)
                .header("host", host)
                .header("accept", BROWSER)
                .body(Body::empty())
                .unwrap();
            let answer = server.send(request).await;
            assert_eq!(answer.status, status, "{path} {host}");
            assert!(!answer.body.contains("mcp.example.com"), "{answer:?}");
        }
    }
}

#[tokio::test]
async fn the_page_loads_and_runs_nothing_but_its_own_style_and_script() {
    let server = Server::with_oauth(&Hq::start().await, &[]);
    let page = open(&server, "/").await;
    let hash = |tag| BASE64_STANDARD.encode(Sha256::digest(between(&page.body, tag)));
    assert_eq!(
        page.header("content-security-policy").unwrap(),
        format!(
            "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; img-src data:; \
             base-uri 'none'; \
             form-action 'none'; frame-ancestors 'none'",
            hash("style"),
            hash("script")
        )
    );
    assert_eq!(page.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(page.header("referrer-policy"), Some("no-referrer"));
    assert_eq!(page.header("cache-control"), Some("max-age=300"));
    for loading in [" src=", "@import", "url(", "<form", " style=", " onclick"] {
        assert!(!page.body.contains(loading), "{loading}");
    }
}

#[tokio::test]
async fn an_address_cannot_break_out_of_the_html_or_shell_word() {
    let server = with_key(&[
        ("MCP_CALLERS", "anyone"),
        ("MCP_ADVERTISED_URL", "https://a'&$(id).example.com"),
    ]);
    let request = Request::get("/").header("host", "127.0.0.1").body(Body::empty()).unwrap();
    let page = server.send(request).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(!page.body.contains("a'&"), "{}", page.body);
    assert!(
        page.body.contains("<code>https://a&#39;&#38;$(id).example.com/mcp</code>"),
        "{}",
        page.body
    );
    let quoted =
        r"http lenses &#39;https://a&#39;\&#39;&#39;&#38;$(id).example.com/mcp&#39;</code>";
    assert!(page.body.contains(quoted), "{}", page.body);
}

#[tokio::test]
async fn the_page_says_how_callers_sign_in_and_shows_no_secret() {
    let hq = Hq::start().await;
    let oauth = Server::with_oauth(&hq, &[("MCP_SCOPES", "read,delete")]);
    let token = with_key(&[("MCP_CALLER_TOKEN", "callers-token-of-a-test")]);
    let anyone = with_key(&[("MCP_CALLERS", "anyone")]);
    let in_oauth = [
        r#"href="https://lenses.example.com""#,
        "<code>read</code>, <code>delete</code>.",
        r#"href="https://mcp.example.com/.well-known/oauth-protected-resource/mcp""#,
        "Add to Claude",
    ];
    let with_token =
        ["Authorization: Bearer YOUR_TOKEN", "http://localhost:8000/mcp", "MCP_ADVERTISED_URL"];
    let without = ["There is no sign-in", "Add to Claude"];
    let table: [(&Server, &[&str], &[&str]); 3] = [
        (&oauth, &in_oauth, &["YOUR_TOKEN", "<code>write</code>", "MCP_ADVERTISED_URL"]),
        (&token, &with_token, &["Add to Claude", "oauth-protected-resource"]),
        (&anyone, &without, &["YOUR_TOKEN", "oauth-protected-resource"]),
    ];
    for (server, there, not_there) in table {
        let page = open(server, "/").await.body;
        for text in there {
            assert!(page.contains(text), "{text} is not in {page}");
        }
        for text in not_there.iter().chain(&["callers-token-of-a-test", "service-account"]) {
            assert!(!page.contains(text), "{text} is in {page}");
        }
    }
}
