//! Every request that costs HQ an introspection counts.

use serde_json::json;

use crate::{client::Caller, hq::Hq, process::Server};

#[tokio::test]
async fn calls_of_every_method_count_for_the_user() {
    let hq = Hq::start(0).await;
    let server = Server::start(&hq, &[("MCP_CALLS_PER_MINUTE_PER_USER", "3")]).await;
    let methods = [
        "ping",
        "initialize",
        "tools/list",
        "prompts/list",
        "resources/templates/list",
        "tools/explode",
        "notifications/none",
    ];
    for (number, method) in (0..).zip(methods) {
        let caller = Caller::number(number);
        let mut message = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": {
            "protocolVersion": "2025-11-25", "clientInfo": {}, "capabilities": {} } });
        if method.starts_with("notifications/") {
            message.as_object_mut().unwrap().remove("id");
        }
        let mut connection = caller.open(server.endpoint).await;
        for sent in 1..=4 {
            let (status, body) = connection.send(message.to_string().into()).await;
            assert_eq!(status.as_u16() == 429, sent == 4, "{method}, {sent}: {status} {body:?}");
        }
    }
}
