//! `values.schema.json`: JSON Schema draft 7, which Helm checks values against.

use serde_json::{Map, Value, json};

use super::values::Documented;

/// Forms that several values share.
const DEFINITIONS: &str = include_str!("definitions.json");

pub(super) fn of(values: &[Documented]) -> String {
    let properties = Value::from(properties(values));
    let schema = json!({
        "$schema": "https://json-schema.org/draft-07/schema#",
        "type": "object",
        "additionalProperties": false,
        "definitions": definitions_of(&properties),
        "properties": properties,
    });
    serde_json::to_string_pretty(&schema).unwrap() + "\n"
}

/// The definitions that the properties, or definitions among these, refer to.
fn definitions_of(properties: &Value) -> Map<String, Value> {
    let all: Map<String, Value> = serde_json::from_str(DEFINITIONS).unwrap();
    let mut used = Map::new();
    loop {
        let text = format!("{properties}{}", Value::from(used.clone()));
        let next: Map<_, _> = all
            .clone()
            .into_iter()
            .filter(|(name, _)| text.contains(&format!("\"#/definitions/{name}\"")))
            .collect();
        if next == used {
            return used;
        }
        used = next;
    }
}

fn properties(values: &[Documented]) -> Map<String, Value> {
    values.iter().map(|value| (value.name.clone(), property(value).into())).collect()
}

fn property(value: &Documented) -> Map<String, Value> {
    let mut schema = Map::new();
    schema.insert("description".to_owned(), value.description.clone().into());
    if !value.children.is_empty() {
        schema.insert("type".to_owned(), "object".into());
        schema.insert("additionalProperties".to_owned(), false.into());
        schema.insert("properties".to_owned(), properties(&value.children).into());
    } else if !value.schema.contains_key("$ref") {
        schema.insert("type".to_owned(), type_of(&value.default).into());
        schema.insert("default".to_owned(), value.default.clone());
    }
    schema.extend(value.schema.clone());
    schema
}

fn type_of(default: &Value) -> &'static str {
    match default {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}
