//! A call's arguments, from JSON to types that hold only what is allowed.
//!
//! Two steps: [`read`] makes plain arguments of what client programs send, whatever they are, and
//! [`parse`] checks them. A tool's arguments are one struct. Its fields' types carry the bounds,
//! both in the accepted schema and in what is checked, so that the two cannot differ. They can be
//! written out too, because a schema shows its defaults. Every fault names its argument.

mod configs;
mod document;
mod environment;
mod flag;
mod hq_page;
mod int;
mod key_values;
mod list;
mod reading;
mod ruled_name;
mod sort_order;
mod text;
mod topic_size;
mod wording;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use self::key_values::KeyValues;
pub(super) use self::{
    configs::Configs,
    document::{Document, Fields},
    environment::Environment,
    flag::Flag,
    hq_page::{Page, PageSize, first_page, usual_page_size},
    int::{Int, Offset, Partition},
    list::List,
    reading::read,
    ruled_name::{EnvironmentName, KnownEnvironmentName, KubernetesName, TopicName},
    sort_order::SortOrder,
    text::Text,
    topic_size::{Partitions, Replication, one_partition, one_replica},
};

/// What is wrong with a call's arguments.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ArgumentError {
    /// Arguments that the tool does not have.
    #[error("there is no argument {}; the arguments are {}", quoted(given), quoted(known))]
    Unknown {
        /// Those given.
        given: Vec<String>,
        /// Those that the tool has.
        known: Vec<String>,
    },
    /// Arguments that must be given.
    #[error("missing argument {}", quoted(.0))]
    Missing(Vec<String>),
    /// An argument whose value is not allowed.
    #[error("argument `{path}`: {fault}")]
    Value {
        /// The argument, and the place inside it: `configs.retention`.
        path: String,
        /// What is wrong with it.
        fault: String,
    },
    /// Arguments that are good each by itself and not together.
    #[error("{0}")]
    Together(String),
}

impl ArgumentError {
    /// The argument `path` can't be what it is: for what its type alone does not tell.
    pub(super) fn value(path: &str, fault: impl Into<String>) -> Self {
        Self::Value { path: path.to_owned(), fault: fault.into() }
    }
}

fn quoted(names: &[String]) -> String {
    if names.is_empty() {
        return "none".to_owned();
    }
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// Reads `arguments` as `A`, whose schema is `schema`.
///
/// # Errors
///
/// [`ArgumentError`]: all unknown names, else all missing ones, else the first value that is not
/// allowed.
pub(super) fn parse<A: DeserializeOwned>(
    schema: &Map<String, Value>,
    arguments: Map<String, Value>,
) -> Result<A, ArgumentError> {
    let properties = schema.get("properties").and_then(Value::as_object);
    let is_known =
        |name: &String| properties.is_some_and(|properties| properties.contains_key(name));
    let given: Vec<String> =
        arguments.keys().filter(|name| !is_known(name)).map(|name| shortened(name)).collect();
    if !given.is_empty() {
        let known = properties.into_iter().flat_map(Map::keys).cloned().collect();
        return Err(ArgumentError::Unknown { given, known });
    }
    let required = schema
        .get("required")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str);
    let missing: Vec<String> =
        required.filter(|name| !arguments.contains_key(*name)).map(str::to_owned).collect();
    if !missing.is_empty() {
        return Err(ArgumentError::Missing(missing));
    }
    serde_path_to_error::deserialize(Value::Object(arguments)).map_err(|error| {
        let fault = shortened(&wording::in_json(&error.inner().to_string()));
        if error.path().iter().next().is_none() {
            // It is the struct that refuses, not a field of it.
            return ArgumentError::Together(fault);
        }
        ArgumentError::Value { path: shortened(&error.path().to_string()), fault }
    })
}

/// What a caller wrote, short enough for a message.
fn shortened(text: &str) -> String {
    const MOST: usize = 200;
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use schemars::JsonSchema;
    use serde::Deserialize;
    use serde_json::json;

    use super::*;
    use crate::tools::schema;

    #[derive(Debug, Deserialize, JsonSchema)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "read by serde only")]
    struct Arguments {
        environment: Environment,
        partitions: Int<1, 10>,
        #[serde(default)]
        configs: Option<Configs>,
        #[serde(default)]
        sql: Option<Text<5>>,
    }

    fn fault(arguments: &Value) -> String {
        let arguments = arguments.as_object().unwrap().clone();
        parse::<Arguments>(&schema::accepted::<Arguments>(), arguments).unwrap_err().to_string()
    }

    #[test]
    fn every_fault_names_its_argument() {
        for (arguments, message) in [
            (json!({}), "missing argument `environment`, `partitions`"),
            (
                json!({"environment": "e", "topic": 1, "Partitions": 1}),
                "there is no argument `Partitions`, `topic`; the arguments are `configs`, \
                 `environment`, `partitions`, `sql`",
            ),
            (
                json!({"environment": 7, "partitions": 1}),
                "argument `environment`: invalid type: integer `7`, expected a string",
            ),
            (
                json!({"environment": null, "partitions": 1}),
                "argument `environment`: invalid type: null, expected a string",
            ),
            (
                json!({"environment": "", "partitions": 1}),
                "argument `environment`: is empty; give a name",
            ),
            (
                json!({"environment": "..", "partitions": 1}),
                "argument `environment`: is a relative path, which can't be a name",
            ),
            (
                json!({"environment": "e", "partitions": 0}),
                "argument `partitions`: must be from 1 to 10",
            ),
            (
                json!({"environment": "e", "partitions": "11"}),
                "argument `partitions`: must be from 1 to 10",
            ),
            (
                json!({"environment": "e", "partitions": u64::MAX}),
                "argument `partitions`: must be from 1 to 10",
            ),
            (
                json!({"environment": "e", "partitions": 1.5}),
                "argument `partitions`: invalid type: floating point `1.5`, expected a whole \
                 number",
            ),
            (
                json!({"environment": "e", "partitions": "two"}),
                "argument `partitions`: invalid value: string \"two\", expected a whole number",
            ),
            (
                json!({"environment": "e", "partitions": true}),
                "argument `partitions`: invalid type: boolean `true`, expected a whole number",
            ),
            (
                json!({"environment": "e", "partitions": 1, "configs": {"a": 1}}),
                "argument `configs.a`: invalid type: integer `1`, expected a string",
            ),
            (
                json!({"environment": "e", "partitions": 1, "configs": {"a": "\0"}}),
                "argument `configs`: \"a\" or its value holds a control character",
            ),
            (
                json!({"environment": "e", "partitions": 1, "configs": {"": "b"}}),
                "argument `configs`: the name \"\" must have 1 to 255 characters",
            ),
            (
                json!({"environment": "e", "partitions": 1, "sql": "sixsix"}),
                "argument `sql`: is longer than 5 characters",
            ),
            (
                json!({"environment": "e", "partitions": 1, "sql": " \n"}),
                "argument `sql`: is empty",
            ),
            (
                json!({"environment": "e", "partitions": 1, "sql": "a\0"}),
                "argument `sql`: holds a control character",
            ),
        ] {
            assert_eq!(fault(&arguments), message);
        }
    }

    #[test]
    fn numbers_are_taken_as_numbers_and_as_text() {
        for value in [json!(3), json!("3"), json!(" 3 "), json!(3.0)] {
            let arguments = json!({"environment": "e", "partitions": value, "configs": null})
                .as_object()
                .unwrap()
                .clone();
            let arguments: Arguments = parse(&schema::accepted::<Arguments>(), arguments).unwrap();
            assert_eq!(arguments.partitions.get(), 3);
        }
    }
}
