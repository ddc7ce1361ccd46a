//! What a call is about, in names: the environment, the objects in it, and the kind of statement.
//!
//! Only arguments that name something are looked at. Nothing else of a call is repeated.

use std::borrow::Cow;

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::{Tool, statement};

/// Most objects that are named.
const OBJECTS_MAX: usize = 8;

/// Tools, and the arguments that name what they are about.
const OBJECTS: &[(&str, &[(&str, &str)])] = &[
    ("get_approval_request", &[("approval_request", "request_id")]),
    ("request_topic_creation", &[("topic", "topic_name")]),
    (
        "get_kafka_connector_target_definition",
        &[("connect_cluster", "connect_cluster_name"), ("connector", "connector_name")],
    ),
    ("validate_connector_configuration", CONNECTOR_BY_NAME),
    ("create_kafka_connector", CONNECTOR_BY_NAME),
    ("set_action_on_kafka_connector", CONNECTOR),
    ("restart_kafka_connector_task", CONNECTOR),
    ("delete_kafka_connector", CONNECTOR),
    ("list_consumer_groups_by_topic", &[("topic", "topic")]),
    ("get_consumer_group_lag", GROUP),
    ("find_lagging_consumer_groups", &[("topic", "topic")]),
    ("delete_consumer_group", GROUP),
    ("update_consumer_group_offsets", GROUP_AND_TOPICS),
    ("update_consumer_partition_offset", GROUP),
    ("delete_consumer_group_offsets", GROUP_AND_TOPICS),
    ("delete_consumer_partition_offset", GROUP),
    ("get_dataset", &[("connection", "connection"), ("dataset", "dataset")]),
    ("get_dataset_message_metrics", &[("dataset", "entity_name")]),
    ("update_dataset_topic_description", TOPIC),
    ("update_dataset_topic_tags", TOPIC),
    ("get_pod_logs", &[("namespace", "namespace"), ("pod", "pod")]),
    ("get_sql_processor", PROCESSOR),
    ("create_sql_processor", &[("sql_processor", "name")]),
    ("delete_sql_processor", PROCESSOR),
    ("get_topic_metadata", TOPIC),
    ("update_topic_metadata", &[("topic", "metadata/topicName")]),
    ("get_topic", TOPIC),
    ("get_topic_partitions", TOPIC),
    ("get_topic_broker_configs", TOPIC),
    ("create_topic", TOPIC),
    ("create_topic_with_schema", &[("topic", "name")]),
    ("update_topic_config", TOPIC),
    ("add_topic_partitions", TOPIC),
    ("resend_message", TOPIC),
];
const TOPIC: &[(&str, &str)] = &[("topic", "topic_name")];
const GROUP: &[(&str, &str)] = &[("consumer_group", "group_id"), ("topic", "topic")];
const GROUP_AND_TOPICS: &[(&str, &str)] = &[("consumer_group", "group_id"), ("topic", "topics")];
const CONNECTOR: &[(&str, &str)] = &[("connect_cluster", "cluster"), ("connector", "connector")];
const CONNECTOR_BY_NAME: &[(&str, &str)] = &[("connect_cluster", "cluster"), ("connector", "name")];
const PROCESSOR: &[(&str, &str)] = &[("sql_processor", "sql_processor_id")];

/// What a call is about.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Target<'a> {
    /// The environment.
    pub environment: Option<&'a str>,
    /// The first objects.
    pub objects: Vec<TargetObject<'a>>,
    /// How many further objects there are.
    pub omitted: usize,
    /// The SQL statement, if the call has one.
    pub statement: Option<Statement>,
}

/// Something that a call names.
#[derive(Debug, PartialEq, Eq)]
pub struct TargetObject<'a> {
    /// What it is.
    pub kind: &'static str,
    /// Its name.
    pub name: Cow<'a, str>,
}

/// A SQL statement, without its text.
#[derive(Debug, PartialEq, Eq)]
pub struct Statement {
    /// Its verbs.
    pub classes: Vec<&'static str>,
    /// The SHA-256 of its text, in hex.
    pub sha256: String,
}

impl Tool {
    /// What a call with `arguments` is about.
    #[must_use]
    pub fn target<'a>(&self, arguments: &'a Map<String, Value>) -> Target<'a> {
        let mut target =
            Target { environment: self.environment(Some(arguments)), ..Target::default() };
        let named = OBJECTS.iter().find(|(tool, _)| *tool == self.name());
        for (kind, argument) in named.map_or(&[][..], |(_, named)| named) {
            match value(arguments, argument) {
                Some(Value::String(name)) => target.add(kind, name.into()),
                Some(Value::Array(items)) => {
                    for name in items.iter().filter_map(Value::as_str) {
                        target.add(kind, name.into());
                    }
                }
                _ => {}
            }
        }
        if self.has_argument("sql")
            && let Some(sql) = arguments.get("sql").and_then(Value::as_str)
        {
            let classes = statement::mentions(sql, |table| target.add("table", table));
            target.statement = Some(Statement { classes, sha256: hex(sql) });
        }
        target
    }
}

impl<'a> Target<'a> {
    fn add(&mut self, kind: &'static str, name: Cow<'a, str>) {
        let object = TargetObject { kind, name };
        if self.objects.contains(&object) {
            return;
        }
        if self.objects.len() < OBJECTS_MAX {
            self.objects.push(object);
        } else {
            self.omitted += 1;
        }
    }
}

/// The argument at `path`: names with `/` between them.
fn value<'a>(arguments: &'a Map<String, Value>, path: &str) -> Option<&'a Value> {
    match path.split_once('/') {
        None => arguments.get(path),
        Some((first, rest)) => arguments.get(first)?.get(rest),
    }
}

fn hex(text: &str) -> String {
    use std::fmt::Write as _;
    Sha256::digest(text.as_bytes()).iter().fold(String::with_capacity(64), |mut hex, byte| {
        // Writing to a string does not fail.
        let _infallible = write!(hex, "{byte:02x}");
        hex
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::tools::registry;

    /// Tools that are about an environment as a whole, or about none.
    const ABOUT_NOTHING_ELSE: &[&str] = &[
        "list_environments",
        "get_environment",
        "check_environment_health",
        "create_environment",
        "list_topics",
        "list_topic_metadata",
        "list_datasets",
        "list_kafka_connectors",
        "list_consumer_groups",
        "execute_sql",
        "list_sql_processors",
        "get_deployment_targets",
        "list_approval_requests",
        "whoami",
        "diagnose",
    ];

    #[test]
    fn every_tool_says_what_it_is_about() {
        for tool in registry().iter() {
            let named = OBJECTS.iter().find(|(name, _)| *name == tool.name());
            assert_ne!(
                named.is_some(),
                ABOUT_NOTHING_ELSE.contains(&tool.name()),
                "{}: add what it is about to OBJECTS, or to ABOUT_NOTHING_ELSE",
                tool.name()
            );
            let names_something = named
                .is_none_or(|(_, named)| tool.has_argument(named[0].1.split('/').next().unwrap()));
            assert!(names_something, "{}", tool.name());
        }
        for (tool, _) in OBJECTS {
            assert!(registry().find(tool).is_some(), "{tool}");
        }
    }

    #[test]
    fn a_target_names_objects_and_repeats_nothing_else() {
        let topics: Vec<_> = (0..10).map(|number| format!("t{number}")).collect();
        for (tool, arguments, environment, objects, omitted) in [
            (
                "update_topic_config",
                json!({ "environment": "dev", "topic_name": "t", "configs": [{ "key": "k" }] }),
                Some("dev"),
                vec![("topic", "t")],
                0,
            ),
            ("get_environment", json!({ "name": "dev" }), Some("dev"), vec![], 0),
            (
                "update_topic_metadata",
                json!({ "environment": "dev", "metadata": { "topicName": "t", "tags": [] } }),
                Some("dev"),
                vec![("topic", "t")],
                0,
            ),
            (
                "delete_consumer_group_offsets",
                json!({ "environment": "dev", "group_id": "g", "topics": topics }),
                Some("dev"),
                ["g", "t0", "t1", "t2", "t3", "t4", "t5", "t6"]
                    .map(|name| (if name == "g" { "consumer_group" } else { "topic" }, name))
                    .to_vec(),
                3,
            ),
            ("delete_consumer_group", json!({ "group_id": 7 }), None, vec![], 0),
        ] {
            let tool = registry().find(tool).unwrap();
            let target = tool.target(arguments.as_object().unwrap());
            let found: Vec<_> =
                target.objects.iter().map(|object| (object.kind, &*object.name)).collect();
            assert_eq!(
                (target.environment, found, target.omitted),
                (environment, objects, omitted)
            );
            assert_eq!(target.statement, None);
        }
    }

    #[test]
    fn a_statement_is_known_by_its_verbs_tables_and_digest() {
        let tool = registry().find("execute_sql").unwrap();
        let arguments = json!({ "environment": "dev", "sql": "DROP TABLE payments" });
        let target = tool.target(arguments.as_object().unwrap());
        assert_eq!(target.objects, [TargetObject { kind: "table", name: "payments".into() }]);
        let digest = "f2944385416be6ce2b6112dc780cce2135737f15c1b6a769071fe522756bcd7e";
        let statement = target.statement.unwrap();
        assert_eq!(statement.classes, ["DROP"]);
        assert_eq!(statement.sha256, digest);
    }
}
