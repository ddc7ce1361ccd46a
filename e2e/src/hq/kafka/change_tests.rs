//! Topics, their metadata and consumer groups: each change is seen by later reads, and what cannot
//! be is refused and changes nothing.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::hq::test_client::{SERVICE_ACCOUNT, TestClient};

const API: &str = "/api/v1/environments/development/proxy/api";

impl TestClient {
    async fn read(&self, path: &str) -> Value {
        let reply = self.get(&format!("{API}/{path}"), SERVICE_ACCOUNT).await;
        assert_eq!(reply.status, StatusCode::OK, "{path}: {}", reply.text);
        reply.json()
    }

    /// Makes a change that is answered without content.
    async fn change(&self, method: Method, path: &str, body: Option<Value>, status: u16) {
        let reply = self.call(method, &format!("{API}/{path}"), SERVICE_ACCOUNT, body).await;
        assert_eq!((reply.status.as_u16(), reply.text.as_str()), (status, ""), "{path}");
    }

    /// Status, error type and, for a `ValidationError`, the fields of a refusal by the agent.
    async fn refusal(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> (u16, String, Vec<String>) {
        let reply = self.call(method, &format!("{API}/{path}"), SERVICE_ACCOUNT, body).await;
        let error = reply.json();
        let fields = error["fields"].as_array().unwrap().iter();
        let fields = fields.map(|field| field["field"].as_str().unwrap().to_owned()).collect();
        (reply.status.as_u16(), error["errorType"].as_str().unwrap().to_owned(), fields)
    }
}

fn invalid(field: &str) -> (u16, String, Vec<String>) {
    (400, "ValidationError".to_owned(), vec![field.to_owned()])
}

fn error(status: u16, kind: &str) -> (u16, String, Vec<String>) {
    (status, kind.to_owned(), Vec::new())
}

#[tokio::test]
async fn a_changed_configuration_shows_and_the_others_stay() {
    let client = TestClient::new(&[]);
    let body = json!({
        "configs": [
            {"key": "retention.ms", "value": "1000"}, {"key": "preallocate", "value": "true"}
        ]
    });
    client.change(Method::PUT, "configs/topics/orders", Some(body), 200).await;
    let configs = client.read("topics/orders/brokerConfigs").await;
    let config = |name: &str| {
        configs.as_array().unwrap().iter().find(|config| config["configuration"] == name).cloned()
    };
    let expected = json!({
        "configuration": "retention.ms", "value": "1000", "defaultValue": "604800000",
        "isDefault": false
    });
    assert_eq!(config("retention.ms"), Some(expected));
    assert_eq!(config("min.insync.replicas").unwrap()["value"], "2");
    assert_eq!(config("segment.bytes").unwrap()["isDefault"], true);
    assert_eq!(configs.as_array().unwrap().len(), 27);

    let put = async |topic: &str, configs: Value| {
        client
            .refusal(
                Method::PUT,
                &format!("configs/topics/{topic}"),
                Some(json!({"configs": configs})),
            )
            .await
    };
    assert_eq!(put("orders", json!([{"key": "colour", "value": "red"}])).await, invalid("configs"));
    assert_eq!(
        put("orders", json!([{"key": "preallocate", "value": "yes"}])).await,
        invalid("configs")
    );
    assert_eq!(put("orders", json!([])).await, invalid("configs"));
    assert_eq!(put("orders", json!({"retention.ms": "1"})).await, invalid("body"));
    assert_eq!(
        put("nowhere", json!([{"key": "preallocate", "value": "true"}])).await,
        error(404, "TopicNotFound")
    );
    assert_eq!(
        client.refusal(Method::GET, "topics/nowhere/brokerConfigs", None).await,
        error(404, "TopicNotFound")
    );
}

#[tokio::test]
async fn partitions_are_added_never_taken_and_no_record_moves() {
    let client = TestClient::new(&[]);
    let before = client.read("v2/topics/refunds/partitions").await;
    assert_eq!((&before["totalMessages"], &before["totalBytes"]), (&json!(25), &json!(3200)));
    let whole = json!({
        "partition": 0, "begin": 0, "end": 25, "messages": 25, "bytes": 3200, "leader": 1,
        "replicas": [1, 2, 3], "isr": [1, 2, 3],
    });
    assert_eq!(before["partitions"], json!([whole]));
    client
        .change(
            Method::PUT,
            "v1/kafka/topics/refunds/partitions",
            Some(json!({"partitions": 3})),
            204,
        )
        .await;
    let after = client.read("v2/topics/refunds/partitions").await;
    let messages: Vec<_> = after["partitions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|partition| &partition["messages"])
        .collect();
    assert_eq!(messages, [25, 0, 0]);
    for partitions in [3, 2, 0, -1, 1_001] {
        let body = json!({"partitions": partitions});
        let refused =
            client.refusal(Method::PUT, "v1/kafka/topics/refunds/partitions", Some(body)).await;
        assert_eq!(refused, invalid("partitions"), "{partitions}");
    }
    let unknown = client
        .refusal(Method::PUT, "v1/kafka/topics/nowhere/partitions", Some(json!({"partitions": 3})))
        .await;
    assert_eq!(unknown, error(404, "TopicNotFound"));
    assert_eq!(
        client.refusal(Method::GET, "v2/topics/nowhere/partitions", None).await,
        error(404, "TopicNotFound")
    );
}

#[tokio::test]
async fn a_record_sent_once_more_is_one_more_record() {
    let client = TestClient::new(&[]);
    client.change(Method::PUT, "topics/refunds/0/24/resend", None, 200).await;
    assert_eq!(client.read("topics/refunds").await["totalMessages"], 26);
    let put = async |path: &str| {
        client.refusal(Method::PUT, &format!("topics/{path}/resend"), None).await
    };
    assert_eq!(put("refunds/0/26").await, error(404, "RecordNotFound"));
    assert_eq!(put("refunds/1/0").await, error(404, "RecordNotFound"));
    assert_eq!(put("nowhere/0/0").await, error(404, "TopicNotFound"));
    assert_eq!(put("refunds/x/0").await, invalid("partition"));
    assert_eq!(put("refunds/0/-1").await, invalid("offset"));
}

#[tokio::test]
async fn a_topic_with_a_schema_has_its_fields_and_formats() {
    let client = TestClient::new(&[]);
    let schema = r#"{"type":"record","name":"I","fields":[{"name":"id","type":"long"}]}"#;
    let body = json!({
        "name": "invoices", "partitions": 2, "replication": 1,
        "configs": {"cleanup.policy": "compact"},
        "format": {"key": {"format": "STRING"}, "value": {"format": "AVRO", "schema": schema}}
    });
    let path = format!("{API}/v1/kafka/topic");
    let made = client.call(Method::POST, &path, SERVICE_ACCOUNT, Some(body.clone())).await;
    assert_eq!((made.status, &made.json()["topicName"]), (StatusCode::CREATED, &json!("invoices")));
    let dataset = client.read("v1/datasets/kafka/invoices").await;
    assert_eq!(dataset["fields"]["value"], json!([{"name": "id", "type": "int"}]));
    assert_eq!(
        (&dataset["schema"]["value"], &dataset["isCompacted"]),
        (&json!(schema), &json!(true))
    );
    assert_eq!(
        client.refusal(Method::POST, "v1/kafka/topic", Some(body)).await,
        error(409, "TopicAlreadyExists")
    );
    for (change, field) in [
        (json!({"name": "a b"}), "topicName"),
        (json!({"format": {"value": {"format": "AVRO"}}}), "format.value"),
        (json!({"configs": {"colour": "red"}}), "configs"),
        (json!({"partitions": "2"}), "body"),
    ] {
        let mut body = json!({"name": "t", "partitions": 1, "replication": 1});
        body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        assert_eq!(
            client.refusal(Method::POST, "v1/kafka/topic", Some(body)).await,
            invalid(field),
            "{change}"
        );
    }
}

#[tokio::test]
async fn metadata_description_and_tags_are_kept_and_each_route_shows_them() {
    let client = TestClient::new(&[]);
    let body = json!({
        "topicName": "returns", "keyType": "INT", "valueType": "AVRO", "valueSchema": "\"string\"",
        "tags": [{"name": "new"}], "additionalInfo": {"owner": "ops"}
    });
    client.change(Method::POST, "v1/metadata/topics", Some(body), 204).await;
    let expected = json!({
        "topicName": "returns", "keyType": "INT", "valueType": "AVRO", "keySchema": null,
        "keySchemaVersion": null,
        "keySchemaInlined": null, "valueSchema": "\"string\"", "valueSchemaVersion": 1,
        "valueSchemaInlined": "\"string\"",
        "description": "Nothing was ever sent back", "tags": [{"name": "new"}],
        "additionalInfo": {"owner": "ops"},
    });
    assert_eq!(client.read("metadata/topics/returns").await, expected);
    assert_eq!(client.read("metadata/topics").await.as_array().unwrap().len(), 12);

    client
        .change(
            Method::PUT,
            "v1/datasets/kafka/returns/description",
            Some(json!({"description": "Come back"})),
            200,
        )
        .await;
    client
        .change(
            Method::PUT,
            "v1/datasets/kafka/returns/tags",
            Some(json!({"tags": [{"name": "a"}, {"name": "b"}]})),
            200,
        )
        .await;
    let dataset = client.read("v1/datasets/kafka/returns").await;
    assert_eq!(
        (&dataset["description"], &dataset["tags"]),
        (&json!("Come back"), &json!([{"name": "a"}, {"name": "b"}]))
    );
    client
        .change(
            Method::PUT,
            "v1/datasets/kafka/returns/description",
            Some(json!({"description": null})),
            200,
        )
        .await;
    assert_eq!(client.read("metadata/topics/returns").await["description"], Value::Null);

    let tags = json!({"tags": [{"name": ""}]});
    assert_eq!(
        client.refusal(Method::PUT, "v1/datasets/kafka/returns/tags", Some(tags)).await,
        invalid("tags")
    );
    let strings = json!({"tags": ["a"]});
    assert_eq!(
        client.refusal(Method::PUT, "v1/datasets/kafka/returns/tags", Some(strings)).await,
        invalid("body")
    );
    let description = Some(json!({"description": "x"}));
    for path in
        ["v1/datasets/kafka/nowhere/description", "v1/datasets/postgres/returns/description"]
    {
        assert_eq!(
            client.refusal(Method::PUT, path, description.clone()).await,
            error(404, "DatasetNotFound"),
            "{path}"
        );
    }
    let unknown = json!({"topicName": "nowhere", "keyType": "INT", "valueType": "INT"});
    assert_eq!(
        client.refusal(Method::POST, "v1/metadata/topics", Some(unknown)).await,
        error(404, "TopicNotFound")
    );
    let empty = json!({"topicName": "returns", "keyType": "", "valueType": "INT"});
    assert_eq!(
        client.refusal(Method::POST, "v1/metadata/topics", Some(empty)).await,
        invalid("keyType")
    );
    let partial = json!({"topicName": "returns"});
    assert_eq!(
        client.refusal(Method::POST, "v1/metadata/topics", Some(partial)).await,
        invalid("body")
    );
}

#[tokio::test]
async fn messages_are_counted_by_day() {
    let client = TestClient::new(&[]);
    let days = client.read("v1/datasets/kafka/big_events/messages/metrics").await;
    let days = days.as_array().unwrap();
    assert_eq!(
        days[0],
        json!({"date": "2026-01-05", "messages": 57_600}),
        "from eight in the morning, one a second"
    );
    assert_eq!((days.len(), &days[1]["messages"]), (12, &json!(86_400)));
    assert_eq!(days.iter().map(|day| day["messages"].as_u64().unwrap()).sum::<u64>(), 1_000_000);
    assert_eq!(client.read("v1/datasets/kafka/returns/messages/metrics").await, json!([]));
    let unknown =
        client.refusal(Method::GET, "v1/datasets/kafka/nowhere/messages/metrics", None).await;
    assert_eq!(unknown, error(404, "DatasetNotFound"));
}

/// What `legacy-export` has committed for `topic`, by partition.
async fn committed(client: &TestClient, topic: &str) -> Vec<(u64, u64, u64)> {
    let groups = client.read(&format!("consumers/{topic}")).await;
    let group = groups.as_array().unwrap().iter().find(|group| group["id"] == "legacy-export");
    let rows = group.map_or(Vec::new(), |group| group["consumers"].as_array().unwrap().clone());
    let number = |row: &Value, name: &str| row[name].as_u64().unwrap();
    rows.iter()
        .map(|row| (number(row, "partition"), number(row, "currentOffset"), number(row, "lag")))
        .collect()
}

#[tokio::test]
async fn offsets_reset_to_start_end_or_time_and_the_lag_follows() {
    let client = TestClient::new(&[]);
    let reset = async |body: Value| {
        client.change(Method::PUT, "consumers/legacy-export/offsets", Some(body), 204).await;
    };
    assert_eq!(committed(&client, "shipments").await, [(0, 0, 100), (1, 0, 100), (2, 0, 100)]);
    reset(json!({"type": "end", "topics": ["shipments"]})).await;
    assert_eq!(committed(&client, "shipments").await, [(0, 100, 0), (1, 100, 0), (2, 100, 0)]);
    // The record of index 31 is 31 seconds after the first; 30 is the first of partition 0 that is
    // not older than 28.
    reset(json!({"type": "timestamp", "topics": ["shipments"], "target": "2026-01-05T08:00:28Z"}))
        .await;
    assert_eq!(committed(&client, "shipments").await, [(0, 10, 90), (1, 9, 91), (2, 9, 91)]);
    reset(json!({"type": "start", "topics": ["shipments", "products"]})).await;
    assert_eq!(committed(&client, "products").await, [(0, 0, 20), (1, 0, 20), (2, 0, 20)]);

    let partition = "consumers/legacy-export/offsets/topics/shipments/partitions/2";
    client
        .change(Method::PUT, partition, Some(json!({"type": "absolute", "offset": 100})), 204)
        .await;
    assert_eq!(committed(&client, "shipments").await[2], (2, 100, 0));
    client
        .change(
            Method::DELETE,
            "consumers/legacy-export/topics/shipments/partitions/2/offsets",
            None,
            200,
        )
        .await;
    assert_eq!(committed(&client, "shipments").await, [(0, 0, 100), (1, 0, 100)]);
    let topics = json!({"topics": ["shipments"]});
    client.change(Method::POST, "consumers/legacy-export/offsets/delete", Some(topics), 200).await;
    assert_eq!(committed(&client, "shipments").await, []);
    assert_eq!(committed(&client, "products").await.len(), 3);
}

#[tokio::test]
async fn offsets_that_cannot_be_changed_are_refused_and_stay() {
    let client = TestClient::new(&[]);
    let end = json!({"type": "end", "topics": ["shipments"]});
    let absolute = |offset: i64| Some(json!({"type": "absolute", "offset": offset}));
    let partition = |group: &str, topic: &str, partition: &str| {
        format!("consumers/{group}/offsets/topics/{topic}/partitions/{partition}")
    };
    for (method, path, body, refused) in [
        (
            Method::PUT,
            "consumers/fraud-model/offsets".to_owned(),
            Some(json!({"type": "end", "topics": ["orders"]})),
            error(409, "ConsumerGroupNotEmpty"),
        ),
        (
            Method::POST,
            "consumers/fraud-model/offsets/delete".to_owned(),
            Some(json!({"topics": ["orders"]})),
            error(409, "ConsumerGroupNotEmpty"),
        ),
        (
            Method::PUT,
            partition("fraud-model", "orders", "0"),
            absolute(0),
            error(409, "ConsumerGroupNotEmpty"),
        ),
        (
            Method::DELETE,
            "consumers/fraud-model/topics/orders/partitions/0/offsets".to_owned(),
            None,
            error(409, "ConsumerGroupNotEmpty"),
        ),
        (
            Method::PUT,
            "consumers/nobody/offsets".to_owned(),
            Some(end),
            error(404, "ConsumerGroupNotFound"),
        ),
        (
            Method::PUT,
            "consumers/legacy-export/offsets".to_owned(),
            Some(json!({"type": "end", "topics": ["shipments", "nowhere"]})),
            error(404, "TopicNotFound"),
        ),
        (
            Method::PUT,
            "consumers/legacy-export/offsets".to_owned(),
            Some(json!({"type": "end", "topics": []})),
            invalid("topics"),
        ),
        (
            Method::PUT,
            "consumers/legacy-export/offsets".to_owned(),
            Some(json!({"type": "middle", "topics": ["shipments"]})),
            invalid("body"),
        ),
        (
            Method::PUT,
            "consumers/legacy-export/offsets".to_owned(),
            Some(json!({"type": "timestamp", "topics": ["shipments"]})),
            invalid("target"),
        ),
        (
            Method::PUT,
            "consumers/legacy-export/offsets".to_owned(),
            Some(json!({"type": "timestamp", "topics": ["shipments"], "target": "noon"})),
            invalid("target"),
        ),
        (
            Method::POST,
            "consumers/legacy-export/offsets/delete".to_owned(),
            Some(json!({"topics": []})),
            invalid("topics"),
        ),
        (
            Method::POST,
            "consumers/legacy-export/offsets/delete".to_owned(),
            Some(json!({"topics": ["orders"]})),
            error(404, "OffsetsNotFound"),
        ),
        (
            Method::PUT,
            partition("legacy-export", "shipments", "0"),
            absolute(101),
            invalid("offset"),
        ),
        (
            Method::PUT,
            partition("legacy-export", "shipments", "0"),
            absolute(-1),
            invalid("offset"),
        ),
        (
            Method::PUT,
            partition("legacy-export", "shipments", "3"),
            absolute(0),
            error(404, "PartitionNotFound"),
        ),
        (
            Method::PUT,
            partition("legacy-export", "shipments", "x"),
            absolute(0),
            invalid("partition"),
        ),
        (
            Method::PUT,
            partition("legacy-export", "shipments", "0"),
            Some(json!({"type": "relative", "offset": 1})),
            invalid("type"),
        ),
        (
            Method::DELETE,
            "consumers/legacy-export/topics/orders/partitions/0/offsets".to_owned(),
            None,
            error(404, "PartitionNotFound"),
        ),
    ] {
        assert_eq!(
            client.refusal(method.clone(), &path, body.clone()).await,
            refused,
            "{method} {path} {body:?}"
        );
    }
    assert_eq!(committed(&client, "shipments").await, [(0, 0, 100), (1, 0, 100), (2, 0, 100)]);
}

#[tokio::test]
async fn a_new_environment_is_listed_agentless_and_shows_its_key_once() {
    let client = TestClient::new(&[]);
    let path = "/api/v1/environments";
    let body = json!({
        "name": "qa-2", "display_name": "QA", "tier": "staging", "metadata": {"team": "qa"}
    });
    let made = client.call(Method::POST, path, SERVICE_ACCOUNT, Some(body.clone())).await;
    assert_eq!(made.status, StatusCode::CREATED);
    let mut made = made.json();
    let key = made.as_object_mut().unwrap().remove("agent_key").unwrap();
    assert!(key.as_str().unwrap().starts_with("agent_key_"));
    assert_eq!(client.get(&format!("{path}/qa-2"), SERVICE_ACCOUNT).await.json(), made);
    assert_eq!((&made["tier"], &made["metadata"]), (&json!("staging"), &json!({"team": "qa"})));
    assert_eq!(made["status"], json!({"agent_connected": false}));
    let again = client.call(Method::POST, path, SERVICE_ACCOUNT, Some(body)).await;
    assert_eq!((again.status, &again.json()["type"]), (StatusCode::CONFLICT, &json!("conflict")));

    for (body, fields) in [
        (json!({"name": "QA", "tier": "staging"}), vec!["name"]),
        (json!({"name": "-qa", "tier": "staging"}), vec!["name"]),
        (
            json!({"name": "", "tier": "", "display_name": " "}),
            vec!["name", "display_name", "tier"],
        ),
        (json!({"name": "q".repeat(64), "tier": "staging"}), vec!["name"]),
        (json!({"name": "qa", "tier": "staging", "metadata": {"a": 1}}), vec!["metadata"]),
    ] {
        let refused = client.call(Method::POST, path, SERVICE_ACCOUNT, Some(body.clone())).await;
        let problem = refused.json();
        assert_eq!(
            (refused.status, &problem["type"]),
            (StatusCode::BAD_REQUEST, &json!("validation_error")),
            "{body}"
        );
        let found: Vec<_> = problem["invalid_fields"]
            .as_array()
            .unwrap()
            .iter()
            .map(|field| &field["name"])
            .collect();
        assert_eq!(found, fields, "{body}");
    }
    let unreadable =
        client.call(Method::POST, path, SERVICE_ACCOUNT, Some(json!({"name": "qa"}))).await;
    assert_eq!(unreadable.json()["type"], "invalid_parameter");
}
