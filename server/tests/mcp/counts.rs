//! What is counted of a call.

use lenses_mcp_server::scope::Scope;
use serde_json::json;

use crate::{
    client::{Endpoint, LEGACY, request},
    hq::{self, Hq},
};

#[tokio::test]
async fn calls_are_counted_by_tool_and_by_how_they_ended() {
    let forbidding = Hq::answering(403, "application/json", "{}").await;
    let away = hq::absent().await;
    let silent = hq::silent().await;
    let topics = json!({ "environment": "dev" });
    let group = json!({ "environment": "dev", "group_id": "g" });
    for (url, tool, arguments, counted) in [
        (
            &forbidding.url,
            "list_topics",
            &topics,
            &[
                "tool_calls_total{tool=\"list_topics\",outcome=\"denied\"} 1",
                "lenses_calls_total{operation=\"list_topics\",outcome=\"forbidden\"} 1",
            ][..],
        ),
        (
            &away,
            "list_topics",
            &topics,
            &[
                "tool_calls_total{tool=\"list_topics\",outcome=\"unavailable\"} 1",
                "lenses_calls_total{operation=\"list_topics\",outcome=\"unreachable\"} 1",
            ],
        ),
        (
            &away,
            "list_topics",
            &json!({}),
            &["tool_calls_total{tool=\"list_topics\",outcome=\"error\"} 1"],
        ),
        (
            &away,
            "delete_consumer_group",
            &group,
            &["tool_calls_total{tool=\"delete_consumer_group\",outcome=\"denied\"} 1"],
        ),
    ] {
        let endpoint = Endpoint::new(url).with_scopes(Scope::Read.into());
        endpoint.failure(tool, arguments.clone()).await;
        assert_counted(&endpoint, counted);
    }
    // A client that goes away, while HQ says nothing.
    let endpoint = Endpoint::new(&silent);
    let call = request(LEGACY, "tools/call", json!({ "name": "list_topics", "arguments": topics }));
    let gave_up =
        tokio::time::timeout(std::time::Duration::from_millis(100), endpoint.send(call)).await;
    assert!(gave_up.is_err());
    let counted = [
        "tool_calls_total{tool=\"list_topics\",outcome=\"cancelled\"} 1",
        "lenses_calls_total{operation=\"list_topics\",outcome=\"cancelled\"} 1",
    ];
    while !counted.iter().all(|line| exposition(&endpoint).contains(line)) {
        tokio::task::yield_now().await;
    }
}

fn exposition(endpoint: &Endpoint) -> String {
    let mut text = String::new();
    prometheus_client::encoding::text::encode(&mut text, endpoint.metrics.registry()).unwrap();
    text
}

fn assert_counted(endpoint: &Endpoint, lines: &[&str]) {
    let text = exposition(endpoint);
    for line in lines {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
}
