use serde_json::{Value, json};

use crate::bench::{Bench, success, with};

pub(crate) async fn all(bench: &Bench) {
    bench.lists("list_topics", with(json!({})), "topics", "topicName").await;
    let orders = || with(json!({ "topic_name": "orders" }));
    let topic = bench.shows("get_topic", orders(), "topics/orders").await;
    assert_eq!((&topic["totalMessages"], &topic["partitions"]), (&json!(500), &json!(6)));
    bench.shows("get_topic_partitions", orders(), "v2/topics/orders/partitions").await;
    bench
        .lists("get_topic_broker_configs", orders(), "topics/orders/brokerConfigs", "configuration")
        .await;
    creations(bench).await;
    changes(bench).await;
    metadata(bench).await;
}

async fn creations(bench: &Bench) {
    let arguments = json!({
        "topic_name": "returns.eu", "partitions": "6", "replication": 3,
        "configs": { "cleanup.policy": "compact" },
    });
    let body = json!({
        "topicName": "returns.eu", "partitions": 6, "replication": 3,
        "configs": { "cleanup.policy": "compact" }
    });
    let said = json!({ "result": "Topic [returns.eu] created" });
    bench.changes("create_topic", with(arguments), ("POST", "topics", body), &said).await;
    let topic = bench
        .shows("get_topic", with(json!({ "topic_name": "returns.eu" })), "topics/returns.eu")
        .await;
    assert_eq!((&topic["partitions"], &topic["replication"]), (&json!(6), &json!(3)));
    assert_eq!(topic["config"], json!([{ "name": "cleanup.policy", "value": "compact" }]));

    let schema = r#"{"type":"record","name":"Point","fields":[{"name":"points","type":"int"}]}"#;
    let arguments = json!({
        "name": "points", "partitions": 2, "replication": 3, "key_format": "STRING",
        "value_format": "AVRO",
        "value_schema": schema,
    });
    let body = json!({
        "name": "points", "partitions": 2, "replication": 3, "configs": {},
        "format": {
            "key": { "format": "STRING" }, "value": { "format": "AVRO", "schema": schema }
        },
    });
    let asked = [("POST", "environments/development/proxy/api/v1/kafka/topic", body)];
    let created = bench.call("create_topic_with_schema", with(arguments), &asked).await;
    let points = || with(json!({ "topic_name": "points" }));
    assert_eq!(created, bench.shows("get_topic", points(), "topics/points").await);
    assert_eq!((&created["keyType"], &created["valueType"]), (&json!("STRING"), &json!("AVRO")));
    let metadata = bench.shows("get_topic_metadata", points(), "metadata/topics/points").await;
    assert_eq!(metadata["valueSchema"], schema);
}

async fn changes(bench: &Bench) {
    let refunds = |extra: Value| {
        let mut arguments = with(json!({ "topic_name": "refunds" }));
        arguments.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        arguments
    };
    let configs = json!({ "configs": [{ "key": "retention.ms", "value": "1000" }] });
    let said = json!({
        "result": "The configuration of topic `refunds` in environment `development` was updated."
    });
    let asked = ("PUT", "configs/topics/refunds", configs.clone());
    bench.changes("update_topic_config", refunds(configs), asked, &said).await;
    let path = "topics/refunds/brokerConfigs";
    let listed =
        bench.lists("get_topic_broker_configs", refunds(json!({})), path, "configuration").await;
    let set = json!({
        "configuration": "retention.ms", "value": "1000", "defaultValue": "604800000",
        "isDefault": false
    });
    assert!(listed.as_array().unwrap().contains(&set), "{listed}");

    let partitions = json!({ "partitions": 4 });
    let asked = ("PUT", "v1/kafka/topics/refunds/partitions", partitions.clone());
    bench.changes("add_topic_partitions", refunds(partitions), asked, &success()).await;
    let asked = ("PUT", "topics/refunds/0/3/resend", Value::Null);
    bench
        .changes(
            "resend_message",
            refunds(json!({ "partition": 0, "offset": 3 })),
            asked,
            &success(),
        )
        .await;
    let topic = bench
        .shows("get_topic_partitions", refunds(json!({})), "v2/topics/refunds/partitions")
        .await;
    assert_eq!(
        (topic["partitions"].as_array().unwrap().len(), &topic["totalMessages"]),
        (4, &json!(26))
    );
}

async fn metadata(bench: &Bench) {
    let listed =
        bench.lists("list_topic_metadata", with(json!({})), "metadata/topics", "topicName").await;
    assert!(listed.as_array().unwrap().len() >= 10);
    let metadata = json!({
        "topicName": "returns", "keyType": "STRING", "valueType": "JSON",
        "description": "What came back",
        "tags": [{ "name": "logistics" }, { "name": "eu" }], "additionalInfo": "none",
    });
    let said = json!({
        "result": "The metadata of topic `returns` in environment `development` was updated."
    });
    let asked = ("POST", "v1/metadata/topics", metadata.clone());
    bench
        .changes("update_topic_metadata", with(json!({ "metadata": metadata })), asked, &said)
        .await;
    let arguments = with(json!({ "topic_name": "returns" }));
    let shown = bench.shows("get_topic_metadata", arguments, "metadata/topics/returns").await;
    for field in ["description", "tags", "keyType", "valueType", "additionalInfo"] {
        assert_eq!(shown[field], metadata[field], "{field}");
    }
}
