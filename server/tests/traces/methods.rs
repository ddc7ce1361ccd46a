//! Every method is a span and a duration, and the duration leads back to a sampled trace.

use serde_json::json;

use crate::{
    IN_HEADER, UNSAMPLED,
    collector::{Collector, attributes},
    hex,
    server::Server,
    settings,
};

#[tokio::test]
async fn every_method_is_a_span_of_its_name() {
    let (collector, endpoint) = Collector::over_http().await;
    let mut server = Server::start(&settings(&endpoint, &[])).await;
    let client = json!({
        "protocolVersion": "2025-11-25",
        "capabilities": {},
        "clientInfo": { "name": "hunter", "version": "1" },
    });
    let completion = json!({
        "ref": { "type": "ref/resource", "uri": "lenses://environments/{environment}" },
        "argument": { "name": "environment", "value": "hunter" },
    });
    for (method, params) in [
        ("initialize", client),
        ("ping", json!({})),
        ("prompts/list", json!({})),
        ("resources/templates/list", json!({})),
        ("completion/complete", completion),
        ("hunter/method", json!({})),
    ] {
        server.send(method, params, None).await;
    }
    server.end().await;

    let spans = collector.spans();
    let told: Vec<_> = spans
        .iter()
        .filter(|span| !span.name.starts_with("lenses "))
        .map(|span| {
            let attributes = attributes(&span.attributes);
            let error = attributes.iter().find_map(|pair| pair.strip_prefix("error.type="));
            assert!(
                attributes.contains(&format!("mcp.method.name={}", span.name)),
                "{attributes:?}"
            );
            (span.name.clone(), error.unwrap_or_default().to_owned())
        })
        .collect();
    let expected = [
        ("(unknown)", "-32601"),
        ("completion/complete", ""),
        ("initialize", ""),
        ("ping", ""),
        ("prompts/list", ""),
        ("resources/templates/list", ""),
    ];
    assert_eq!(told, expected.map(|(name, error)| (name.to_owned(), error.to_owned())));
    assert!(!collector.text().contains("hunter"), "{}", collector.text());
}

#[tokio::test]
async fn durations_name_a_sampled_trace_and_no_other() {
    let (_collector, endpoint) = Collector::over_http().await;
    let mut server = Server::start(&settings(&endpoint, &[])).await;
    let call = json!({ "name": "list_environments" });
    server.send("tools/call", call.clone(), Some(UNSAMPLED)).await;
    let durations = |exposition: String| {
        let of_the_tool = |line: &&str| {
            line.starts_with("mcp_server_operation_duration_seconds")
                && line.contains(r#"gen_ai_tool_name="list_environments""#)
        };
        exposition.lines().filter(of_the_tool).map(str::to_owned).collect::<Vec<_>>()
    };
    let before = durations(server.metrics().await);
    let count = "mcp_server_operation_duration_seconds_count{mcp_method_name=\"tools/call\",\
                 gen_ai_tool_name=\"list_environments\",network_transport=\"tcp\",\
                 mcp_protocol_version=\"2025-11-25\"} 1"
        .to_owned();
    assert!(before.contains(&count), "{before:#?}");
    assert!(!before.iter().any(|line| line.contains("trace_id")), "{before:#?}");

    server.send("tools/call", call, Some(IN_HEADER)).await;
    let after_call = server.metrics().await;
    let after = durations(after_call.clone());
    let exemplar = format!("# {{trace_id=\"{}\"}} ", "1".repeat(32));
    assert_eq!(after.iter().filter(|line| line.contains(&exemplar)).count(), 1, "{after:#?}");
    let of_hq = after_call.lines().filter(|line| {
        line.starts_with("lenses_mcp_lenses_call_duration_seconds") && line.contains(&exemplar)
    });
    assert_eq!(of_hq.count(), 1, "{after_call}");
    server.end().await;
}

#[tokio::test]
async fn prompts_and_resources_are_spans_by_kind_never_by_a_callers_name() {
    let (collector, endpoint) = Collector::over_http().await;
    let mut server = Server::start(&settings(&endpoint, &[])).await;
    let prompt =
        |arguments| json!({ "name": "list_running_kafka_connectors", "arguments": arguments });
    for (method, params) in [
        ("prompts/get", prompt(json!({ "environment": "hunter-environment" }))),
        ("prompts/get", prompt(json!({}))),
        ("prompts/get", json!({ "name": "hunter" })),
        ("resources/read", json!({ "uri": "lenses://environments" })),
        ("resources/read", json!({ "uri": "lenses://environments/hunter-environment/topics" })),
        ("resources/read", json!({ "uri": "lenses://hunter" })),
    ] {
        server.send(method, params, Some(IN_HEADER)).await;
    }
    server.end().await;

    let spans = collector.spans();
    let told: Vec<_> =
        spans.iter().map(|span| (&*span.name, attributes(&span.attributes).join(" "))).collect();
    let version = "mcp.protocol.version=2025-11-25 network.transport=tcp";
    let prompt = |error: &str, name: &str, outcome: &str, status: &str| {
        format!(
            "{error}gen_ai.prompt.name={name} jsonrpc.request.id=1 {outcome}\
             mcp.method.name=prompts/get {version}{status}"
        )
    };
    let read = |error: &str, outcome: &str, kind: &str, status: &str| {
        format!(
            "{error}jsonrpc.request.id=1 {outcome}lenses.resource={kind} \
             mcp.method.name=resources/read {version}{status}"
        )
    };
    let (known, bad) = ("list_running_kafka_connectors", " rpc.response.status_code=-32602");
    assert_eq!(
        told,
        [
            ("lenses list_environments", "lenses.operation=list_environments".to_owned()),
            ("lenses list_topics", "error.type=forbidden lenses.operation=list_topics".to_owned()),
            (
                "prompts/get (unknown)",
                prompt("error.type=-32602 ", "(unknown)", "lenses.outcome=error ", bad)
            ),
            (
                "prompts/get list_running_kafka_connectors",
                prompt("", known, "lenses.outcome=success ", "")
            ),
            (
                "prompts/get list_running_kafka_connectors",
                prompt("error.type=-32602 ", known, "lenses.outcome=error ", bad)
            ),
            (
                "resources/read (unknown)",
                read(
                    "error.type=-32002 ",
                    "lenses.outcome=error ",
                    "(unknown)",
                    " rpc.response.status_code=-32002"
                )
            ),
            (
                "resources/read environments",
                read("", "lenses.outcome=success ", "environments", "")
            ),
            (
                "resources/read topics",
                read(
                    "error.type=-32603 ",
                    "lenses.outcome=denied ",
                    "topics",
                    " rpc.response.status_code=-32603"
                )
            ),
        ]
    );
    let [hq_environments, hq_topics, .., environments, topics] = &spans[..] else {
        panic!("{told:?}")
    };
    assert_eq!(
        (&hq_environments.parent_span_id, &hq_topics.parent_span_id),
        (&environments.span_id, &topics.span_id),
        "what was asked of HQ stands below"
    );
    for span in &spans {
        assert_eq!(hex(&span.trace_id), "1".repeat(32), "{}", span.name);
        let failed = span.status.as_ref().is_some_and(|status| status.code == 2);
        assert_eq!(
            failed,
            attributes(&span.attributes)[0].starts_with("error.type"),
            "{}",
            span.name
        );
    }
    assert!(
        !collector.text().contains("hunter-environment") && !collector.text().contains("lenses://")
    );
}
