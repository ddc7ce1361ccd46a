//! Every method is a span and a duration, and the duration leads back to a sampled trace.

use serde_json::json;

use crate::{IN_HEADER, UNSAMPLED, attributes, collector::Collector, server::Server, settings};

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
    let labels = r#"{mcp_method_name="tools/call",gen_ai_tool_name="list_environments",network_transport="tcp",mcp_protocol_version="2025-11-25"}"#;
    let count = format!("mcp_server_operation_duration_seconds_count{labels} 1");
    assert!(before.contains(&count), "{before:#?}");
    assert!(!before.iter().any(|line| line.contains("trace_id")), "{before:#?}");

    server.send("tools/call", call, Some(IN_HEADER)).await;
    let after = durations(server.metrics().await);
    let exemplar = format!("# {{trace_id=\"{}\"}} ", "1".repeat(32));
    assert_eq!(after.iter().filter(|line| line.contains(&exemplar)).count(), 1, "{after:#?}");
    server.end().await;
}
