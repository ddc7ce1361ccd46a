//! The tools: what a model can see and do in Lenses.
//!
//! A tool is one struct of arguments, one function and one entry in its domain's `tools()`. From
//! the entry come the listing, the schemas, the annotations, the scope and the metrics label:
//!
//! ```text
//! entry ─▶ listing (name, title, schemas)          shown to those whose scopes allow a call
//! call  ─▶ arguments::read                         what client programs send, made plain
//!       ─▶ required_scopes                         checked before the call
//!       ─▶ arguments::parse ─▶ function ─▶ output  nothing is sent before the arguments hold
//! ```
//!
//! Names, arguments and result shapes are a contract that prompts and skills rely on.

mod approvals;
mod arguments;
mod asked;
mod call;
mod connectors;
mod consumer_groups;
#[cfg(test)]
mod contract;
mod datasets;
mod definition;
mod deployments;
mod effect;
mod environments;
mod error;
#[cfg(test)]
mod fuzz;
mod masking;
mod outcome;
mod output;
mod page;
mod processors;
mod progress;
mod result;
mod schema;
mod server;
mod sql;
mod statement;
mod target;
mod topic_metadata;
mod topics;
mod unavailable;

use std::{collections::HashMap, sync::LazyLock};

use serde_json::{Map, Value};

pub use self::{
    arguments::ArgumentError,
    asked::{Checks, Offer},
    call::{Call, Limits},
    definition::{Prepared, Tool},
    effect::Effect,
    error::ToolError,
    outcome::Outcome,
    progress::{Progress, ProgressUpdate, ProgressUpdates},
    result::ToolResult,
    statement::StatementSummary,
    target::{Statement, Target, TargetObject},
    unavailable::{Denied, Unavailable},
};
use crate::scope::ScopeSet;

/// A domain of tools: its name, and what makes its tools.
type Group = (&'static str, fn() -> Vec<Tool>);

/// The groups, in the order in which they are listed.
const GROUPS: &[Group] = &[
    ("environments", environments::tools),
    ("topics", topics::tools),
    ("topic-metadata", topic_metadata::tools),
    ("datasets", datasets::tools),
    ("connectors", connectors::tools),
    ("consumer-groups", consumer_groups::tools),
    ("sql", sql::tools),
    ("processors", processors::tools),
    ("deployments", deployments::tools),
    ("approvals", approvals::tools),
    ("server", server::tools),
];

/// All tools of this server.
#[derive(Debug)]
pub struct Registry {
    tools: Vec<Tool>,
    by_name: HashMap<&'static str, usize>,
}

/// The registry. Made at the first use and never changed.
#[must_use]
pub fn registry() -> &'static Registry {
    static REGISTRY: LazyLock<Registry> = LazyLock::new(Registry::new);
    &REGISTRY
}

/// The scopes that a call of the tool `name` needs; `None` when there is no such tool. For
/// `execute_sql` they depend on the statement.
#[must_use]
pub fn required_scopes(name: &str, arguments: Option<&Map<String, Value>>) -> Option<ScopeSet> {
    registry().find(name).map(|tool| tool.required_scopes(arguments))
}

impl Registry {
    fn new() -> Self {
        let tools: Vec<Tool> = GROUPS
            .iter()
            .flat_map(|(group, tools)| tools().into_iter().map(|tool| tool.in_group(group)))
            .collect();
        let by_name =
            tools.iter().enumerate().map(|(position, tool)| (tool.name(), position)).collect();
        Self { tools, by_name }
    }

    /// The tool called `name`.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&Tool> {
        self.by_name.get(name).and_then(|position| self.tools.get(*position))
    }

    /// The names of the groups, in the order in which they are listed.
    pub fn groups(&self) -> impl Iterator<Item = &'static str> {
        GROUPS.iter().map(|(group, _)| *group)
    }

    /// Every tool, always in the same order: by domain, and in it from looking to deleting.
    pub fn iter(&self) -> impl Iterator<Item = &Tool> {
        self.tools.iter()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::scope::Scope;

    fn listing(tool: &Tool) -> Value {
        serde_json::to_value(tool.listing()).unwrap()
    }

    fn assert_bounded(schema: &Map<String, Value>, argument: &str) {
        if schema.contains_key("enum") {
            return;
        }
        let bounds: &[&str] = match schema["type"].as_str().unwrap() {
            "boolean" => &[],
            "string" => &["minLength", "maxLength"],
            "integer" => &["minimum", "maximum"],
            "object" => &["maxProperties"],
            "array" => &["maxItems"],
            other => panic!("{argument} is of type {other}"),
        };
        for bound in bounds {
            assert!(schema[*bound].is_i64(), "{argument} has no {bound}");
        }
    }

    #[test]
    fn every_tool_is_described_closed_bounded_and_annotated() {
        for tool in registry().iter() {
            let (name, listing) = (tool.name(), listing(tool));
            assert!(name.len() <= 46, "{name} is too long for some clients");
            assert!(
                listing["title"].as_str().is_some_and(|title| !title.is_empty()),
                "{name} has no title"
            );
            assert!(
                listing["description"].as_str().is_some_and(|text| text.len() > 40),
                "{name} is not described"
            );
            for hint in ["readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint"] {
                assert!(listing["annotations"][hint].is_boolean(), "{name} does not say {hint}");
            }
            let accepted = Value::Object(tool.accepted().clone());
            assert_eq!(accepted["additionalProperties"], false, "{name} takes unknown arguments");
            for (argument, schema) in accepted["properties"].as_object().unwrap() {
                assert!(schema["description"].is_string(), "{name}.{argument} is not described");
                for way in schema::alternatives(schema.as_object().unwrap()) {
                    assert_bounded(way, &format!("{name}.{argument}"));
                }
            }
            assert_eq!(listing["outputSchema"]["type"], "object", "{name}");
        }
    }

    #[test]
    fn the_scope_follows_from_what_a_call_does() {
        let settings = |key: &str| json!({"configs": [{"key": key, "value": "1"}]});
        for (name, arguments, scopes) in [
            ("whoami", json!({}), vec![]),
            ("list_topics", json!({}), vec![Scope::Read]),
            ("check_environment_health", json!({}), vec![Scope::Read]),
            ("create_topic", json!({}), vec![Scope::Write]),
            ("delete_consumer_group", json!({}), vec![Scope::Delete]),
            ("execute_sql", json!({"sql": "SELECT * FROM t"}), vec![Scope::Read]),
            (
                "execute_sql",
                json!({"sql": "SELECT 1; DROP TABLE t"}),
                vec![Scope::Read, Scope::Delete],
            ),
            ("execute_sql", json!({"sql": "FROBNICATE"}), Scope::ALL.to_vec()),
            ("update_topic_config", settings("compression.type"), vec![Scope::Write]),
            ("update_topic_config", settings("retention.ms"), vec![Scope::Write, Scope::Delete]),
            ("create_sql_processor", json!({}), vec![Scope::Write]),
            (
                "create_sql_processor",
                json!({"sql": "INSERT INTO t SELECT STREAM * FROM s"}),
                vec![Scope::Read, Scope::Write],
            ),
            (
                "create_sql_processor",
                json!({"sql": "DROP TABLE t"}),
                vec![Scope::Write, Scope::Delete],
            ),
        ] {
            assert_eq!(
                required_scopes(name, arguments.as_object()),
                Some(scopes.into_iter().collect()),
                "{name}"
            );
        }
        assert_eq!(required_scopes("rm_rf", None), None);
    }

    #[test]
    fn annotations_agree_with_scopes() {
        for tool in registry().iter() {
            let annotations = &listing(tool)["annotations"];
            let only_reads = tool.name() == "whoami"
                || tool.name() != "execute_sql" && tool.required_scopes(None) == Scope::Read.into();
            assert_eq!(annotations["readOnlyHint"], only_reads, "{}", tool.name());
            // What overwrites is destructive too (MCP), and it is what can be repeated without
            // another effect.
            let overwrites = !only_reads && annotations["idempotentHint"] == true;
            let may_delete = tool.name() == "execute_sql" || tool.further_scopes().is_some();
            assert_eq!(annotations["destructiveHint"], may_delete || overwrites, "{}", tool.name());
            assert!(
                overwrites || !tool.required_scopes(None).contains(Scope::Delete),
                "{}",
                tool.name()
            );
        }
    }
}
