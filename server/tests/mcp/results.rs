//! Results meet the output schemas under which they are listed, whatever of HQ's accepted replies they come from.

use lenses_mcp_server::tools;
use serde_json::{Value, json};

use crate::{client::Endpoint, hq::Hq};

fn assert_meets_its_schema(tool: &str, result: &Value) {
    assert_eq!(result["isError"], false, "{tool}: {result}");
    let schema = tools::registry().find(tool).unwrap().listing().output_schema.clone().unwrap();
    let schema = Value::Object((*schema).clone());
    let validator = jsonschema::validator_for(&schema).unwrap();
    let faults: Vec<_> = validator.iter_errors(&result["structuredContent"]).map(|fault| fault.to_string()).collect();
    assert!(faults.is_empty(), "{tool}: {faults:?} in {result}");
}

fn arguments(tool: &str) -> Value {
    match tool {
        "list_environments" => json!({}),
        "get_environment" | "check_environment_health" => json!({ "name": "dev" }),
        "get_topic" | "create_topic" => json!({ "environment": "dev", "topic_name": "t" }),
        "delete_consumer_group" => json!({ "environment": "dev", "group_id": "g" }),
        _ => json!({ "environment": "dev" }),
    }
}

#[tokio::test]
async fn every_schema_is_a_json_schema() {
    for tool in tools::registry().iter() {
        for schema in [Some(&tool.listing().input_schema), tool.listing().output_schema.as_ref()].into_iter().flatten()
        {
            let schema = Value::Object((**schema).clone());
            assert!(jsonschema::meta::is_valid(&schema), "{}: {schema}", tool.name());
        }
    }
}

#[tokio::test]
async fn every_reply_that_hq_may_give_becomes_a_result_of_the_declared_shape() {
    let object = r#"{"name":"dev","status":{"agent_connected":true,"agent":{"metrics":{"data":{"num_topics":3}}}}}"#;
    for (tool, bodies) in [
        ("list_environments", &[r#"{"items":[{"name":"dev"}]}"#, r#"{"items":null}"#, "{}", ""][..]),
        ("get_environment", &[object, ""]),
        ("check_environment_health", &[object, "{}", ""]),
        ("list_topics", &[r#"[{"topicName":"t"}]"#, "[]", ""]),
        ("get_topic", &[object, ""]),
        ("create_topic", &[r#""Topic created""#, r#"{"topicName":"t"}"#, "done", "", "null"]),
        ("list_consumer_groups", &[r#"[{"id":"g"}]"#, "[]", ""]),
        ("delete_consumer_group", &[object, ""]),
    ] {
        for body in bodies {
            let hq = Hq::answering(200, "", *body).await;
            let result = Endpoint::new(&hq.url).call(tool, arguments(tool)).await;
            assert_meets_its_schema(tool, &result);
        }
        let hq = Hq::answering(204, "", "").await;
        let result = Endpoint::new(&hq.url).call(tool, arguments(tool)).await;
        assert_meets_its_schema(tool, &result);
    }
}

#[tokio::test]
async fn a_created_topic_is_a_sentence_even_when_hq_says_nothing() {
    for (body, text) in [
        ("", "Topic `t` was created in environment `dev`."),
        (r#""Topic created""#, "Topic created"),
        (r#"{"topicName":"t"}"#, r#"{"topicName":"t"}"#),
    ] {
        let hq = Hq::answering(201, "application/json", body).await;
        let result = Endpoint::new(&hq.url).call("create_topic", arguments("create_topic")).await;
        assert_eq!(
            result,
            json!({
                "content": [{ "type": "text", "text": text }],
                "structuredContent": { "result": text },
                "isError": false,
                "_meta": { "fastmcp": { "wrap_result": true } },
            })
        );
    }
}
