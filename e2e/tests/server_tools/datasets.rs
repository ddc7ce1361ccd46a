use serde_json::{Value, json};

use crate::bench::{Bench, success, with};

pub(crate) async fn all(bench: &Bench) {
    let arguments = with(json!({
        "page": 1, "page_size": 5, "search": "order", "connections": ["kafka"], "tags": ["sales"],
        "sort_field": "records",
        "sort_order": "desc", "include_system": true, "search_fields": true,
        "schema_format": "JSON", "has_records": true,
        "is_compacted": false,
    }));
    let path = "v1/datasets?page=1&pageSize=5&includeSystemEntities=true&searchFields=true&\
                connections=kafka&tags=sales&search=order&sortField=records&sortOrder=desc&\
                schemaFormat=JSON&hasRecords=true&isCompacted=false";
    bench.shows("list_datasets", arguments, path).await;
    let orders = || with(json!({ "connection": "kafka", "dataset": "orders" }));
    bench.shows("get_dataset", orders(), "v1/datasets/kafka/orders").await;
    let arguments = with(json!({ "entity_name": "orders" }));
    let days = bench.lists(
        "get_dataset_message_metrics",
        arguments,
        "v1/datasets/kafka/orders/messages/metrics",
        "date",
    );
    assert_eq!(days.await, json!([{ "date": "2026-01-05", "messages": 500 }]));

    let topic = |extra: Value| {
        let mut arguments = with(json!({ "topic_name": "orders" }));
        arguments.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        arguments
    };
    let description = json!({ "description": "All orders" });
    let asked = ("PUT", "v1/datasets/kafka/orders/description", description.clone());
    bench.changes("update_dataset_topic_description", topic(description), asked, &success()).await;
    let asked = (
        "PUT",
        "v1/datasets/kafka/orders/tags",
        json!({ "tags": [{ "name": "pii" }, { "name": "eu" }] }),
    );
    bench
        .changes(
            "update_dataset_topic_tags",
            topic(json!({ "tags": ["pii", "eu"] })),
            asked,
            &success(),
        )
        .await;
    let dataset = bench.shows("get_dataset", orders(), "v1/datasets/kafka/orders").await;
    assert_eq!(
        (&dataset["description"], &dataset["tags"]),
        (&json!("All orders"), &json!([{ "name": "pii" }, { "name": "eu" }]))
    );
}
