//! What the question before a deletion says, and the requests that can carry it.

use http::{HeaderMap, Request};
use lenses_mcp_server::settings::Confirm;
use serde_json::{Value, json};

use crate::{
    client::{Endpoint, Events, LEGACY, Limits, MODERN, raw, read, request},
    hq::Hq,
};

const INITIALIZE: &str = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{
    "protocolVersion":"2025-11-25","capabilities":{"elicitation":{}},
    "clientInfo":{"name":"test","version":"1"}}}"#;

/// The question about a statement.
async fn question(sql: &str) -> String {
    let hq = Hq::giving(&json!({})).await;
    let params = json!({
        "name": "execute_sql", "arguments": { "environment": "dev", "sql": sql },
        "_meta": { "io.modelcontextprotocol/clientCapabilities": { "elicitation": {} } },
    });
    let (_, reply) = Endpoint::new(&hq.url).request(MODERN, "tools/call", params).await;
    assert_eq!(hq.seen(), []);
    let asked = &reply["result"]["inputRequests"]["confirm"]["params"]["message"];
    assert!(asked.is_string(), "{reply}");
    asked.as_str().unwrap().to_owned()
}

#[tokio::test]
async fn no_length_of_a_statement_hides_what_it_does_from_the_user() {
    let padding = "x".repeat(1_000);
    for sql in [
        format!("/* {padding} */ DROP TABLE payments"),
        format!("SELECT '{padding}'; DROP TABLE payments"),
        format!("SELECT '{padding}'; DROP TABLE payments; SELECT '{padding}'"),
    ] {
        let asked = question(&sql).await;
        let lines: Vec<_> = asked.lines().collect();
        assert!(lines[1].starts_with("statement: ") && lines[1].contains("DROP"), "{asked}");
        assert_eq!(lines[2], "tables: payments", "{asked}");
    }
    let commented = question(&format!("/* {padding} */ DROP /**/ TABLE -- x\n payments")).await;
    assert!(commented.contains("\nsql: DROP TABLE payments"), "{commented}");
    let ambiguous = question(&format!("SELECT 1 # {padding}\n; DROP TABLE payments")).await;
    assert!(ambiguous.contains("statement: SELECT, AMBIGUOUS"), "{ambiguous}");
    assert!(ambiguous.ends_with("; DROP TABLE payments"), "{ambiguous}");
}

fn with_accept<T>(mut request: Request<T>, accept: &'static str) -> Request<T> {
    request.headers_mut().insert("accept", accept.parse().unwrap());
    request
}

fn session_of(headers: &HeaderMap) -> String {
    headers["mcp-session-id"].to_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_request_that_cannot_carry_the_question_deletes_nothing() {
    for confirm in [Confirm::Destructive, Confirm::Required] {
        let hq = Hq::answering(204, "", "").await;
        let endpoint = Endpoint::with(&hq.url, Limits::default(), confirm, None);
        let session = session_of(endpoint.send(raw(INITIALIZE)).await.headers());
        let arguments = json!({ "environment": "dev", "group_id": "payments" });
        let params = json!({ "name": "delete_consumer_group", "arguments": arguments });
        let mut call = with_accept(request(LEGACY, "tools/call", params), "application/json");
        call.headers_mut().insert("mcp-session-id", session.parse().unwrap());
        let (_, reply) = read(endpoint.send(call).await).await;
        let text = reply["result"]["content"][0]["text"].as_str().unwrap_or_default();
        assert_eq!(reply["result"]["isError"], true, "{reply}");
        assert!(text.contains("Accept header must include text/event-stream"), "{text}");
        assert_eq!(hq.seen(), []);
    }
}

#[tokio::test]
async fn initialize_gives_its_session_on_an_event_stream_too() {
    let hq = Hq::giving(&Value::Null).await;
    let endpoint = Endpoint::new(&hq.url);
    let response = endpoint.send(with_accept(raw(INITIALIZE), "text/event-stream")).await;
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let session = session_of(response.headers());
    let reply = Events::of(response).next().await.unwrap();
    assert_eq!(reply["result"]["protocolVersion"], LEGACY, "{reply}");
    let mut ping = request(LEGACY, "ping", json!({}));
    ping.headers_mut().insert("mcp-session-id", session.parse().unwrap());
    assert_eq!(endpoint.send(ping).await.status(), 200);
}
