//! JSON Schemas: what a call of a tool may hold, what of it is published, and what results meet.
//!
//! The *accepted* schema of a tool's arguments tells all that the server checks: it is closed, and
//! every value has a bound. Client programs hand a schema on to the model's vendor, and each vendor
//! refuses other keywords. What is *published* is therefore the part of the accepted schema that
//! all of them take (`tests/mcp/vendors.rs` holds their rules). The checks stay in the server.

use schemars::{JsonSchema, Schema, SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value, json};

/// The keywords that every vendor takes.
const PUBLISHED: [&str; 9] = [
    "type",
    "description",
    "properties",
    "required",
    "items",
    "enum",
    "minimum",
    "maximum",
    "default",
];

/// What the arguments `A` may hold.
pub(super) fn accepted<A: JsonSchema>() -> Map<String, Value> {
    finished(
        SchemaSettings::draft2020_12().for_deserialize(),
        A::schema_name(),
        SchemaGenerator::into_root_schema_for::<A>,
    )
}

/// The schema of `T` as it is written out, without words: results explain themselves, and the list
/// of tools is long enough.
pub(super) fn of_output<T: JsonSchema>() -> Map<String, Value> {
    let settings = SchemaSettings::draft2020_12().for_serialize();
    let mut schema =
        finished(settings, T::schema_name(), SchemaGenerator::into_root_schema_for::<T>);
    without_words(&mut schema);
    schema
}

fn without_words(schema: &mut Map<String, Value>) {
    schema.remove("description");
    for keyword in ["properties", "items", "anyOf"] {
        match schema.get_mut(keyword) {
            Some(Value::Object(items)) if keyword == "items" => without_words(items),
            Some(Value::Object(properties)) => {
                properties.values_mut().filter_map(Value::as_object_mut).for_each(without_words);
            }
            Some(Value::Array(schemas)) => {
                schemas.iter_mut().filter_map(Value::as_object_mut).for_each(without_words);
            }
            _ => {}
        }
    }
}

/// The part of `accepted` that every vendor takes. An argument that may be null is its plain type,
/// and one that may be written in several ways is shown in the first of them.
pub(super) fn published(accepted: &Map<String, Value>) -> Map<String, Value> {
    let shown = alternatives(accepted).next().unwrap_or(accepted);
    let parts = PUBLISHED.iter().filter_map(|keyword| {
        // What is said of all alternatives stands beside them.
        let value = accepted.get(*keyword).or_else(|| shown.get(*keyword))?;
        let is_left_out = value.is_null() || *keyword == "maximum" && is_beyond_use(value);
        (!is_left_out).then(|| ((*keyword).to_owned(), part(keyword, value)))
    });
    parts.collect()
}

/// Whether a bound is so large that no model comes near it.
fn is_beyond_use(maximum: &Value) -> bool {
    maximum.as_i64().is_some_and(|maximum| maximum >= 10_000)
}

fn part(keyword: &str, value: &Value) -> Value {
    match (keyword, value) {
        ("properties", Value::Object(properties)) => {
            let published = |(name, schema): (&String, &Value)| {
                Some((name.clone(), Value::Object(published(schema.as_object()?))))
            };
            properties.iter().filter_map(published).collect()
        }
        ("items", Value::Object(items)) => published(items).into(),
        // A line break of the source.
        ("description", Value::String(text)) => text.replace('\n', " ").into(),
        _ => value.clone(),
    }
}

/// The ways in which a value that meets `schema` can be written, null apart.
pub(super) fn alternatives(
    schema: &Map<String, Value>,
) -> impl Iterator<Item = &Map<String, Value>> {
    let any_of = schema.get("anyOf").and_then(Value::as_array);
    let itself = any_of.is_none().then_some(schema);
    let alternatives = any_of.into_iter().flatten().filter_map(Value::as_object);
    alternatives.filter(|schema| schema.get("type") != Some(&json!("null"))).chain(itself)
}

fn finished(
    settings: SchemaSettings,
    type_name: impl AsRef<str>,
    schema: impl FnOnce(SchemaGenerator) -> Schema,
) -> Map<String, Value> {
    let settings = settings.with(|settings| {
        settings.inline_subschemas = true;
        settings.meta_schema = None;
    });
    let mut root = match schema(settings.into_generator()).to_value() {
        Value::Object(root) => root,
        // `true`: anything goes.
        _ => Map::new(),
    };
    // The name of a Rust type is no title.
    if root.get("title").and_then(Value::as_str) == Some(type_name.as_ref()) {
        root.remove("title");
    }
    root.entry("type").or_insert_with(|| "object".into());
    if root.get("type").and_then(Value::as_str) == Some("object") {
        root.entry("properties").or_insert_with(|| json!({}));
    }
    let mut root = Value::Object(root);
    rewrite(&mut root);
    match root {
        Value::Object(root) => root,
        _ => Map::new(),
    }
}

/// Rewrites what some clients stumble over: `format: uint…`, which no vocabulary defines, and
/// `type: [T, "null"]`, which becomes `anyOf: [T, null]`. An optional value of several kinds is one
/// list of them.
fn rewrite(schema: &mut Value) {
    match schema {
        Value::Array(items) => items.iter_mut().for_each(rewrite),
        Value::Object(object) => {
            object.values_mut().for_each(rewrite);
            if object.get("format").and_then(Value::as_str).is_some_and(|format| {
                format.starts_with("uint")
                    || format.starts_with("int")
                    || matches!(format, "double" | "float")
            }) {
                object.remove("format");
            }
            if let Some(Value::Array(alternatives)) = object.get_mut("anyOf") {
                *alternatives = std::mem::take(alternatives).into_iter().flat_map(inner).collect();
            }
            if let Some(plain) = non_null_type(object) {
                let mut outer = Map::new();
                for keyword in ["title", "description", "default"] {
                    if let Some(value) = object.remove(keyword) {
                        outer.insert(keyword.to_owned(), value);
                    }
                }
                object.insert("type".to_owned(), plain);
                if let Some(Value::Array(values)) = object.get_mut("enum") {
                    values.retain(|value| !value.is_null());
                }
                let inner = std::mem::take(object);
                outer.insert("anyOf".to_owned(), json!([inner, { "type": "null" }]));
                *object = outer;
            }
        }
        _ => {}
    }
}

/// The alternatives of which `schema` only is the list; else itself.
fn inner(schema: Value) -> Vec<Value> {
    match schema {
        Value::Object(mut object) if object.len() == 1 => match object.remove("anyOf") {
            Some(Value::Array(alternatives)) => alternatives,
            Some(other) => vec![json!({ "anyOf": other })],
            None => vec![Value::Object(object)],
        },
        other => vec![other],
    }
}

/// `T` of `type: [T, "null"]`.
fn non_null_type(schema: &Map<String, Value>) -> Option<Value> {
    let types = schema.get("type")?.as_array()?;
    match types.as_slice() {
        [plain, null] | [null, plain] if null == "null" => Some(plain.clone()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;
    use crate::tools::arguments::{Configs, Int, SortOrder, Text};

    #[derive(Deserialize, JsonSchema)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only its schema is looked at")]
    struct Arguments {
        /// How many.
        count: u32,
        /// Settings.
        #[serde(default)]
        configs: Option<Configs>,
        /// A statement.
        #[serde(default)]
        sql: Option<Text<9>>,
        #[serde(default = "three")]
        factor: Int<1, 5>,
        #[serde(default)]
        order: Option<SortOrder>,
    }

    fn three() -> Int<1, 5> {
        Int::clamped(3)
    }

    #[test]
    fn an_accepted_schema_is_closed_and_tells_every_bound() {
        let accepted = Value::Object(accepted::<Arguments>());
        assert_eq!(accepted["additionalProperties"], false);
        assert_eq!(
            accepted["properties"]["sql"],
            json!({
                "description": "A statement.",
                "anyOf": [{ "type": "string", "minLength": 1, "maxLength": 9 }, { "type": "null" }],
                "default": null,
            })
        );
        let configs = accepted["properties"]["configs"]["anyOf"].as_array().unwrap();
        let kinds: Vec<_> = configs.iter().map(|way| way["type"].as_str().unwrap()).collect();
        assert_eq!(kinds, ["array", "object", "null"]);
    }

    #[test]
    fn a_published_schema_has_plain_types_and_no_null() {
        assert_eq!(
            Value::Object(published(&accepted::<Arguments>())),
            json!({
                "type": "object",
                "properties": {
                    "count": { "description": "How many.", "type": "integer", "minimum": 0 },
                    "configs": {
                        "description": "Settings.",
                        "type": "array",
                        "items": {
                            "type": "object",
                            "properties": {
                                "key": { "type": "string" },
                                "value": { "type": "string" },
                            },
                            "required": ["key", "value"],
                        },
                    },
                    "sql": { "description": "A statement.", "type": "string" },
                    "factor": { "type": "integer", "minimum": 1, "maximum": 5, "default": 3 },
                    "order": { "type": "string", "enum": ["asc", "desc"] },
                },
                "required": ["count"],
            })
        );
    }
}
