//! Arguments as client programs send them, made into what their schema says.
//!
//! Models and client programs fill what they have no value for with something empty, write lists
//! and objects as text, and add arguments of their own. This is where that ends: what comes after
//! it (scopes, confirmation, audit, the tool) sees the same plain arguments and checks them.

use serde_json::{Map, Value};

use crate::{
    json::{self, NODES_MAX},
    tools::schema::alternatives,
};

/// Arguments that client programs add to each tool of each server. Gemini CLI 0.61 adds this one to
/// the schemas and sends it on.
const OF_CLIENTS: [&str; 1] = ["wait_for_previous"];

/// Rewrites `arguments`, of a tool whose accepted schema is `schema`: without those of client
/// programs, without optional ones that are empty (`""`, `[]`, `{}`, null), and with lists and
/// objects that are written as JSON text read. What is not as the schema says stays as it is, to be
/// refused by name.
pub(in crate::tools) fn read(schema: &Map<String, Value>, arguments: &mut Map<String, Value>) {
    let properties = schema.get("properties").and_then(Value::as_object);
    arguments.retain(|name, _| {
        let is_its_own = properties.is_some_and(|properties| properties.contains_key(name));
        is_its_own || !OF_CLIENTS.contains(&name.as_str())
    });
    // Values in JSON text were not counted when the message was.
    let mut left = NODES_MAX;
    read_members(schema, arguments, &mut left);
}

fn read_members(schema: &Map<String, Value>, members: &mut Map<String, Value>, left: &mut usize) {
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else { return };
    let required = schema.get("required").and_then(Value::as_array);
    members.retain(|name, value| {
        let Some(property) = properties.get(name).and_then(Value::as_object) else { return true };
        read_value(property, value, left);
        let is_required = required.is_some_and(|names| names.iter().any(|other| other == name));
        is_required || !is_empty(value)
    });
}

fn read_value(schema: &Map<String, Value>, value: &mut Value, left: &mut usize) {
    if let Some(read) = value.as_str().and_then(|text| from_text(schema, text, left)) {
        *value = read;
    }
    for way in alternatives(schema) {
        match (way.get("type").and_then(Value::as_str), &mut *value) {
            (Some("array"), Value::Array(items)) => {
                if let Some(schema) = way.get("items").and_then(Value::as_object) {
                    for item in items {
                        read_value(schema, item, left);
                    }
                }
            }
            // What is in an open object is Lenses' business.
            (Some("object"), Value::Object(members))
                if way.get("additionalProperties") == Some(&Value::Bool(false)) =>
            {
                read_members(way, members, left);
            }
            _ => {}
        }
    }
}

/// The list, object or null that `text` is, if `schema` has it and no text.
fn from_text(schema: &Map<String, Value>, text: &str, left: &mut usize) -> Option<Value> {
    let takes = |kind: &str| alternatives(schema).any(|way| way.get("type") == Some(&kind.into()));
    if takes("string") || !(takes("array") || takes("object")) {
        return None;
    }
    let nodes = json::measure(text.as_bytes()).ok().filter(|nodes| *nodes <= *left)?;
    let read = json::plain(text).ok()?;
    let fits = match &read {
        Value::Null => true,
        Value::Array(_) => takes("array"),
        Value::Object(_) => takes("object"),
        _ => false,
    };
    *left -= nodes;
    fits.then_some(read)
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// A required list, an optional one, an optional text and an object with an optional member.
    fn read_as(arguments: Value) -> Value {
        let list = json!({ "type": "array", "items": { "type": "string" } });
        let closed = json!({
            "type": "object",
            "properties": { "mode": { "type": "string" }, "details": { "type": "object" } },
            "required": ["mode"],
            "additionalProperties": false,
        });
        let open = json!({ "type": "object", "properties": { "tags": list } });
        let schema = json!({
            "properties": {
                "topics": list,
                "tags": { "anyOf": [list, { "type": "null" }] },
                "text": { "type": "string" },
                "place": { "anyOf": [closed, { "type": "null" }] },
                "document": open,
                "pairs": { "type": "array", "items": closed },
            },
            "required": ["topics"],
        });
        let Value::Object(mut arguments) = arguments else { unreachable!("an object") };
        read(schema.as_object().unwrap(), &mut arguments);
        Value::Object(arguments)
    }

    #[test]
    fn what_is_empty_is_left_out_unless_it_is_required() {
        for empty in [json!(""), json!([]), json!({}), json!(null)] {
            let given = json!({
                "topics": empty, "tags": empty, "text": empty,
                "place": { "mode": empty, "details": empty },
            });
            let expected = json!({ "topics": empty, "place": { "mode": empty } });
            assert_eq!(read_as(given), expected);
        }
    }

    #[test]
    fn json_text_is_read_where_a_list_or_an_object_belongs() {
        for (given, expected) in [
            (json!({ "topics": "[\"a\", \"b\"]" }), json!({ "topics": ["a", "b"] })),
            (json!({ "topics": " [] " }), json!({ "topics": [] })),
            (json!({ "tags": "[]" }), json!({})),
            (json!({ "tags": "null" }), json!({})),
            (
                json!({ "place": "{\"mode\": \"x\", \"details\": \"{\\\"a\\\": 1}\"}" }),
                json!({ "place": { "mode": "x", "details": { "a": 1 } } }),
            ),
            (json!({ "pairs": ["{\"mode\": \"x\"}"] }), json!({ "pairs": [{ "mode": "x" }] })),
            // Not what belongs there, or not JSON: it stays, and is refused by name.
            (json!({ "topics": "{}" }), json!({ "topics": "{}" })),
            (json!({ "topics": "orders" }), json!({ "topics": "orders" })),
            (json!({ "topics": "7" }), json!({ "topics": "7" })),
            (json!({ "tags": "[" }), json!({ "tags": "[" })),
            (json!({ "text": "[1]" }), json!({ "text": "[1]" })),
        ] {
            assert_eq!(read_as(given.clone()), expected, "{given}");
        }
    }

    #[test]
    fn what_is_in_an_open_object_stays_as_it_is() {
        let document = json!({ "document": { "tags": [], "other": "", "text": "[]" } });
        assert_eq!(read_as(document.clone()), document);
    }

    #[test]
    fn an_argument_that_client_programs_add_is_left_out() {
        let given = json!({ "topics": ["a"], "wait_for_previous": true, "wait": 1 });
        assert_eq!(read_as(given), json!({ "topics": ["a"], "wait": 1 }));
    }

    #[test]
    fn json_text_is_bounded_in_all_arguments_of_a_call_together() {
        let text = |nodes: usize| format!("[{}\"\"]", "\"\",".repeat(nodes - 1));
        let half = NODES_MAX / 2;
        let read = read_as(json!({ "topics": text(half), "tags": text(half) }));
        assert!(read["topics"].is_array() && read["tags"].is_array());
        let read = read_as(json!({ "topics": text(half), "tags": text(half + 1) }));
        assert!(read["tags"].is_array() && read["topics"].is_string());
        assert!(read_as(json!({ "topics": "[".repeat(100_000) }))["topics"].is_string());
    }
}
