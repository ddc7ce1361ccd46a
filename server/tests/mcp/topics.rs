//! Topics: requests and results.

use serde_json::{Value, json};

use crate::{
    client::Endpoint,
    exchange::{Exchange, refuses},
    hq::Hq,
    valid,
};

const JSON: &str = "application/json";

fn topic(extra: &Value) -> Value {
    let mut arguments = json!({ "environment": "dev", "topic_name": "a.b" });
    arguments.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    arguments
}

#[tokio::test]
async fn every_look_at_topics_asks_hq_for_what_it_means() {
    for (tool, arguments, asks, reply, gives) in [
        (
            "list_topics",
            json!({ "environment": "dev" }),
            "GET api/topics",
            r#"[{"topicName":"b"},{"topicName":"a","partitions":3}]"#,
            json!({ "result": [{ "topicName": "a", "partitions": 3 }, { "topicName": "b" }] }),
        ),
        (
            "get_topic",
            topic(&json!({})),
            "GET api/topics/a.b",
            r#"{"topicName":"a.b"}"#,
            json!({ "topicName": "a.b" }),
        ),
        (
            "get_topic_partitions",
            topic(&json!({})),
            "GET api/v2/topics/a.b/partitions",
            r#"{"partitions":[{"partition":0,"messages":7}]}"#,
            json!({ "partitions": [{ "partition": 0, "messages": 7 }] }),
        ),
        (
            "get_topic_broker_configs",
            topic(&json!({})),
            "GET api/topics/a.b/brokerConfigs",
            r#"[{"name":"retention.ms","value":"1000"}]"#,
            json!({ "result": [{ "name": "retention.ms", "value": "1000" }] }),
        ),
    ] {
        Exchange { tool, arguments, asks, body: Value::Null, reply: (200, JSON, reply), gives }
            .holds()
            .await;
    }
}

#[tokio::test]
async fn every_change_of_topics_asks_hq_for_what_it_means() {
    let configs = json!([
        { "key": "retention.ms", "value": "1000" }, { "key": "leader.replicas", "value": "" }
    ]);
    for (tool, arguments, asks, body, reply, gives) in [
        (
            "create_topic",
            topic(&json!({
                "partitions": "6", "replication": 3.0,
                "configs": { "cleanup.policy": "compact" }
            })),
            "POST api/topics",
            json!({
                "topicName": "a.b", "partitions": 6, "replication": 3,
                "configs": { "cleanup.policy": "compact" }
            }),
            (201, ""),
            json!({ "result": "Topic `a.b` was created in environment `dev`." }),
        ),
        (
            "create_topic",
            topic(&json!({ "configs": null })),
            "POST api/topics",
            json!({ "topicName": "a.b", "partitions": 1, "replication": 1, "configs": {} }),
            (200, r#""Topic created""#),
            json!({ "result": "Topic created" }),
        ),
        (
            "create_topic_with_schema",
            json!({ "environment": "dev", "name": "t" }),
            "POST api/v1/kafka/topic",
            json!({ "name": "t", "partitions": 1, "replication": 1, "configs": {} }),
            (204, ""),
            json!({ "success": true }),
        ),
        (
            "create_topic_with_schema",
            json!({ "environment": "dev", "name": "t", "partitions": 6, "replication": 3,
                "configs": { "retention.ms": "1" }, "key_format": "STRING", "value_format": "AVRO",
                "value_schema": "{\"type\":\"int\"}" }),
            "POST api/v1/kafka/topic",
            json!({
                "name": "t", "partitions": 6, "replication": 3, "configs": { "retention.ms": "1" },
                "format": {
                    "key": { "format": "STRING" },
                    "value": { "format": "AVRO", "schema": "{\"type\":\"int\"}" }
                }
            }),
            (201, r#"{"name":"t"}"#),
            json!({ "name": "t" }),
        ),
        (
            "create_topic_with_schema",
            json!({ "environment": "dev", "name": "t", "value_format": "JSON" }),
            "POST api/v1/kafka/topic",
            json!({ "name": "t", "partitions": 1, "replication": 1, "configs": {},
                "format": { "value": { "format": "JSON" } } }),
            (201, "{}"),
            json!({}),
        ),
        (
            "update_topic_config",
            topic(&json!({ "configs": configs })),
            "PUT api/configs/topics/a.b",
            json!({ "configs": configs }),
            (204, ""),
            json!({
                "result": "The configuration of topic `a.b` in environment `dev` was updated."
            }),
        ),
        (
            "add_topic_partitions",
            topic(&json!({ "partitions": "12" })),
            "PUT api/v1/kafka/topics/a.b/partitions",
            json!({ "partitions": 12 }),
            (200, ""),
            json!({ "success": true }),
        ),
        (
            "resend_message",
            topic(&json!({ "partition": 2, "offset": 9_007_199_254_740_991_i64 })),
            "PUT api/topics/a.b/2/9007199254740991/resend",
            Value::Null,
            (200, r#"{"partition":2,"offset":77}"#),
            json!({ "partition": 2, "offset": 77 }),
        ),
    ] {
        let reply = (reply.0, JSON, reply.1);
        Exchange { tool, arguments, asks, body, reply, gives }.holds().await;
    }
}

#[tokio::test]
async fn a_schema_without_its_format_is_refused() {
    let new = |extra: &Value| {
        let mut arguments = json!({ "environment": "dev", "name": "t" });
        arguments.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        arguments
    };
    let calls = [
        (new(&json!({ "key_schema": "{}" })), "key_format", "of which format `key_schema` is"),
        (
            new(&json!({ "value_schema": "{}", "key_format": "AVRO" })),
            "value_format",
            "of which format `value_schema` is",
        ),
    ];
    refuses("create_topic_with_schema", calls).await;
}

#[tokio::test]
async fn users_who_may_not_create_topics_are_told_whom_to_ask() {
    for tool in ["create_topic", "create_topic_with_schema"] {
        let hq = Hq::answering(403, JSON, r#"{"title":"kafka:CreateTopic is missing"}"#).await;
        let text = Endpoint::new(&hq.url).failure(tool, valid::arguments(tool)).await;
        assert!(
            text.starts_with("Lenses HQ does not allow this: kafka:CreateTopic is missing. "),
            "{text}"
        );
        assert!(text.contains("request_topic_creation"), "{text}");
        let hq = Hq::answering(401, JSON, r#"{"title":"expired"}"#).await;
        let text = Endpoint::new(&hq.url).failure(tool, valid::arguments(tool)).await;
        assert!(
            text.starts_with("Lenses HQ does not accept the credential: expired. The session"),
            "{text}"
        );
    }
    let hq = Hq::answering(403, JSON, r#"{"title":"no"}"#).await;
    let text = Endpoint::new(&hq.url).failure("list_topics", json!({ "environment": "dev" })).await;
    assert!(!text.contains("request_topic_creation"), "{text}");
}

#[tokio::test]
async fn a_long_list_is_given_in_pages_that_together_are_the_list() {
    let topics: Vec<_> =
        (0..7).map(|number| json!({ "topicName": format!("t{number}") })).collect();
    let hq = Hq::giving(&json!(topics)).await;
    let endpoint = Endpoint::new(&hq.url);
    let mut given = Vec::new();
    let mut arguments = json!({ "environment": "dev", "limit": 3 });
    loop {
        let result = endpoint.call("list_topics", arguments.clone()).await;
        given.extend(result["structuredContent"]["result"].as_array().unwrap().clone());
        let Some(cursor) = result["structuredContent"]["cut"]["cursor"].as_str() else { break };
        arguments["cursor"] = json!(cursor);
    }
    assert_eq!((given, hq.seen().len()), (topics, 3));
}
