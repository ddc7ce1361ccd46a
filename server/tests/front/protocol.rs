//! Requests that clients send, byte by byte over a socket, and what is right for each.

use serde_json::{Value, json};

use crate::{
    client::{DELETE, READ, Server, With, call, post},
    hq::Hq,
    wire::{exchange, listening},
};

const LIST: &str = r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#;

/// A request with this target, these header lines and this body.
fn request(target: &str, lines: &str, body: &str) -> String {
    format!(
        "POST {target} HTTP/1.1\r\nContent-Type: application/json\r\nConnection: close\r\n{lines}\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

async fn ask(target: &str, lines: &str, body: &str) -> (String, Value) {
    let answer = exchange(listening().await, request(target, lines, body).as_bytes()).await;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().to_owned();
    (status, serde_json::from_str(body).unwrap_or_else(|_| panic!("{answer}")))
}

#[tokio::test]
async fn what_curl_sends_without_an_accept_header_of_its_own_is_answered() {
    let lines = "Host: localhost\r\nUser-Agent: curl/8.5.0\r\nAccept: */*\r\n";
    let (status, body) = ask("/mcp", lines, LIST).await;
    assert_eq!(status, "200");
    assert!(body["result"]["tools"].is_array(), "{body}");
}

#[tokio::test]
async fn params_without_a_field_get_32602_that_names_it() {
    let legacy = "Host: localhost\r\nMCP-Protocol-Version: 2025-11-25\r\n";
    let modern = "Host: localhost\r\nMCP-Protocol-Version: 2026-07-28\r\nMcp-Method: METHOD\r\n";
    let meta = json!({ "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {} });
    for (method, params, field) in [
        ("initialize", json!({ "protocolVersion": "2025-11-25" }), "capabilities"),
        ("initialize", json!({ "capabilities": {} }), "protocolVersion"),
        ("prompts/get", json!({}), "name"),
        ("tools/call", json!({}), "name"),
        ("resources/read", json!({}), "uri"),
        ("completion/complete", json!({ "argument": { "name": "a", "value": "" } }), "ref"),
        ("completion/complete", json!({ "ref": { "type": "ref/prompt" } }), "name"),
    ] {
        for lines in [legacy, modern] {
            let mut params = params.clone();
            if lines == modern {
                if method == "initialize" {
                    // That revision has none.
                    continue;
                }
                params["_meta"] = meta.clone();
            }
            let body = json!({ "jsonrpc": "2.0", "id": 7, "method": method, "params": params })
                .to_string();
            let (status, reply) = ask("/mcp", &lines.replace("METHOD", method), &body).await;
            assert_eq!((&*status, &reply["error"]["code"]), ("400", &json!(-32602)), "{reply}");
            assert_eq!(reply["id"], 7);
            let message = reply["error"]["message"].as_str().unwrap();
            assert!(message.starts_with(method) && message.contains(field), "{message}");
        }
    }
}

#[tokio::test]
async fn a_slash_at_the_end_of_the_endpoints_path_changes_nothing() {
    let (status, body) = ask("/mcp/", "Host: localhost\r\n", LIST).await;
    assert_eq!(status, "200", "{body}");
    let hq = Hq::start().await;
    let below = [("MCP_ADVERTISED_URL", "https://mcp.example.com/lenses")];
    for (server, path) in
        [(Server::with_oauth(&hq, &[]), "/mcp/"), (Server::with_oauth(&hq, &below), "/lenses/mcp/")]
    {
        let mut unsigned = call(READ);
        *unsigned.uri_mut() = path.parse().unwrap();
        let answer = server.send(unsigned).await;
        assert_eq!(answer.status.as_u16(), 401, "{path}");
        assert!(answer.challenge().unwrap().contains("resource_metadata="), "{answer:?}");
        let mut signed = call(READ).with_header("authorization", "Bearer alices-token");
        *signed.uri_mut() = path.parse().unwrap();
        hq.issue_to_alice();
        assert_eq!(server.send(signed).await.status.as_u16(), 200, "{path}");
    }
}

#[tokio::test]
async fn an_empty_cursor_is_none_of_this_servers() {
    for method in ["tools/list", "prompts/list", "resources/list", "resources/templates/list"] {
        let body =
            json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": { "cursor": "" } })
                .to_string();
        let (status, reply) = ask("/mcp", "Host: localhost\r\n", &body).await;
        assert_eq!((&*status, &reply["error"]["code"]), ("200", &json!(-32602)), "{reply}");
    }
}

#[tokio::test]
async fn a_target_in_absolute_form_counts_and_host_beside_it_does_not() {
    let body = LIST;
    let (status, reply) = ask("http://localhost/mcp", "Host: evil.example\r\n", body).await;
    assert_eq!(status, "200", "{reply}");
    let (status, reply) = ask("http://evil.example/mcp", "Host: localhost\r\n", body).await;
    assert_eq!(status, "403", "{reply}");
}

#[tokio::test]
async fn a_call_of_a_tool_that_there_is_not_is_counted_once() {
    let hq = Hq::start().await;
    let server = Server::with_oauth(&hq, &[]);
    let token = format!("Bearer {}", hq.issue_to_alice());
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call",
        "params": { "name": "no_such_tool", "arguments": {} } });
    let answer = server.send(post(&body.to_string()).with_header("authorization", &token)).await;
    assert_eq!(answer.json()["error"]["code"], -32602, "{answer:?}");
    let exposition = server.exposition();
    let counted: Vec<_> = exposition
        .lines()
        .filter(|line| line.starts_with("lenses_mcp_tool_calls_total{"))
        .collect();
    let [line] = &counted[..] else { panic!("{counted:?}") };
    assert!(line.contains(r#"tool="(unknown)""#) && line.ends_with(" 1"), "{line}");
    assert!(!exposition.contains("no_such_tool") && !exposition.contains(DELETE));
}

/// serde reads structures from arrays too, in the order of their fields: a gateway in front, which
/// looks for names, would see another message.
#[tokio::test]
async fn an_array_stands_for_no_object_of_a_message() {
    let lines = "Host: localhost\r\nMCP-Protocol-Version: 2025-11-25\r\n";
    for (body, code) in [
        (r#"["2.0",1,"ping",null,null,null]"#.to_owned(), -32600),
        (r#"["2.0",1,"tools/call",[null,"get_topic",{}],null,null]"#.to_owned(), -32600),
        (message("tools/list", &json!([null, null])), -32602),
        (message("tools/list", &json!({ "_meta": [1, "2025-11-25"] })), -32602),
        (message("tools/call", &json!([null, "get_topic", {}, null, null])), -32602),
        (
            message(
                "completion/complete",
                &json!({ "ref": ["ref/prompt", "a"],
            "argument": { "name": "a", "value": "" } }),
            ),
            -32602,
        ),
        (
            message(
                "completion/complete",
                &json!({ "ref": { "type": "ref/prompt", "name": "a" },
            "argument": ["a", ""] }),
            ),
            -32602,
        ),
    ] {
        let (status, answer) = ask("/mcp", lines, &body).await;
        assert_eq!((status.as_str(), &answer["error"]["code"]), ("400", &json!(code)), "{body}");
    }
}

fn message(method: &str, params: &Value) -> String {
    json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params }).to_string()
}
