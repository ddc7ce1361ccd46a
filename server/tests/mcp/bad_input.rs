//! Calls that must be refused, made from what the accepted schema of a tool tells.

use lenses_mcp_server::tools::Tool;
use serde_json::{Map, Value, json};

use crate::places::{Place, good_with, places_of, required};

/// Calls of `tool` that must be refused, each with the argument that must be named; `good` is one
/// that is not.
pub(crate) fn bad_input(tool: &Tool, good: &Value) -> Vec<(Value, String)> {
    let mut bad =
        vec![(good_with(good, "/no_such_argument", json!(1)), "no_such_argument".to_owned())];
    for argument in required(tool) {
        let mut without = good.clone();
        without.as_object_mut().unwrap().remove(argument);
        bad.push((without, argument.to_owned()));
        bad.push((good_with(good, &format!("/{argument}"), Value::Null), argument.to_owned()));
    }
    for place in places_of(tool, good) {
        let argument = place.pointer.split('/').nth(1).unwrap();
        for value in wrong(&place, good.pointer(&place.pointer).unwrap()) {
            bad.push((good_with(good, &place.pointer, value), argument.to_owned()));
        }
    }
    bad
}

/// Values that the schema of `place` does not allow, null apart.
fn wrong(place: &Place<'_>, good: &Value) -> Vec<Value> {
    let mut wrong = match place.kinds.len() {
        // Anything goes.
        3.. => Vec::new(),
        _ => wrong_of_one_kind(place.schema, good),
    };
    let is_empty = |value: &Value| [json!(""), json!([]), json!({})].contains(value);
    // What is empty is an argument left out; another kind may be as good.
    wrong.retain(|value| !(is_empty(value) && (place.is_optional || place.kinds.len() > 1)));
    wrong
}

fn wrong_of_one_kind(schema: &Value, good: &Value) -> Vec<Value> {
    let long = |schema: &Value| {
        "x".repeat(usize::try_from(schema["maxLength"].as_u64().unwrap()).unwrap() + 1)
    };
    let control = ["\0", "a\u{1b}[2J", "a\u{85}b"].map(Value::from);
    match schema["type"].as_str() {
        Some("string") if schema["enum"].is_array() => {
            let shouted = schema["enum"][0].as_str().unwrap();
            let shouted = if shouted.to_uppercase() == shouted {
                shouted.to_lowercase()
            } else {
                shouted.to_uppercase()
            };
            vec![
                json!(7),
                json!(true),
                json!([]),
                json!({}),
                json!(""),
                json!("no such word"),
                json!("../"),
                json!(shouted),
            ]
        }
        Some("string") => {
            let mut values =
                vec![json!(7), json!(1.5), json!(true), json!([]), json!({}), json!([good])];
            if schema.get("maxLength").is_some() {
                values.push(json!(long(schema)));
                values.extend(control);
            }
            if schema["minLength"].as_u64() > Some(0) {
                values.extend([json!(""), json!(" \t")]);
            }
            values
        }
        Some("integer") => {
            let bound = |name: &str| schema[name].as_i64().unwrap();
            let mut values = vec![
                json!("two"),
                json!(""),
                json!("../"),
                json!("1e3"),
                json!(true),
                json!([]),
                json!({}),
                json!(1.5),
            ];
            values.extend([
                json!(bound("minimum") - 1),
                json!(bound("maximum") + 1),
                json!(u64::MAX),
                json!(i64::MIN),
            ]);
            values
        }
        Some("boolean") => {
            vec![json!("maybe"), json!(""), json!("../"), json!(1), json!(0), json!([]), json!({})]
        }
        Some("array") => {
            let many = usize::try_from(schema["maxItems"].as_u64().unwrap()).unwrap() + 1;
            let mut values = vec![
                json!("x"),
                json!(7),
                json!(true),
                json!({}),
                json!([null]),
                json!(vec![&good[0]; many]),
            ];
            if schema["minItems"] != 0 {
                values.push(json!([]));
            }
            values
        }
        Some("object") => {
            let mut values = vec![json!("x"), json!(7), json!(true), json!([]), json!([good])];
            let with_field = |name: &str, value: &Value| {
                let mut fields = good.as_object().unwrap().clone();
                fields.insert(name.to_owned(), value.clone());
                Value::Object(fields)
            };
            let one = good.as_object().unwrap().values().next().cloned().unwrap_or_default();
            if let Some(most) = schema["maxProperties"].as_u64() {
                let fields: Map<String, Value> =
                    (0..=most).map(|number| (format!("f{number}"), one.clone())).collect();
                values.push(Value::Object(fields));
            }
            for name in
                schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str)
            {
                let mut fields = good.as_object().unwrap().clone();
                fields.remove(name);
                values.push(Value::Object(fields));
                if schema["properties"][name].get("anyOf").is_none() {
                    values.push(with_field(name, &Value::Null));
                }
            }
            if schema["additionalProperties"] == false {
                values.push(with_field("no_such_field", &one));
            }
            if let Some(names) = schema.get("propertyNames") {
                values.extend(["", "\0", &long(names)].map(|name| with_field(name, &one)));
            }
            values
        }
        other => unreachable!("a schema of type {other:?}: {schema}"),
    }
}
