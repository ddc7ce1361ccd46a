//! A call's arguments, from JSON to types that hold only what is allowed.
//!
//! A tool's arguments are one struct. Its fields' types carry the bounds, both in the schema that a client sees and in
//! what is accepted, so the two cannot differ. They can be written out too, because a schema shows its defaults.
//! Every fault names its argument.

use std::{borrow::Cow, collections::BTreeMap, fmt, ops::Deref};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{DeserializeOwned, Error as _, Visitor},
};
use serde_json::{Map, Value};

use crate::lenses::Name;

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
/// [`ArgumentError`]: all unknown names, else all missing ones, else the first value that is not allowed.
pub(super) fn parse<A: DeserializeOwned>(
    schema: &Map<String, Value>,
    arguments: Map<String, Value>,
) -> Result<A, ArgumentError> {
    let properties = schema.get("properties").and_then(Value::as_object);
    let is_known = |name: &String| properties.is_some_and(|properties| properties.contains_key(name));
    let given: Vec<String> = arguments.keys().filter(|name| !is_known(name)).map(|name| shortened(name)).collect();
    if !given.is_empty() {
        let known = properties.into_iter().flat_map(Map::keys).cloned().collect();
        return Err(ArgumentError::Unknown { given, known });
    }
    let required = schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    let missing: Vec<String> = required.filter(|name| !arguments.contains_key(*name)).map(str::to_owned).collect();
    if !missing.is_empty() {
        return Err(ArgumentError::Missing(missing));
    }
    serde_path_to_error::deserialize(Value::Object(arguments)).map_err(|error| ArgumentError::Value {
        path: shortened(&error.path().to_string()),
        fault: shortened(&error.inner().to_string()),
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

/// The name of an environment: the argument that nearly every tool has.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Environment(Name);

impl Deref for Environment {
    type Target = Name;

    fn deref(&self) -> &Name {
        &self.0
    }
}

impl JsonSchema for Environment {
    fn schema_name() -> Cow<'static, str> {
        "Environment".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = Name::json_schema(generator);
        schema.insert("description".to_owned(), "Name of the environment, as list_environments shows it.".into());
        schema
    }
}

/// A whole number within bounds. A text that holds one is taken too: some clients send all arguments as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(super) struct Int<const MIN: i64, const MAX: i64>(i64);

impl<const MIN: i64, const MAX: i64> Int<MIN, MAX> {
    /// `value`, moved to the nearest bound: for defaults.
    pub(super) const fn clamped(value: i64) -> Self {
        if value < MIN {
            Self(MIN)
        } else if value > MAX {
            Self(MAX)
        } else {
            Self(value)
        }
    }

    pub(super) const fn get(self) -> i64 {
        self.0
    }
}

impl<'de, const MIN: i64, const MAX: i64> Deserialize<'de> for Int<MIN, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Whole;

        impl Visitor<'_> for Whole {
            type Value = i64;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a whole number")
            }

            fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<i64, E> {
                Ok(value)
            }

            fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<i64, E> {
                // Larger than any bound.
                Ok(i64::try_from(value).unwrap_or(i64::MAX))
            }

            fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<i64, E> {
                // JSON Schema's `integer` holds 3.0 too. Whole numbers past 2^53 are not told apart by a double.
                const EXACT: f64 = 9_007_199_254_740_992.0;
                #[expect(clippy::cast_possible_truncation, reason = "checked to be whole and within an i64")]
                if value.fract() == 0.0 && value.abs() <= EXACT {
                    Ok(value as i64)
                } else {
                    Err(E::invalid_type(serde::de::Unexpected::Float(value), &self))
                }
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<i64, E> {
                text.trim().parse().map_err(|_| E::invalid_value(serde::de::Unexpected::Str(text), &self))
            }
        }

        let value = deserializer.deserialize_any(Whole)?;
        if (MIN..=MAX).contains(&value) {
            Ok(Self(value))
        } else {
            Err(D::Error::custom(format_args!("must be from {MIN} to {MAX}")))
        }
    }
}

impl<const MIN: i64, const MAX: i64> JsonSchema for Int<MIN, MAX> {
    fn schema_name() -> Cow<'static, str> {
        format!("Int_{MIN}_{MAX}").into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "minimum": MIN, "maximum": MAX })
    }
}

/// A text of 1 to `MAX` characters. Line breaks and tabs are text; other control characters are not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Text<const MAX: usize>(String);

impl<const MAX: usize> Text<MAX> {
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl<const MAX: usize> TryFrom<String> for Text<MAX> {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if text.trim().is_empty() {
            Err("is empty".to_owned())
        } else if text.chars().nth(MAX).is_some() {
            Err(format!("is longer than {MAX} characters"))
        } else if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
            Err("holds a control character".to_owned())
        } else {
            Ok(Self(text))
        }
    }
}

impl<const MAX: usize> JsonSchema for Text<MAX> {
    fn schema_name() -> Cow<'static, str> {
        format!("Text_{MAX}").into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "minLength": 1, "maxLength": MAX })
    }
}

/// Settings by name, text to text.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(try_from = "BTreeMap<String, String>")]
pub(super) struct Configs(BTreeMap<String, String>);

const MAX_CONFIGS: usize = 100;
const MAX_CONFIG_KEY: usize = 255;
const MAX_CONFIG_VALUE: usize = 10_000;

impl Configs {
    pub(super) fn into_map(self) -> BTreeMap<String, String> {
        self.0
    }
}

impl TryFrom<BTreeMap<String, String>> for Configs {
    type Error = String;

    fn try_from(configs: BTreeMap<String, String>) -> Result<Self, String> {
        if configs.len() > MAX_CONFIGS {
            return Err(format!("has more than {MAX_CONFIGS} entries"));
        }
        for (key, value) in &configs {
            let key = shortened(key);
            if key.trim().is_empty() || key.chars().nth(MAX_CONFIG_KEY).is_some() {
                return Err(format!("the name {key:?} must have 1 to {MAX_CONFIG_KEY} characters"));
            }
            if value.chars().nth(MAX_CONFIG_VALUE).is_some() {
                return Err(format!("the value of {key:?} is longer than {MAX_CONFIG_VALUE} characters"));
            }
            if key.chars().chain(value.chars()).any(char::is_control) {
                return Err(format!("{key:?} or its value holds a control character"));
            }
        }
        Ok(Self(configs))
    }
}

impl JsonSchema for Configs {
    fn schema_name() -> Cow<'static, str> {
        "Configs".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "object",
            "additionalProperties": { "type": "string", "maxLength": MAX_CONFIG_VALUE },
            "propertyNames": { "minLength": 1, "maxLength": MAX_CONFIG_KEY },
            "maxProperties": MAX_CONFIGS,
        })
    }
}

#[cfg(test)]
mod tests {
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
        parse::<Arguments>(&schema::of::<Arguments>(), arguments).unwrap_err().to_string()
    }

    #[test]
    fn every_fault_names_its_argument() {
        for (arguments, message) in [
            (json!({}), "missing argument `environment`, `partitions`"),
            (
                json!({"environment": "e", "topic": 1, "Partitions": 1}),
                "there is no argument `Partitions`, `topic`; the arguments are `configs`, `environment`, `partitions`, `sql`",
            ),
            (
                json!({"environment": 7, "partitions": 1}),
                "argument `environment`: invalid type: integer `7`, expected a string",
            ),
            (
                json!({"environment": null, "partitions": 1}),
                "argument `environment`: invalid type: null, expected a string",
            ),
            (json!({"environment": "", "partitions": 1}), "argument `environment`: is empty; give a name"),
            (
                json!({"environment": "..", "partitions": 1}),
                "argument `environment`: is a relative path, which can't be a name",
            ),
            (json!({"environment": "e", "partitions": 0}), "argument `partitions`: must be from 1 to 10"),
            (json!({"environment": "e", "partitions": "11"}), "argument `partitions`: must be from 1 to 10"),
            (json!({"environment": "e", "partitions": u64::MAX}), "argument `partitions`: must be from 1 to 10"),
            (
                json!({"environment": "e", "partitions": 1.5}),
                "argument `partitions`: invalid type: floating point `1.5`, expected a whole number",
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
            (json!({"environment": "e", "partitions": 1, "sql": " \n"}), "argument `sql`: is empty"),
            (json!({"environment": "e", "partitions": 1, "sql": "a\0"}), "argument `sql`: holds a control character"),
        ] {
            assert_eq!(fault(&arguments), message);
        }
    }

    #[test]
    fn numbers_are_taken_as_numbers_and_as_text() {
        for value in [json!(3), json!("3"), json!(" 3 "), json!(3.0)] {
            let arguments =
                json!({"environment": "e", "partitions": value, "configs": null}).as_object().unwrap().clone();
            let arguments: Arguments = parse(&schema::of::<Arguments>(), arguments).unwrap();
            assert_eq!(arguments.partitions.get(), 3);
        }
    }
}
