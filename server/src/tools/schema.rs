//! JSON Schemas as clients read them: 2020-12, self-contained, closed, and in words that every client knows.

use std::sync::Arc;

use schemars::{JsonSchema, generate::SchemaSettings};
use serde_json::{Map, Value, json};

/// The schema of `T`'s input.
pub(super) fn of<T: JsonSchema>() -> Arc<Map<String, Value>> {
    Arc::new(finished(
        SchemaSettings::draft2020_12().for_deserialize(),
        T::schema_name(),
        schemars::SchemaGenerator::into_root_schema_for::<T>,
    ))
}

/// The schema of `T` as it is written out.
pub(super) fn of_output<T: JsonSchema>() -> Map<String, Value> {
    finished(SchemaSettings::draft2020_12().for_serialize(), T::schema_name(), |generator| {
        generator.into_root_schema_for::<T>()
    })
}

fn finished(
    settings: SchemaSettings,
    type_name: impl AsRef<str>,
    schema: impl FnOnce(schemars::SchemaGenerator) -> schemars::Schema,
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

/// Rewrites what some clients stumble over: `format: uint…`, which no vocabulary defines, and `type: [T, "null"]`,
/// which becomes `anyOf: [T, null]`.
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
            if let Some(plain) = non_null_type(object) {
                let mut outer = Map::new();
                for keyword in ["title", "description", "default"] {
                    if let Some(value) = object.remove(keyword) {
                        outer.insert(keyword.to_owned(), value);
                    }
                }
                object.insert("type".to_owned(), plain);
                let inner = std::mem::take(object);
                outer.insert("anyOf".to_owned(), json!([inner, { "type": "null" }]));
                *object = outer;
            }
        }
        _ => {}
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
    use crate::tools::arguments::{Configs, Int, Text};

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
    }

    fn three() -> Int<1, 5> {
        Int::clamped(3)
    }

    #[test]
    fn optional_arguments_are_any_of_a_type_and_null_and_no_format_is_invented() {
        assert_eq!(
            Value::Object((*of::<Arguments>()).clone()),
            json!({
                "type": "object",
                "properties": {
                    "count": { "description": "How many.", "type": "integer", "minimum": 0 },
                    "configs": {
                        "description": "Settings.",
                        "anyOf": [
                            {
                                "type": "object",
                                "additionalProperties": { "type": "string", "maxLength": 10_000 },
                                "propertyNames": { "minLength": 1, "maxLength": 255 },
                                "maxProperties": 100,
                            },
                            { "type": "null" },
                        ],
                        "default": null,
                    },
                    "sql": {
                        "description": "A statement.",
                        "anyOf": [{ "type": "string", "minLength": 1, "maxLength": 9 }, { "type": "null" }],
                        "default": null,
                    },
                    "factor": { "type": "integer", "minimum": 1, "maximum": 5, "default": 3 },
                },
                "required": ["count"],
                "additionalProperties": false,
            })
        );
    }
}
