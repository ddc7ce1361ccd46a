//! Schemas, descriptions and tags of topics.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::{API, error, invalid};
use crate::hq::test_client::{SERVICE_ACCOUNT, TestClient};

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
