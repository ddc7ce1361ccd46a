//! Results meet the output schemas under which they are listed, whatever of HQ's accepted replies
//! they come from.

use lenses_mcp_server::tools::{self, Tool};
use serde_json::Value;

use crate::{client::Endpoint, hq::Hq, valid};

const JSON: &str = "application/json";

/// What HQ and its agents are known to answer to something that they did, and what they might.
const REPLIES: [(u16, &str, &str); 18] = [
    (
        200,
        JSON,
        concat!(
            r#"{"name":"dev","status":{"agent_connected":true,"#,
            r#""agent":{"metrics":{"data":{"num_topics":3}}}}}"#,
        ),
    ),
    (200, JSON, r#"{"items":[{"name":"dev"}]}"#),
    (200, JSON, r#"{"items":null}"#),
    (200, JSON, "{}"),
    (200, JSON, r#"[{"topicName":"t"},{"topicName":"u"}]"#),
    (200, JSON, r#"[{"id":"billing"}]"#),
    (200, JSON, "[]"),
    (200, JSON, r#"["a"]"#),
    (200, JSON, "null"),
    (200, JSON, "true"),
    (201, JSON, "7"),
    (200, JSON, r#""done""#),
    (200, "text/plain", "done"),
    (200, "application/yaml", "kind: Connector\nname: c\n"),
    (200, "", "done"),
    (200, JSON, ""),
    (201, "", ""),
    (204, "", ""),
];

fn assert_meets_its_schema(tool: &Tool, result: &Value) {
    let schema = tool.listing().output_schema.clone().unwrap();
    let schema = Value::Object((*schema).clone());
    let validator = jsonschema::validator_for(&schema).unwrap();
    let faults: Vec<_> = validator
        .iter_errors(&result["structuredContent"])
        .map(|fault| fault.to_string())
        .collect();
    assert!(faults.is_empty(), "{}: {faults:?} in {result}", tool.name());
}

#[tokio::test]
async fn every_schema_is_a_json_schema() {
    for tool in tools::registry().iter() {
        for schema in [Some(&tool.listing().input_schema), tool.listing().output_schema.as_ref()]
            .into_iter()
            .flatten()
        {
            let schema = Value::Object((**schema).clone());
            assert!(jsonschema::meta::is_valid(&schema), "{}: {schema}", tool.name());
        }
    }
}

#[tokio::test]
async fn every_good_call_meets_its_input_schema() {
    for tool in tools::registry().iter() {
        let schema = Value::Object((*tool.listing().input_schema).clone());
        let arguments = valid::arguments(tool.name());
        assert!(jsonschema::is_valid(&schema, &arguments), "{}: {arguments}", tool.name());
    }
}

#[tokio::test]
async fn every_reply_becomes_a_result_of_the_declared_shape() {
    // Queries have a websocket of their own.
    for tool in tools::registry().iter().filter(|tool| tool.name() != "execute_sql") {
        let only_reads = tool.listing().annotations.as_ref().unwrap().read_only_hint == Some(true);
        let mut answered = 0;
        for (status, content_type, body) in REPLIES {
            let hq = Hq::answering(status, content_type, body).await;
            let result =
                Endpoint::new(&hq.url).call(tool.name(), valid::arguments(tool.name())).await;
            if result["isError"] == false {
                assert_meets_its_schema(tool, &result);
                answered += usize::from(!body.is_empty());
            } else {
                let text = result["content"][0]["text"].as_str().unwrap();
                assert!(only_reads, "{} {body:?}: {text}", tool.name());
                let known = [
                    "Lenses HQ answered with something other",
                    "not found: Lenses lists no consumer group",
                ];
                assert!(
                    known.iter().any(|known| text.starts_with(known)),
                    "{} {body:?}: {text}",
                    tool.name()
                );
            }
        }
        assert!(answered > 0, "{} gives nothing but errors", tool.name());
    }
}
