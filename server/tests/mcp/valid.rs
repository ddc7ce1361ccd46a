//! One good call of each tool, in which every argument that the tool has is given. Every text in a
//! call is another, so that it can be told in the request to HQ which argument it came from.

use lenses_mcp_server::tools;
use serde_json::{Value, json};

#[expect(clippy::too_many_lines, reason = "it is one table")]
fn calls() -> Vec<(&'static str, Value)> {
    vec![
        ("list_environments", json!({ "limit": 5, "cursor": CURSOR })),
        ("get_environment", json!({ "name": "dev" })),
        ("check_environment_health", json!({ "name": "dev" })),
        (
            "create_environment",
            json!({
                "name": "payments-eu", "display_name": "Payments", "tier": "staging",
                "metadata": [{ "key": "owner", "value": "team" }]
            }),
        ),
        ("list_topics", json!({ "environment": "dev", "limit": 5, "cursor": CURSOR })),
        ("get_topic", json!({ "environment": "dev", "topic_name": "orders" })),
        (
            "create_topic",
            json!({
                "environment": "dev", "topic_name": "orders", "partitions": 6, "replication": 3,
                "configs": [{ "key": "cleanup.policy", "value": "compact" }]
            }),
        ),
        (
            "create_topic_with_schema",
            json!({
                "environment": "dev", "name": "orders", "partitions": 6, "replication": 3,
                "configs": [{ "key": "cleanup.policy", "value": "compact" }],
                "key_format": "STRING", "key_schema": "any", "value_format": "AVRO",
                "value_schema": "{}"
            }),
        ),
        (
            "update_topic_config",
            json!({
                "environment": "dev", "topic_name": "orders",
                "configs": [{ "key": "retention.ms", "value": "1000" }]
            }),
        ),
        ("get_topic_partitions", json!({ "environment": "dev", "topic_name": "orders" })),
        ("get_topic_broker_configs", json!({ "environment": "dev", "topic_name": "orders" })),
        (
            "add_topic_partitions",
            json!({ "environment": "dev", "topic_name": "orders", "partitions": 12 }),
        ),
        (
            "resend_message",
            json!({ "environment": "dev", "topic_name": "orders", "partition": 2, "offset": 41 }),
        ),
        ("list_topic_metadata", json!({ "environment": "dev", "limit": 5, "cursor": CURSOR })),
        ("get_topic_metadata", json!({ "environment": "dev", "topic_name": "orders" })),
        (
            "update_topic_metadata",
            json!({
                "environment": "dev",
                "metadata": {
                    "topicName": "orders", "keyType": "STRING", "valueType": "AVRO",
                    "tags": [{ "name": "pii" }]
                }
            }),
        ),
        (
            "list_datasets",
            json!({
                "environment": "dev", "page": 2, "page_size": 50, "search": "card",
                "connections": ["kafka", "postgres"], "tags": ["pii"], "sort_field": "name",
                "sort_order": "desc", "include_system": true, "search_fields": false,
                "schema_format": "AVRO", "has_records": true, "is_compacted": false
            }),
        ),
        (
            "get_dataset",
            json!({ "environment": "dev", "connection": "postgres", "dataset": "orders" }),
        ),
        ("get_dataset_message_metrics", json!({ "environment": "dev", "entity_name": "orders" })),
        (
            "update_dataset_topic_description",
            json!({ "environment": "dev", "topic_name": "orders", "description": "All orders" }),
        ),
        (
            "update_dataset_topic_tags",
            json!({ "environment": "dev", "topic_name": "orders", "tags": ["pii", "payments"] }),
        ),
        (
            "list_kafka_connectors",
            json!({
                "environment": "dev", "cluster": ["connect-eu", "connect-us"],
                "class_name": ["io.S3Sink"]
            }),
        ),
        (
            "get_kafka_connector_target_definition",
            json!({
                "environment": "dev", "connect_cluster_name": "connect-eu",
                "connector_name": "orders-sink"
            }),
        ),
        (
            "validate_connector_configuration",
            json!({
                "environment": "dev", "name": "orders-sink", "cluster": "connect-eu",
                "configuration": [{ "key": "connector.class", "value": "io.S3Sink" }]
            }),
        ),
        (
            "create_kafka_connector",
            json!({
                "environment": "dev", "name": "orders-sink", "cluster": "connect-eu",
                "configuration": [{ "key": "connector.class", "value": "io.S3Sink" }]
            }),
        ),
        (
            "set_action_on_kafka_connector",
            json!({
                "environment": "dev", "cluster": "connect-eu", "connector": "orders-sink",
                "action": "pause"
            }),
        ),
        (
            "restart_kafka_connector_task",
            json!({
                "environment": "dev", "cluster": "connect-eu", "connector": "orders-sink",
                "task_id": 3
            }),
        ),
        (
            "delete_kafka_connector",
            json!({ "environment": "dev", "cluster": "connect-eu", "connector": "orders-sink" }),
        ),
        ("list_consumer_groups", json!({ "environment": "dev", "limit": 5, "cursor": CURSOR })),
        (
            "list_consumer_groups_by_topic",
            json!({ "environment": "dev", "topic": "orders", "limit": 5, "cursor": CURSOR }),
        ),
        (
            "get_consumer_group_lag",
            json!({ "environment": "dev", "group_id": "billing", "topic": "orders" }),
        ),
        (
            "find_lagging_consumer_groups",
            json!({
                "environment": "dev", "name_contains": "bill", "state": "Stable", "topic": "orders",
                "min_lag": 7, "limit": 5
            }),
        ),
        (
            "update_consumer_group_offsets",
            json!({
                "environment": "dev", "group_id": "billing", "topics": ["orders", "refunds"],
                "reset_to": "timestamp", "target": "2026-01-05T08:00:00Z", "dry_run": false
            }),
        ),
        (
            "delete_consumer_group_offsets",
            json!({ "environment": "dev", "group_id": "billing", "topics": ["orders", "refunds"] }),
        ),
        (
            "update_consumer_partition_offset",
            json!({
                "environment": "dev", "group_id": "billing", "topic": "orders", "partition": 2,
                "offset": 41, "dry_run": false
            }),
        ),
        (
            "delete_consumer_partition_offset",
            json!({
                "environment": "dev", "group_id": "billing", "topic": "orders", "partition": 2
            }),
        ),
        ("delete_consumer_group", json!({ "environment": "dev", "group_id": "billing" })),
        ("execute_sql", json!({ "environment": "dev", "sql": "SELECT * FROM orders" })),
        ("list_sql_processors", json!({ "environment": "dev" })),
        ("get_sql_processor", json!({ "environment": "dev", "sql_processor_id": "lsql-1" })),
        (
            "create_sql_processor",
            json!({ "environment": "dev", "name": "big-orders", "sql":
                "INSERT INTO big SELECT STREAM * FROM orders", "sql_processor_id": "lsql-1",
            "deployment": {
                "mode": "KUBERNETES",
                "details": { "runners": 2, "cluster": "incluster", "namespace": "analytics" }
            }, "description": "Big orders", "tags": ["fraud"] }),
        ),
        ("delete_sql_processor", json!({ "environment": "dev", "sql_processor_id": "lsql-1" })),
        ("get_deployment_targets", json!({ "environment": "dev" })),
        (
            "get_pod_logs",
            json!({
                "environment": "dev", "cluster": "incluster", "namespace": "analytics",
                "pod": "lsql-1-0"
            }),
        ),
        (
            "list_approval_requests",
            json!({
                "environment": "dev", "statuses": ["Pending", "Failed"], "entity_name": "orders",
                "page": 2, "page_size": 50, "sort_field": "createdAt", "sort_order": "desc"
            }),
        ),
        (
            "get_approval_request",
            json!({ "environment": "dev", "request_id": "01948f3a-7c1e-7b2a-9f6d-2b1c0d9e8f70" }),
        ),
        ("whoami", json!({ "tool": "list_topics", "environment": "dev" })),
        ("diagnose", json!({ "environment": "dev" })),
        (
            "request_topic_creation",
            json!({
                "environment": "dev", "topic_name": "orders", "reason": "For the shop",
                "partitions": 6, "replication": 3,
                "configs": [{ "key": "cleanup.policy", "value": "compact" }],
                "tags": ["pii"], "records_size": 512, "data_produced_per_day": 1_000_000,
                "consumers": 4
            }),
        ),
    ]
}

/// A cursor of a list that was cut: `{"after":"a"}`.
const CURSOR: &str = "eyJhZnRlciI6ImEifQ";

/// The arguments of the good call of `tool`.
pub(crate) fn arguments(tool: &str) -> Value {
    let call = calls().into_iter().find(|(name, _)| *name == tool);
    assert!(call.is_some(), "write a good call of {tool} into {}", file!());
    call.unwrap().1
}

#[test]
fn every_tool_has_a_good_call_with_all_its_arguments() {
    for tool in tools::registry().iter() {
        let arguments = arguments(tool.name());
        let known = tool.listing().input_schema["properties"].as_object().unwrap();
        for name in known.keys() {
            assert!(
                arguments.get(name).is_some(),
                "the good call of {} does not give {name}",
                tool.name()
            );
        }
    }
}
