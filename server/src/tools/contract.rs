//! The contract: every tool that prompts and skills written for the Python server rely on, by name,
//! scope and arguments.
//!
//! What is added to the contract is optional: a tool of its own, or an argument that may be left
//! out.

use std::collections::HashSet;

use serde_json::Value;

use super::{Tool, registry};
use crate::scope::Scope::{self, Delete, Read, Write};

/// One tool: name, scope, arguments that must be given, arguments that may be.
type Row = (&'static str, Scope, &'static [&'static str], &'static [&'static str]);

#[rustfmt::skip]
const CONTRACT: [Row; 45] = [
    ("list_environments", Read, &[], &[]),
    ("get_environment", Read, &["name"], &[]),
    ("create_environment", Write, &["name"], &["display_name", "tier", "metadata"]),
    ("check_environment_health", Read, &["name"], &[]),
    ("list_topics", Read, &["environment"], &[]),
    ("get_topic", Read, &["environment", "topic_name"], &[]),
    ("get_topic_partitions", Read, &["environment", "topic_name"], &[]),
    (
        "create_topic", Write, &["environment", "topic_name"],
        &["partitions", "replication", "configs"]
    ),
    (
        "create_topic_with_schema", Write, &["environment", "name"],
        &[
            "partitions", "replication", "configs", "key_format", "key_schema", "value_format",
            "value_schema"
        ]
    ),
    ("update_topic_config", Write, &["environment", "topic_name", "configs"], &[]),
    ("get_topic_broker_configs", Read, &["environment", "topic_name"], &[]),
    ("add_topic_partitions", Write, &["environment", "topic_name", "partitions"], &[]),
    ("resend_message", Write, &["environment", "topic_name", "partition", "offset"], &[]),
    ("list_topic_metadata", Read, &["environment"], &[]),
    ("get_topic_metadata", Read, &["environment", "topic_name"], &[]),
    ("update_topic_metadata", Write, &["environment", "metadata"], &[]),
    (
        "list_datasets", Read, &["environment"],
        &[
            "page", "page_size", "search", "connections", "tags", "sort_field", "sort_order",
            "include_system", "search_fields", "schema_format", "has_records", "is_compacted"
        ]
    ),
    ("get_dataset", Read, &["environment", "connection", "dataset"], &[]),
    ("get_dataset_message_metrics", Read, &["environment", "entity_name"], &[]),
    ("update_dataset_topic_description", Write, &["environment", "topic_name"], &["description"]),
    ("update_dataset_topic_tags", Write, &["environment", "topic_name", "tags"], &[]),
    ("list_kafka_connectors", Read, &["environment"], &["cluster", "class_name"]),
    (
        "get_kafka_connector_target_definition", Read,
        &["environment", "connect_cluster_name", "connector_name"], &[]
    ),
    ("create_kafka_connector", Write, &["environment", "name", "cluster", "configuration"], &[]),
    (
        "set_action_on_kafka_connector", Write, &["environment", "cluster", "connector", "action"],
        &[]
    ),
    (
        "restart_kafka_connector_task", Write, &["environment", "cluster", "connector", "task_id"],
        &[]
    ),
    ("delete_kafka_connector", Delete, &["environment", "cluster", "connector"], &[]),
    (
        "validate_connector_configuration", Read,
        &["environment", "name", "cluster", "configuration"], &[]
    ),
    ("list_consumer_groups", Read, &["environment"], &[]),
    ("list_consumer_groups_by_topic", Read, &["environment", "topic"], &[]),
    (
        "update_consumer_group_offsets", Write, &["environment", "group_id", "topics", "reset_to"],
        &["target"]
    ),
    ("delete_consumer_group_offsets", Delete, &["environment", "group_id", "topics"], &[]),
    (
        "update_consumer_partition_offset", Write,
        &["environment", "group_id", "topic", "partition", "offset"], &[]
    ),
    (
        "delete_consumer_partition_offset", Delete,
        &["environment", "group_id", "topic", "partition"], &[]
    ),
    ("delete_consumer_group", Delete, &["environment", "group_id"], &[]),
    ("execute_sql", Read, &["environment", "sql"], &[]),
    ("list_sql_processors", Read, &["environment"], &[]),
    ("get_sql_processor", Read, &["environment", "sql_processor_id"], &[]),
    (
        "create_sql_processor", Write, &["environment", "name", "sql"],
        &["deployment", "sql_processor_id", "description", "tags"]
    ),
    ("delete_sql_processor", Delete, &["environment", "sql_processor_id"], &[]),
    ("get_deployment_targets", Read, &["environment"], &[]),
    ("get_pod_logs", Read, &["environment", "cluster", "namespace", "pod"], &[]),
    (
        "request_topic_creation", Write, &["environment", "topic_name", "reason"],
        &[
            "partitions", "replication", "configs", "tags", "records_size", "data_produced_per_day",
            "consumers"
        ]
    ),
    (
        "list_approval_requests", Read, &["environment"],
        &["statuses", "entity_name", "page", "page_size", "sort_field", "sort_order"]
    ),
    ("get_approval_request", Read, &["environment", "request_id"], &[]),
];

fn names<'a>(names: impl IntoIterator<Item = &'a str>) -> HashSet<&'a str> {
    names.into_iter().collect()
}

#[test]
fn the_contract_is_kept_name_by_name_and_argument_by_argument() {
    for (name, scope, required, optional) in CONTRACT {
        let tool = registry().find(name).unwrap_or_else(|| panic!("{name} is missing"));
        let schema = serde_json::to_value(tool.listing()).unwrap()["inputSchema"].clone();
        let arguments = names(schema["properties"].as_object().unwrap().keys().map(String::as_str));
        let missing: Vec<_> =
            required.iter().chain(optional).filter(|name| !arguments.contains(**name)).collect();
        assert!(missing.is_empty(), "{name} lacks {missing:?}");
        let needed =
            names(schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str));
        assert_eq!(needed, names(required.iter().copied()), "required arguments of {name}");
        assert_eq!(tool.required_scopes(None), scope.into(), "scope of {name}");
    }
}

#[test]
fn every_tool_has_a_name_of_its_own() {
    let tools: Vec<_> = registry().iter().map(Tool::name).collect();
    assert_eq!(names(tools.iter().copied()).len(), tools.len());
}
