use serde_json::{Value, json};

use crate::bench::{Bench, agent, with};

pub(crate) async fn all(bench: &Bench) {
    let arguments = with(json!({
        "statuses": ["Pending", "Rejected"], "entity_name": "loyalty_points", "page": 1,
        "page_size": 10,
        "sort_field": "createdAt", "sort_order": "desc",
    }));
    let path = "v1/approvals?page=1&pageSize=10&approvalStatus=Pending&approvalStatus=Rejected&\
                entityName=loyalty_points&sortField=createdAt&sortOrder=desc";
    let listed = bench.shows("list_approval_requests", arguments, path).await;
    assert_eq!((&listed["totalCount"], &listed["pagesAmount"]), (&json!(1), &json!(1)));

    let requested = async |topic: &str| {
        let arguments = with(json!({
            "topic_name": topic, "reason": "For the shop", "partitions": 2, "replication": 3,
            "configs": { "cleanup.policy": "compact" }, "tags": ["pii"], "records_size": 512,
            "consumers": 4,
        }));
        let body = json!({
            "type": "CreateNewEntity", "entityName": topic, "entityType": "KafkaTopic",
            "settings": {
                "replication": 3, "partitions": 2, "topicConfig": { "cleanup.policy": "compact" },
                "capacity": { "recordsSize": 512, "dataProducedPerDay": null, "consumers": 4 },
            },
            "metadata": { "reason": "For the shop", "tags": ["pii"] },
        });
        let path = agent("v1/approvals");
        let given = bench.call("request_topic_creation", arguments, &[("POST", &path, body)]).await;
        let id = given["id"].as_str().unwrap().to_owned();
        assert_eq!(given, json!({ "id": id }));
        id
    };
    let status = async |id: &str| {
        let path = format!("v1/approvals/{id}");
        let shown =
            bench.shows("get_approval_request", with(json!({ "request_id": id })), &path).await;
        assert_eq!(
            (&shown["createdBy"], &shown["metadata"]["reason"]),
            (&json!("alice"), &json!("For the shop"))
        );
        shown["approvalStatus"].clone()
    };
    let id = requested("vouchers").await;
    assert_eq!(status(&id).await, "Pending");
    bench.decide(&id, "Approved").await;
    assert_eq!(status(&id).await, "Approved");
    let topic = bench
        .shows("get_topic", with(json!({ "topic_name": "vouchers" })), "topics/vouchers")
        .await;
    assert_eq!(
        (&topic["partitions"], &topic["config"][0]["value"]),
        (&json!(2), &json!("compact"))
    );

    let id = requested("never").await;
    bench.decide(&id, "Rejected").await;
    assert_eq!(status(&id).await, "Rejected");
    let topics =
        bench.call("list_topics", with(json!({})), &[("GET", &agent("topics"), Value::Null)]).await;
    assert!(!topics.to_string().contains("\"never\""));
}
