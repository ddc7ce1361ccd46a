//! The binary over standard input and output, as a client on the same machine starts it.

use std::process::Stdio;

use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    process::{Child, Command},
};

use crate::hq::Hq;

/// The binary with `settings`, for which `hq` stands in.
fn start(hq: &Hq, settings: &[(&str, &str)]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_lenses-mcp-server"))
        .env_clear()
        .envs([("TRANSPORT", "stdio"), ("LENSES_API_KEY", "service-account")])
        .envs(settings.iter().copied())
        .env("LENSES_URL", hq.url.as_str())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap()
}

#[tokio::test]
async fn a_local_client_calls_offered_tools_and_the_process_ends_with_input() {
    let hq = Hq::giving(&json!({ "items": [{ "name": "dev" }] })).await;
    let mut server = start(&hq, &[("MCP_SCOPES", "read")]);
    let mut input = server.stdin.take().unwrap();
    let mut output = BufReader::new(server.stdout.take().unwrap()).lines();

    let client = json!({ "name": "test", "version": "1" });
    let topic = json!({ "environment": "dev", "topic_name": "t" });
    let initialize =
        json!({ "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": client });
    let mut replies = Vec::new();
    for (id, method, params) in [
        (1, "initialize", initialize),
        (0, "notifications/initialized", json!({})),
        (2, "tools/call", json!({ "name": "list_environments" })),
        (3, "tools/call", json!({ "name": "create_topic", "arguments": topic })),
    ] {
        let mut message = json!({ "jsonrpc": "2.0", "method": method, "params": params });
        if id > 0 {
            message["id"] = json!(id);
        }
        input.write_all(format!("{message}\n").as_bytes()).await.unwrap();
        if id > 0 {
            // Standard output is the protocol and nothing else.
            let line = output.next_line().await.unwrap().unwrap();
            replies.push(serde_json::from_str::<Value>(&line).unwrap());
        }
    }
    assert_eq!(replies[0]["result"]["serverInfo"]["name"], "Lenses.io");
    assert_eq!(replies[1]["result"]["structuredContent"], json!({ "result": [{ "name": "dev" }] }));
    let refusal = replies[2]["result"]["content"][0]["text"].as_str().unwrap();
    assert!(
        refusal.contains("needs a scope that this server does not offer (MCP_SCOPES)"),
        "{refusal}"
    );
    assert_eq!(hq.seen()[0].authorization, "Bearer service-account");
    assert_eq!(hq.seen().len(), 1);

    drop(input);
    assert!(server.wait().await.unwrap().success());
    assert_eq!(output.next_line().await.unwrap(), None);
}

#[tokio::test]
async fn a_bad_line_hides_no_later_one_and_all_calls_are_answered() {
    let hq = Hq::giving(&json!({ "items": [{ "name": "dev" }] })).await;
    let mut server = start(&hq, &[]);
    let mut input = server.stdin.take().unwrap();
    let mut output = BufReader::new(server.stdout.take().unwrap()).lines();
    let too_long = vec![b' '; (1 << 20) + 1];
    let call = json!({
        "jsonrpc": "2.0", "id": 1, "method": "tools/call",
        "params": { "name": "list_environments" },
    });
    let lines = [too_long.as_slice(), b"\n\"\xff\"\n", call.to_string().as_bytes()].concat();
    input.write_all(&lines).await.unwrap();
    // The end of the input ends the last line too.
    drop(input);

    let mut replies = Vec::new();
    while let Some(line) = output.next_line().await.unwrap() {
        replies.push(serde_json::from_str::<Value>(&line).unwrap());
    }
    let said = |reply: &Value| reply["error"]["message"].as_str().unwrap_or_default().to_owned();
    assert_eq!(replies.len(), 3, "{replies:?}");
    assert!(said(&replies[0]).contains("MCP_MAX_BODY_BYTES"), "{}", replies[0]);
    assert!(said(&replies[1]).contains("not UTF-8"), "{}", replies[1]);
    assert_eq!(replies[2]["result"]["structuredContent"], json!({ "result": [{ "name": "dev" }] }));
    assert!(server.wait().await.unwrap().success());
}
