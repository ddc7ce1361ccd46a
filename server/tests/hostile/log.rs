//! Callers' texts that would fill the log.

use std::time::{Duration, Instant};

use serde_json::json;
use tokio::time::sleep;

use crate::{
    client::Caller,
    hq::Hq,
    process::Server,
    watch::{P99, Watch},
};

/// The longest line by default.
const LINE: usize = 8 << 10;
/// What a log may say of a name that a caller made up.
const SHOWN: usize = 100;

#[tokio::test(flavor = "multi_thread")]
async fn texts_of_a_megabyte_leave_short_log_lines() {
    let hq = Hq::start(0).await;
    let mut server = Server::start(&hq, &[("LOG_LEVEL", "debug")]).await;
    let watch = Watch::start(&server).await;
    server.remember_memory().await;
    let long = "y".repeat(1_000_000);
    let messages = [
        json!({ "jsonrpc": "2.0", "id": 1, "method": long }),
        json!({ "jsonrpc": "2.0", "method": long }),
        json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": { "name": long } }),
        json!({ "jsonrpc": "2.0", "id": 1, "method": "prompts/get", "params": { "name": long } }),
        json!({ "jsonrpc": "2.0", "id": 1, "method": "resources/read", "params": { "uri": long } }),
        json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": { "cursor": long } }),
        json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call",
            "params": {
                "name": "get_topic", "arguments": { "environment": long, "topic_name": long }
            } }),
    ];
    let caller = Caller::number(0);
    for message in &messages {
        let body: String = message.to_string().chars().take(1 << 20).collect();
        let reply = caller.open(server.endpoint).await.send(body.into()).await;
        assert!(reply.1.len() < 2_000, "{} bytes came back", reply.1.len());
    }
    // The last request's line is the last that there can be.
    let end = json!({ "jsonrpc": "2.0", "id": 1, "method": "no_such_method" }).to_string();
    let reply = caller.post(&server, end.into()).await;
    let end = reply.headers["x-request-id"].to_str().unwrap();
    let deadline = Instant::now() + Duration::from_secs(30);
    while !server.log().iter().any(|line| line.contains(end)) {
        assert!(Instant::now() < deadline, "the last line did not come");
        sleep(Duration::from_millis(5)).await;
    }
    for line in server.log() {
        assert!(line.len() <= LINE, "a line of {} bytes", line.len());
        assert!(!line.contains(&"y".repeat(SHOWN)), "{line}");
    }
    watch.end(P99).await;
    server.assert_memory().await;
}
