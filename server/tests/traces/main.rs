//! Traces, from the binary to a collector that speaks OTLP.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that fails says so by panicking")]

mod collector;
#[path = "../proxy/forward_proxy.rs"]
mod forward_proxy;
mod methods;
mod proxy;
mod server;

use serde_json::json;

use crate::{
    collector::{Collector, attributes},
    server::Server,
};

/// Spans of clients, sampled; and one that is not.
const IN_HEADER: &str = "00-11111111111111111111111111111111-1111111111111111-01";
const IN_META: &str = "00-22222222222222222222222222222222-2222222222222222-01";
const UNSAMPLED: &str = "00-33333333333333333333333333333333-3333333333333333-00";

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

/// A request of each kind, each with something in it that must not be in a span.
async fn calls(server: &Server) {
    server.send("tools/list", json!({}), Some(IN_HEADER)).await;
    let traced = json!({ "name": "list_environments", "_meta": { "traceparent": IN_META } });
    server.send("tools/call", traced, Some(IN_HEADER)).await;
    let query = json!({ "environment": "hunter-environment", "sql": "SELECT * FROM hunter" });
    let result =
        server.send("tools/call", json!({ "name": "execute_sql", "arguments": query }), None).await;
    assert_eq!(result["result"]["isError"], true, "{result}");
    server.send("tools/call", json!({ "name": "no_such_tool" }), None).await;
    server.send("tools/list", json!({}), Some(UNSAMPLED)).await;
}

fn settings<'a>(endpoint: &'a str, more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let on = [
        ("OTEL_ENABLED", "true"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint),
        ("OTEL_EXPORTER_OTLP_HEADERS", "x-key=hunter%202, x-other=1"),
        ("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test,service.name=other"),
        ("OTEL_SERVICE_NAME", "mcp-of-the-test"),
    ];
    [&on, more].concat()
}

#[tokio::test]
async fn each_request_is_a_span_above_its_hq_calls_without_secrets() {
    for grpc in [false, true] {
        let (collector, endpoint) =
            if grpc { Collector::over_grpc().await } else { Collector::over_http().await };
        let protocol = if grpc { "grpc" } else { "http/protobuf" };
        let mut server =
            Server::start(&settings(&endpoint, &[("OTEL_EXPORTER_OTLP_PROTOCOL", protocol)])).await;
        calls(&server).await;
        server.end().await;

        let spans = collector.spans();
        let names: Vec<_> = spans.iter().map(|span| span.name.as_str()).collect();
        assert_eq!(
            names,
            [
                "lenses execute_sql",
                "lenses list_environments",
                "tools/call (unknown)",
                "tools/call execute_sql",
                "tools/call list_environments",
                "tools/list"
            ]
        );
        let [hq_sql, hq_list, _, call_sql, call_list, list] = &spans[..] else {
            panic!("{names:?}")
        };

        let parents: Vec<_> = [list, call_list, hq_list]
            .map(|span| (hex(&span.trace_id), hex(&span.parent_span_id)))
            .to_vec();
        let (client_1, client_2) = ("1".repeat(32), "2".repeat(32));
        assert_eq!(
            parents,
            [
                (client_1, "1".repeat(16)),
                (client_2.clone(), "2".repeat(16)),
                (client_2.clone(), hex(&call_list.span_id))
            ]
        );
        assert_eq!(
            (&*call_sql.parent_span_id, &hq_sql.parent_span_id),
            (&[][..], &call_sql.span_id)
        );
        let gone_on = [(client_2, hq_list), (hex(&call_sql.trace_id), hq_sql)]
            .map(|(trace, span)| Some(format!("00-{trace}-{}-01", hex(&span.span_id))));
        assert_eq!(server.asked_hq_in(), gone_on);

        let version = "mcp.protocol.version=2025-11-25";
        let (id, tcp) = ("jsonrpc.request.id=1", "network.transport=tcp");
        for (span, kind, expected) in [
            (list, 2, vec![id, "mcp.method.name=tools/list", version, tcp]),
            (
                call_list,
                2,
                vec![
                    "gen_ai.operation.name=execute_tool",
                    "gen_ai.tool.name=list_environments",
                    id,
                    "lenses.outcome=success",
                    "mcp.method.name=tools/call",
                    version,
                    tcp,
                ],
            ),
            (
                call_sql,
                2,
                vec![
                    "error.type=tool_error",
                    "gen_ai.operation.name=execute_tool",
                    "gen_ai.tool.name=execute_sql",
                    id,
                    "lenses.outcome=denied",
                    "mcp.method.name=tools/call",
                    version,
                    tcp,
                ],
            ),
            (hq_list, 3, vec!["lenses.operation=list_environments"]),
            (hq_sql, 3, vec!["error.type=forbidden", "lenses.operation=execute_sql"]),
        ] {
            assert_eq!(
                (span.kind, attributes(&span.attributes)),
                (kind, expected.iter().map(ToString::to_string).collect()),
                "{}",
                span.name
            );
            let failed = span.status.as_ref().is_some_and(|status| status.code == 2);
            assert_eq!(failed, expected[0].starts_with("error.type"), "{}", span.name);
            assert!(
                span.end_time_unix_nano > span.start_time_unix_nano && span.events.is_empty(),
                "{}",
                span.name
            );
        }
        assert_eq!(
            collector.resource(),
            [
                "deployment.environment.name=test".to_owned(),
                "service.name=mcp-of-the-test".to_owned(),
                format!("service.version={}", env!("CARGO_PKG_VERSION"))
            ]
        );
        assert!(collector.keys().iter().all(|key| key == "hunter 2"), "{:?}", collector.keys());
        for secret in ["hunter", "no_such_tool"] {
            assert!(!collector.text().contains(secret), "{secret}: {}", collector.text());
        }
        assert!(!format!("{:?}", server.lines).contains("hunter"), "{:?}", server.lines);
    }
}

#[tokio::test]
async fn what_a_list_of_resources_asks_hq_is_below_its_span() {
    let (collector, endpoint) = Collector::over_http().await;
    let mut server = Server::start(&settings(&endpoint, &[])).await;
    server.send("resources/list", json!({}), Some(IN_HEADER)).await;
    server.end().await;

    let spans = collector.spans();
    let list = spans.iter().find(|span| span.name == "resources/list").unwrap();
    assert_eq!(hex(&list.parent_span_id), "1".repeat(16));
    let below: Vec<_> = spans.iter().filter(|span| span.name.starts_with("lenses ")).collect();
    assert!(!below.is_empty());
    for span in &below {
        assert_eq!(span.parent_span_id, list.span_id, "{}", span.name);
        assert_eq!(span.trace_id, list.trace_id, "{}", span.name);
    }
    assert_eq!(spans.len(), below.len() + 1, "no other span");
}

#[tokio::test]
async fn a_failing_collector_is_logged_once_and_hinders_no_request() {
    let (collector, endpoint) = Collector::over_http().await;
    collector.refuse(true);
    // Nothing listens on the discard port.
    for endpoint in [endpoint.as_str(), "http://127.0.0.1:9"] {
        let quick = [("OTEL_BSP_SCHEDULE_DELAY", "20")];
        let mut server = Server::start(&settings(endpoint, &quick)).await;
        for _ in 0..3 {
            let result =
                server.send("tools/call", json!({ "name": "list_environments" }), None).await;
            assert_eq!(result["result"]["isError"], false, "{result}");
            if endpoint != "http://127.0.0.1:9" {
                let refused = collector.refused();
                server.send("tools/list", json!({}), None).await;
                while collector.refused() == refused {
                    tokio::task::yield_now().await;
                }
            }
        }
        server.line("traces can't be sent").await;
        server.end().await;
        assert_eq!(server.said("traces can't be sent"), 1, "{:?}", server.lines);
    }
}

#[tokio::test]
async fn unusable_trace_settings_are_a_warning_and_disable_traces() {
    for (setting, warning) in [
        (
            ("OTEL_EXPORTER", "zipkin"),
            "OTEL_EXPORTER is \"zipkin\": write otlp or console; no traces are sent",
        ),
        (
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318"),
            "OTEL_EXPORTER_OTLP_ENDPOINT is \"collector:4318\"",
        ),
        (
            ("OTEL_EXPORTER_OTLP_HEADERS", "hunter"),
            "OTEL_EXPORTER_OTLP_HEADERS is no list of headers (not shown)",
        ),
    ] {
        let mut server = Server::start(&settings("http://127.0.0.1:9", &[setting])).await;
        server.send("tools/call", json!({ "name": "list_environments" }), Some(IN_HEADER)).await;
        server.end().await;
        assert_eq!(server.said(warning), 1, "{:?}", server.lines);
        let passed_on = Some(IN_HEADER.to_owned());
        assert_eq!(server.asked_hq_in(), [passed_on], "the client's trace goes on unchanged");
        assert!(!format!("{:?}", server.lines).contains("hunter"), "{:?}", server.lines);
    }
}

#[tokio::test]
async fn console_is_a_log_line_for_each_span() {
    let mut server = Server::start(&[("OTEL_ENABLED", "1"), ("OTEL_EXPORTER", "console")]).await;
    let traced = json!({ "name": "list_environments", "_meta": { "traceparent": IN_META } });
    server.send("tools/call", traced, None).await;
    server.end().await;
    let spans: Vec<_> = server.lines.iter().filter(|line| line["message"] == "span").collect();
    assert_eq!(spans.len(), 2, "{:?}", server.lines);
    assert_eq!(
        (&spans[0]["name"], &spans[1]["name"]),
        (&json!("lenses list_environments"), &json!("tools/call list_environments"))
    );
    assert_eq!(
        (&spans[1]["trace_id"], &spans[1]["parent_span_id"]),
        (&json!("2".repeat(32)), &json!("2".repeat(16)))
    );
    assert_eq!(spans[0]["parent_span_id"], spans[1]["span_id"]);
    assert_eq!(spans[0]["attributes"], "lenses.operation=list_environments");
}

#[tokio::test]
async fn without_traces_no_span_is_sent_and_the_clients_trace_goes_on() {
    let (collector, endpoint) = Collector::over_http().await;
    let mut server = Server::start(&settings(&endpoint, &[("OTEL_ENABLED", "false")])).await;
    calls(&server).await;
    server.end().await;
    assert!(collector.spans().is_empty());
    assert_eq!(server.asked_hq_in(), [Some(IN_META.to_owned()), None]);
}
