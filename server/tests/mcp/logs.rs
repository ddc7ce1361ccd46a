//! What is written down about a call, and what is counted.

use std::{
    io,
    sync::{Arc, Mutex},
};

use lenses_mcp_server::{identity::Fingerprint, scope::Scope};
use serde_json::{Value, json};
use tracing::Instrument;
use tracing_subscriber::{EnvFilter, fmt::MakeWriter};

use crate::{
    client::{Endpoint, LEGACY, TOKEN, request},
    hq::{self, Hq},
};

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn a_call_leaves_one_audit_line_without_values_and_nothing_of_what_was_said() {
    let log = Log::default();
    let filter = EnvFilter::new("trace,rmcp=warn");
    let subscriber = tracing_subscriber::fmt().json().with_env_filter(filter).with_writer(log.clone()).finish();
    let _guard = tracing::subscriber::set_default(subscriber);

    let hq = Hq::giving(&json!({ "name": "pii-record-content" })).await;
    let endpoint = Endpoint::new(&hq.url);
    let arguments = json!({ "environment": "env-value", "topic_name": "topic-value", "evil\nname": 1 });
    let call = request(LEGACY, "tools/call", json!({ "name": "get_topic", "arguments": arguments }));
    endpoint.send(call).instrument(tracing::info_span!("request", id = "req-1")).await;
    endpoint.call("get_topic", json!({ "environment": "env-value", "topic_name": "topic-value" })).await;

    let text = log.text();
    let lines: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .filter(|line: &Value| line["fields"]["message"] == "tool called")
        .collect();
    let fingerprint = Fingerprint::of(TOKEN).to_string();
    assert_eq!(lines.len(), 2, "{text}");
    for (line, outcome, request_id) in [(&lines[0], "error", json!("req-1")), (&lines[1], "success", Value::Null)] {
        let fields = &line["fields"];
        assert_eq!(fields["tool"], "get_topic");
        assert_eq!(fields["arguments"], "environment,topic_name");
        assert_eq!((&fields["outcome"], &line["span"]["id"]), (&json!(outcome), &request_id));
        assert_eq!((&fields["subject"], &fields["fingerprint"]), (&json!("alice"), &json!(fingerprint)));
        assert!(fields["duration_ms"].is_number());
    }
    // Libraries beneath may log where they connect to, at TRACE; what is said is in no line of this server's own.
    let own: Vec<&str> = text.lines().filter(|line| line.contains("lenses_mcp_server")).collect();
    for secret in ["pii-record-content", "env-value", "topic-value", "evil"] {
        assert!(!own.iter().any(|line| line.contains(secret)), "{secret} is in {own:?}");
    }
    assert!(!text.contains(TOKEN), "{text}");
}

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
        (&away, "list_topics", &json!({}), &["tool_calls_total{tool=\"list_topics\",outcome=\"error\"} 1"]),
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
    let gave_up = tokio::time::timeout(std::time::Duration::from_millis(100), endpoint.send(call)).await;
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
