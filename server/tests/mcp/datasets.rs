//! Datasets and the metadata of topics: requests and results.

use serde_json::{Value, json};

use crate::exchange::{Exchange, refuses};

const JSON: &str = "application/json";

fn environment(extra: &Value) -> Value {
    let mut arguments = json!({ "environment": "dev" });
    arguments.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    arguments
}

#[tokio::test]
async fn datasets_are_searched_only_by_what_is_asked_for() {
    for (arguments, asks) in [
        (
            json!({}),
            "GET api/v1/datasets?page=1&pageSize=25&includeSystemEntities=false&searchFields=true",
        ),
        (
            json!({ "sort_order": "desc" }),
            "GET api/v1/datasets?page=1&pageSize=25&includeSystemEntities=false&searchFields=true",
        ),
        (
            json!({ "sort_field": "name" }),
            "GET api/v1/datasets?page=1&pageSize=25&includeSystemEntities=false&searchFields=true\
             &sortField=name&sortOrder=asc",
        ),
        (
            json!({
                "page": "3", "page_size": 100, "search": "a&b=c#d é",
                "connections": ["kafka", "p+g"], "tags": ["pii", "x&y"], "sort_field": "records",
                "sort_order": "desc", "include_system": "true", "search_fields": "False",
                "schema_format": "AVRO", "has_records": true, "is_compacted": false
            }),
            "GET api/v1/datasets?page=3&pageSize=100&includeSystemEntities=true&searchFields=false\
             &connections=kafka&connections=p%2Bg&tags=pii&tags=x%26y&search=a%26b%3Dc%23d+%C3%A9\
             &sortField=records&sortOrder=desc&schemaFormat=AVRO&hasRecords=true&isCompacted=false",
        ),
    ] {
        Exchange {
            tool: "list_datasets",
            arguments: environment(&arguments),
            asks,
            body: Value::Null,
            reply: (
                200,
                JSON,
                r#"{"datasets":{"values":[{"name":"t"}],"pagesAmount":1,"totalCount":1}}"#,
            ),
            gives: json!({
                "datasets": { "values": [{ "name": "t" }], "pagesAmount": 1, "totalCount": 1 }
            }),
        }
        .holds()
        .await;
    }
}

#[tokio::test]
async fn every_look_at_the_catalogue_asks_hq_for_what_it_means() {
    for (tool, arguments, asks, reply, gives) in [
        (
            "get_dataset",
            json!({ "connection": "post/gres", "dataset": "a?b" }),
            "GET api/v1/datasets/post%2Fgres/a%3Fb",
            r#"{"name":"a?b","fields":{}}"#,
            json!({ "name": "a?b", "fields": {} }),
        ),
        (
            "get_dataset_message_metrics",
            json!({ "entity_name": "a.b" }),
            "GET api/v1/datasets/kafka/a.b/messages/metrics",
            r#"[{"date":"2026-01-01","messages":5}]"#,
            json!({ "result": [{ "date": "2026-01-01", "messages": 5 }] }),
        ),
        (
            "list_topic_metadata",
            json!({}),
            "GET api/metadata/topics",
            r#"[{"topicName":"b"},{"topicName":"a","keyType":"STRING"}]"#,
            json!({ "result": [{ "topicName": "a", "keyType": "STRING" }, { "topicName": "b" }] }),
        ),
        (
            "get_topic_metadata",
            json!({ "topic_name": "a.c" }),
            "GET api/metadata/topics/a.c",
            r#"{"topicName":"a.c"}"#,
            json!({ "topicName": "a.c" }),
        ),
    ] {
        let arguments = environment(&arguments);
        Exchange { tool, arguments, asks, body: Value::Null, reply: (200, JSON, reply), gives }
            .holds()
            .await;
    }
}

#[tokio::test]
async fn every_change_of_the_catalogue_asks_hq_for_what_it_means() {
    let metadata = json!({
        "topicName": "a.b", "keyType": "STRING", "valueType": "AVRO", "valueSchemaVersion": 3,
        "tags": [{ "name": "pii" }], "additionalInfo": { "x": null }
    });
    let description = |text: &Value| json!({ "topic_name": "a.b", "description": text });
    let describes = "PUT api/v1/datasets/kafka/a.b/description";
    let tags = "PUT api/v1/datasets/kafka/a.b/tags";
    let done = || json!({ "success": true });
    let updated =
        json!({ "result": "The metadata of topic `a.b` in environment `dev` was updated." });
    for (tool, arguments, asks, body, gives) in [
        (
            "update_topic_metadata",
            json!({ "metadata": metadata }),
            "POST api/v1/metadata/topics",
            metadata,
            updated,
        ),
        (
            "update_dataset_topic_description",
            description(&json!("All\n\"orders\"")),
            describes,
            json!({ "description": "All\n\"orders\"" }),
            done(),
        ),
        (
            "update_dataset_topic_description",
            description(&json!("")),
            describes,
            json!({ "description": null }),
            done(),
        ),
        (
            "update_dataset_topic_description",
            json!({ "topic_name": "a.b" }),
            describes,
            json!({ "description": null }),
            done(),
        ),
        (
            "update_dataset_topic_tags",
            json!({ "topic_name": "a.b", "tags": ["pii", "x&y"] }),
            tags,
            json!({ "tags": [{ "name": "pii" }, { "name": "x&y" }] }),
            done(),
        ),
        (
            "update_dataset_topic_tags",
            json!({ "topic_name": "a.b", "tags": [] }),
            tags,
            json!({ "tags": [] }),
            done(),
        ),
    ] {
        let arguments = environment(&arguments);
        Exchange { tool, arguments, asks, body, reply: (204, "", ""), gives }.holds().await;
    }
}

#[tokio::test]
async fn metadata_that_does_not_say_what_it_is_of_is_refused() {
    let metadata = |metadata: &Value| environment(&json!({ "metadata": metadata }));
    let calls = [
        (
            metadata(&json!({})),
            "metadata",
            "has no `topicName`; topicName, keyType, valueType are required",
        ),
        (
            metadata(&json!({ "topicName": "t", "keyType": "STRING" })),
            "metadata",
            "has no `valueType`",
        ),
        (
            metadata(&json!({ "topicName": "t", "keyType": 1, "valueType": "INT" })),
            "metadata",
            "`keyType` is not a text",
        ),
        (
            metadata(&json!({ "topicName": "", "keyType": "INT", "valueType": "INT" })),
            "metadata",
            "`topicName` is empty",
        ),
    ];
    refuses("update_topic_metadata", calls).await;
}
