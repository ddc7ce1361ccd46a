//! Requests that are wrong, through the whole router: each gets the error that its RFC or MCP has
//! for it, and HQ hears nothing of it.

use axum::body::Body;
use http::{Method, Request};
use serde_json::{Value, json};

use crate::{
    client::{Answer, READ, Server, With, post},
    hq::Hq,
};

const MODERN: &str = "2026-07-28";
const PING: &str = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;

fn server(hq: &Hq) -> Server {
    Server::new(&[
        ("LENSES_URL", &hq.url),
        ("LENSES_API_KEY", "key"),
        ("TRANSPORT", "http"),
        ("MCP_CALLERS", "anyone"),
        ("MCP_ALLOWED_HOSTS", "mcp.example.com"),
    ])
}

/// A call of the newest revision that is right in every respect.
fn modern() -> (Value, Vec<(&'static str, &'static str)>) {
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {
        "name": READ,
        "arguments": {},
        "_meta": {
            "io.modelcontextprotocol/protocolVersion": MODERN,
            "io.modelcontextprotocol/clientCapabilities": {}
        },
    }});
    (body, vec![("mcp-protocol-version", MODERN), ("mcp-method", "tools/call"), ("mcp-name", READ)])
}

fn request(body: &str, headers: &[(&'static str, &str)]) -> Request<Body> {
    let bare = post(body).without_header("mcp-protocol-version");
    headers.iter().fold(bare, |request, (name, value)| request.with_header(name, value))
}

/// The status, and the JSON-RPC error code where the body holds one.
fn outcome(answer: &Answer) -> (u16, Option<i64>) {
    let error = serde_json::from_str::<Value>(&answer.body)
        .ok()
        .and_then(|body| body["error"]["code"].as_i64());
    (answer.status.as_u16(), error)
}

#[tokio::test]
async fn headers_that_are_wrong_get_the_error_of_their_kind() {
    let hq = Hq::start().await;
    let server = server(&hq);
    for (header, value, expected) in [
        ("content-type", None, (415, Some(-32600))),
        ("content-type", Some("text/plain"), (415, Some(-32600))),
        ("content-type", Some("application/x-www-form-urlencoded"), (415, Some(-32600))),
        ("content-type", Some("multipart/form-data; boundary=x"), (415, Some(-32600))),
        ("content-type", Some("application/json; charset=utf-8"), (200, None)),
        ("content-type", Some("Application/JSON"), (200, None)),
        ("accept", None, (200, None)),
        ("accept", Some("text/html"), (406, Some(-32600))),
        ("accept", Some("application/json"), (200, None)),
        ("accept", Some("*/*"), (200, None)),
        ("accept", Some("APPLICATION/JSON, Text/Event-Stream;q=0.5"), (200, None)),
        ("content-encoding", Some("gzip"), (415, Some(-32600))),
        ("content-encoding", Some("identity, br"), (415, Some(-32600))),
        ("content-encoding", Some("identity"), (200, None)),
        ("mcp-protocol-version", None, (200, None)),
        ("mcp-protocol-version", Some("2025-06-18"), (200, None)),
        ("mcp-protocol-version", Some("2099-01-01"), (400, Some(-32022))),
        ("mcp-protocol-version", Some("2025"), (400, Some(-32022))),
        ("mcp-protocol-version", Some(" "), (400, Some(-32022))),
        ("mcp-protocol-version", Some("2025-11-25, 2025-06-18"), (400, Some(-32022))),
        // It matters only to a call that must ask the user.
        ("mcp-session-id", Some("none-such"), (200, None)),
        ("last-event-id", Some("7"), (200, None)),
        ("transfer-encoding", Some("gzip, chunked"), (501, Some(-32600))),
        ("transfer-encoding", Some("chunked"), (200, None)),
        ("x-forwarded-host", Some("evil.example"), (200, None)),
    ] {
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"}).to_string();
        let mut request = post(&body).without_header(header);
        if let Some(value) = value {
            request = request.with_header(header, value);
        }
        let answer = server.send(request).await;
        assert_eq!(outcome(&answer), expected, "{header}: {value:?}: {answer:?}");
    }
}

#[tokio::test]
async fn headers_of_the_newest_revision_must_say_what_the_body_says() {
    let hq = Hq::start().await;
    let server = server(&hq);
    let (body, headers) = modern();
    let answer = server.send(request(&body.to_string(), &headers)).await;
    assert_eq!(outcome(&answer), (200, None), "{answer:?}");
    for (header, value, expected) in [
        ("mcp-method", None, (400, Some(-32020))),
        ("mcp-method", Some("tools/list"), (400, Some(-32020))),
        ("mcp-method", Some("Tools/Call"), (400, Some(-32020))),
        ("mcp-name", None, (400, Some(-32020))),
        ("mcp-name", Some("list_topics"), (400, Some(-32020))),
        ("mcp-name", Some("=?base64?bGlzdF90b3BpY3M=?="), (400, Some(-32020))),
        ("mcp-name", Some("=?base64?bGlzdF9lbnZpcm9ubWVudHM=?="), (200, None)),
        ("mcp-protocol-version", Some("2025-11-25"), (400, Some(-32020))),
        ("mcp-protocol-version", Some("2099-01-01"), (400, Some(-32020))),
    ] {
        let mut headers: Vec<_> =
            headers.iter().copied().filter(|(name, _)| *name != header).collect();
        headers.extend(value.map(|value| (header, value)));
        let answer = server.send(request(&body.to_string(), &headers)).await;
        assert_eq!(outcome(&answer), expected, "{header}: {value:?}: {answer:?}");
    }
    for (meta, expected) in [
        (json!({}), (400, Some(-32602))),
        (json!({"io.modelcontextprotocol/protocolVersion": MODERN}), (400, Some(-32602))),
        (json!({"io.modelcontextprotocol/protocolVersion": 7}), (400, Some(-32602))),
    ] {
        let mut body = body.clone();
        body["params"]["_meta"] = meta.clone();
        let answer = server.send(request(&body.to_string(), &headers)).await;
        assert_eq!(outcome(&answer), expected, "{meta}: {answer:?}");
    }
}

#[tokio::test]
async fn invalid_bodies_get_a_json_rpc_error_with_any_readable_id() {
    let hq = Hq::start().await;
    let server = server(&hq);
    let deep = format!(
        r#"{{"jsonrpc":"2.0","id":1,"method":"ping","params":{}{}}}"#,
        "[".repeat(5_000),
        "]".repeat(5_000)
    );
    let table: Vec<(&[u8], i64)> = vec![
        (b"", -32700),
        (b" \n\t", -32700),
        (b"{", -32700),
        (b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"", -32700),
        (b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}{}", -32700),
        (b"{'jsonrpc':'2.0'}", -32700),
        (b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\",}", -32700),
        (b"\xef\xbb\xbf{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}", -32700),
        (b"\xff\xfe{\0}\0", -32700),
        (b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\xff\"}", -32700),
        (b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\\ud800\"}", -32700),
        (b"{\"jsonrpc\":\"2.0\",\"id\":1e999,\"method\":\"ping\"}", -32600),
        (b"id=1&method=ping", -32700),
        (b"<methodCall/>", -32700),
        (deep.as_bytes(), -32600),
        (b"[]", -32600),
        (b"[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}]", -32600),
        (
            b"[{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"},{\"jsonrpc\":\"2.0\",\
              \"id\":1,\"method\":\"ping\"}]",
            -32600
        ),
        (b"null", -32600),
        (b"true", -32600),
        (b"7", -32600),
        (b"\"ping\"", -32600),
        (b"{}", -32600),
        (b"{\"id\":1,\"method\":\"ping\"}", -32600),
        (b"{\"jsonrpc\":\"1.0\",\"id\":1,\"method\":\"ping\"}", -32600),
        (b"{\"jsonrpc\":2.0,\"id\":1,\"method\":\"ping\"}", -32600),
        (b"{\"jsonrpc\":\"2.0\",\"id\":1}", -32600),
        (b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":null}", -32600),
        (b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":[\"ping\"]}", -32600),
        (b"{\"jsonrpc\":\"2.0\",\"id\":{},\"method\":\"ping\"}", -32600),
        (b"{\"jsonrpc\":\"2.0\",\"id\":[1],\"method\":\"ping\"}", -32600),
        (b"{\"jsonrpc\":\"2.0\",\"id\":true,\"method\":\"ping\"}", -32600),
        (b"{\"jsonrpc\":\"2.0\",\"id\":1,\"id\":2,\"method\":\"ping\"}", -32600),
        (b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":[]}", -32602),
        (
            b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":7}}",
            -32602
        ),
        (
            b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\
              \"params\":{\"name\":\"list_environments\",\"arguments\":\"{}\"}}",
            -32602
        ),
    ];
    for (body, code) in table {
        let answer = server.send(post("").map(|_| Body::from(body.to_vec()))).await;
        let shown = String::from_utf8_lossy(&body[..body.len().min(120)]);
        assert_eq!(outcome(&answer), (400, Some(code)), "{shown}: {answer:?}");
        let reply = answer.json();
        assert_eq!(reply["jsonrpc"], "2.0", "{shown}");
        assert_eq!(reply["id"], if code == -32602 { json!(1) } else { Value::Null }, "{shown}");
        assert!(answer.body.len() < 400, "the answer is as long as the question: {shown}");
    }
    assert_eq!(hq.called_with(), [""; 0]);
}

#[tokio::test]
async fn methods_that_nobody_knows_get_32601_in_the_status_of_their_revision() {
    let hq = Hq::start().await;
    let server = server(&hq);
    let long = "x".repeat(100_000);
    for method in [
        "tools/explode",
        "Tools/List",
        "tools/list ",
        "",
        "rpc.discover",
        "../tools/list",
        long.as_str(),
    ] {
        let body = json!({"jsonrpc": "2.0", "id": "a-1", "method": method}).to_string();
        let answer = server.send(post(&body)).await;
        assert_eq!(outcome(&answer), (200, Some(-32601)), "{answer:?}");
        assert_eq!(answer.json()["id"], "a-1");
    }
    // Of a later revision, or an earlier one than asked for.
    let gone = json!({
        "jsonrpc": "2.0", "id": 1, "method": "logging/setLevel", "params": {"level": "info"}
    })
    .to_string();
    assert_eq!(outcome(&server.send(post(&gone)).await).1, Some(-32601));
}

#[tokio::test]
async fn notifications_are_taken_and_not_answered() {
    let hq = Hq::start().await;
    let server = server(&hq);
    for body in [
        r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#,
        r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}"#,
        r#"{"jsonrpc":"2.0","method":"notifications/none-such"}"#,
    ] {
        let answer = server.send(post(body)).await;
        assert_eq!((answer.status.as_u16(), answer.body.as_str()), (202, ""), "{body}: {answer:?}");
    }
}

#[tokio::test]
async fn an_answer_to_a_question_that_was_never_asked_is_refused() {
    let hq = Hq::start().await;
    let server = server(&hq);
    for body in [
        r#"{"jsonrpc":"2.0","id":1,"result":{}}"#,
        r#"{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"x"}}"#,
    ] {
        assert_eq!(outcome(&server.send(post(body)).await), (400, Some(-32600)), "{body}");
    }
}

#[tokio::test]
async fn only_post_to_the_endpoint_itself_reaches_mcp() {
    let hq = Hq::start().await;
    let server = server(&hq);
    for method in
        [Method::GET, Method::HEAD, Method::DELETE, Method::PUT, Method::PATCH, Method::TRACE]
    {
        let mut request = post(PING);
        *request.method_mut() = method.clone();
        let answer = server.send(request).await;
        assert_eq!(
            (answer.status.as_u16(), answer.header("allow")),
            (405, Some("POST")),
            "{method}: {answer:?}"
        );
    }
    for path in [
        "//mcp",
        "/MCP",
        "/mcp%2f",
        "/mc%70",
        "/x/../mcp",
        "/mcp/..",
        "/mcp;x=1",
        "/v1/mcp",
        "/sse",
    ] {
        let mut request = post(PING);
        *request.uri_mut() = path.parse().unwrap();
        assert_eq!(server.send(request).await.status.as_u16(), 404, "{path}");
    }
    let mut queried = post(PING);
    *queried.uri_mut() = "/mcp?x=../..&tool=delete".parse().unwrap();
    assert_eq!(server.send(queried).await.status.as_u16(), 200);
}
