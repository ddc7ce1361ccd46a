//! Changes of offsets.

use http::Method;
use serde_json::{Value, json};

use super::{error, invalid};
use crate::hq::test_client::TestClient;

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
