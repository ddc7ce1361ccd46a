//! The audit line of a call. In a process of its own, because whether a line is wanted is decided once in a process, and other
//! tests want none.

#![expect(clippy::unwrap_used, reason = "a test whose setting can't be made has failed")]
#![expect(dead_code, reason = "the other tests of the endpoint use the rest")]

mod captured_log;
#[path = "mcp/client.rs"]
mod client;
#[path = "mcp/hq.rs"]
mod hq;

use lenses_mcp_server::identity::Fingerprint;
use serde_json::{Value, json};
use tracing::Instrument;
use tracing_subscriber::EnvFilter;

use crate::{
    captured_log::CapturedLog,
    client::{Endpoint, LEGACY, TOKEN, request},
    hq::Hq,
};

#[tokio::test]
async fn a_call_leaves_one_audit_line_without_values_and_nothing_of_what_was_said() {
    let log = CapturedLog::default();
    let filter = EnvFilter::new("trace,rmcp=warn");
    let subscriber =
        tracing_subscriber::fmt().json().with_env_filter(filter).with_writer(log.clone()).finish();
    let _guard = tracing::subscriber::set_default(subscriber);

    let hq = Hq::giving(&json!({ "name": "pii-record-content" })).await;
    let endpoint = Endpoint::new(&hq.url);
    let arguments =
        json!({ "environment": "env-value", "topic_name": "topic-value", "evil\nname": 1 });
    let call =
        request(LEGACY, "tools/call", json!({ "name": "get_topic", "arguments": arguments }));
    endpoint.send(call).instrument(tracing::info_span!("request", id = "req-1")).await;
    endpoint
        .call("get_topic", json!({ "environment": "env-value", "topic_name": "topic-value" }))
        .await;

    let text = log.text();
    let lines: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .filter(|line: &Value| line["fields"]["message"] == "tool called")
        .collect();
    let fingerprint = Fingerprint::of(TOKEN).to_string();
    assert_eq!(lines.len(), 2, "{text}");
    for (line, outcome, request_id) in
        [(&lines[0], "error", json!("req-1")), (&lines[1], "success", Value::Null)]
    {
        let fields = &line["fields"];
        assert_eq!(fields["tool"], "get_topic");
        assert_eq!(fields["arguments"], "environment,topic_name");
        // The traces' span is below that of the HTTP request; a server's log does not take it.
        let spans = line["spans"].as_array();
        let id = spans.and_then(|spans| spans.iter().find_map(|span| span.get("id")));
        assert_eq!(
            (&fields["outcome"], id.unwrap_or(&Value::Null)),
            (&json!(outcome), &request_id)
        );
        assert_eq!(
            (&fields["subject"], &fields["fingerprint"]),
            (&json!("alice"), &json!(fingerprint))
        );
        assert!(fields["duration_ms"].is_number());
    }
    // Libraries beneath may log where they connect to, at TRACE; what is said is in no line of this server's own.
    let own: Vec<&str> = text.lines().filter(|line| line.contains("lenses_mcp_server")).collect();
    for secret in ["pii-record-content", "env-value", "topic-value", "evil"] {
        assert!(!own.iter().any(|line| line.contains(secret)), "{secret} is in {own:?}");
    }
    assert!(!text.contains(TOKEN), "{text}");
}
