//! Approval requests: requests and results.

use serde_json::{Value, json};

use crate::exchange::{Exchange, refuses};

const JSON: &str = "application/json";

#[tokio::test]
async fn requests_are_listed_by_what_is_asked_for() {
    let page = r#"{"values":[{"id":"1"}],"pagesAmount":1,"totalCount":1}"#;
    for (arguments, asks) in [
        (json!({ "environment": "dev" }), "GET api/v1/approvals?page=1&pageSize=25"),
        (
            json!({
                "environment": "dev", "statuses": ["Pending", "Rejected"],
                "entity_name": "a&b=c#d é", "page": "3", "page_size": 100,
                "sort_field": "createdBy", "sort_order": "asc"
            }),
            "GET api/v1/approvals?page=3&pageSize=100&approvalStatus=Pending&\
             approvalStatus=Rejected&entityName=a%26b%3Dc%23d+%C3%A9&sortField=createdBy&\
             sortOrder=asc",
        ),
        (
            json!({
                "environment": "dev", "statuses": ["Approved", "Failed"], "sort_order": "desc"
            }),
            "GET api/v1/approvals?page=1&pageSize=25&approvalStatus=Approved&approvalStatus=Failed&\
             sortOrder=desc",
        ),
    ] {
        Exchange {
            tool: "list_approval_requests",
            arguments,
            asks,
            body: Value::Null,
            reply: (200, JSON, page),
            gives: json!({ "values": [{ "id": "1" }], "pagesAmount": 1, "totalCount": 1 }),
        }
        .holds()
        .await;
    }
}

#[tokio::test]
async fn a_request_is_found_by_its_uuid_and_by_nothing_else() {
    Exchange {
        tool: "get_approval_request",
        arguments: json!({
            "environment": "dev", "request_id": "01948f3a-7c1e-7b2a-9f6d-2b1c0d9e8f70"
        }),
        asks: "GET api/v1/approvals/01948f3a-7c1e-7b2a-9f6d-2b1c0d9e8f70",
        body: Value::Null,
        reply: (200, JSON, r#"{"id":"01948f3a-7c1e-7b2a-9f6d-2b1c0d9e8f70","status":"Pending"}"#),
        gives: json!({ "id": "01948f3a-7c1e-7b2a-9f6d-2b1c0d9e8f70", "status": "Pending" }),
    }
    .holds()
    .await;
    let ids = [
        "1",
        "../../users",
        "01948f3a7c1e7b2a9f6d2b1c0d9e8f70",
        "{01948f3a-7c1e-7b2a-9f6d-2b1c0d9e8f70}",
        "01948f3a-7c1e-7b2a-9f6d-2b1c0d9e8f7g",
    ];
    let calls = ids.map(|id| {
        (json!({ "environment": "dev", "request_id": id }), "request_id", "is not a UUID")
    });
    refuses("get_approval_request", calls).await;
}

#[tokio::test]
async fn a_topic_is_asked_for_in_the_agents_words() {
    for (extra, settings, tags) in [
        (
            json!({}),
            json!({ "replication": 1, "partitions": 1,
                "capacity": {
                    "recordsSize": null, "dataProducedPerDay": null, "consumers": null
                } }),
            json!([]),
        ),
        (
            json!({
                "partitions": "6", "replication": 3, "configs": { "cleanup.policy": "compact" },
                "tags": ["pii"], "records_size": 512, "data_produced_per_day": 1_000, "consumers": 0
            }),
            json!({
                "replication": 3, "partitions": 6, "topicConfig": { "cleanup.policy": "compact" },
                "capacity": { "recordsSize": 512, "dataProducedPerDay": 1_000, "consumers": 0 }
            }),
            json!(["pii"]),
        ),
        (
            json!({ "configs": {} }),
            json!({ "replication": 1, "partitions": 1,
                "capacity": {
                    "recordsSize": null, "dataProducedPerDay": null, "consumers": null
                } }),
            json!([]),
        ),
    ] {
        let mut arguments =
            json!({ "environment": "dev", "topic_name": "orders", "reason": "For the shop" });
        arguments.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        Exchange {
            tool: "request_topic_creation",
            arguments,
            asks: "POST api/v1/approvals",
            body: json!({
                "type": "CreateNewEntity", "entityName": "orders", "entityType": "KafkaTopic",
                "settings": settings, "metadata": { "reason": "For the shop", "tags": tags }
            }),
            reply: (201, JSON, r#"{"id":"01948f3a-7c1e-7b2a-9f6d-2b1c0d9e8f70"}"#),
            gives: json!({ "id": "01948f3a-7c1e-7b2a-9f6d-2b1c0d9e8f70" }),
        }
        .holds()
        .await;
    }
}
