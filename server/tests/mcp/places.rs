//! Where the arguments of a call have a schema: each argument, and one value of each kind inside
//! it.

use lenses_mcp_server::tools::Tool;
use serde_json::Value;

/// A value inside the arguments of a call that has a schema.
pub(crate) struct Place<'a> {
    /// Where it is, as a JSON pointer.
    pub(crate) pointer: String,
    /// The schema that it meets.
    pub(crate) schema: &'a Value,
    /// The types that it may have.
    pub(crate) kinds: Vec<&'a str>,
    /// Whether it may be left out.
    pub(crate) is_optional: bool,
}

/// Each argument of a good call of `tool`, and one value of each kind inside it.
pub(crate) fn places_of<'a>(tool: &'a Tool, good: &Value) -> Vec<Place<'a>> {
    let accepted = tool.accepted();
    let required = required(tool);
    let mut places = Vec::new();
    for (argument, schema) in accepted["properties"].as_object().unwrap() {
        let is_optional = !required.contains(&argument.as_str());
        add_places(&mut places, schema, &good[argument], format!("/{argument}"), is_optional);
    }
    places
}

fn add_places<'a>(
    places: &mut Vec<Place<'a>>,
    schema: &'a Value,
    value: &Value,
    pointer: String,
    is_optional: bool,
) {
    let kind = match value {
        Value::Array(_) => "array",
        Value::Object(_) => "object",
        Value::Number(_) => "integer",
        Value::Bool(_) => "boolean",
        _ => "string",
    };
    let ways: Vec<_> = match schema["anyOf"].as_array() {
        Some(ways) => ways.iter().filter(|way| way["type"] != "null").collect(),
        None => vec![schema],
    };
    let schema = ways.iter().find(|way| way["type"] == kind).unwrap();
    match value {
        Value::Array(items) => {
            add_places(places, &schema["items"], &items[0], format!("{pointer}/0"), false);
        }
        Value::Object(fields) => {
            let required = names_in(schema.get("required"));
            let is_closed = schema["additionalProperties"] == false;
            for (name, value) in fields {
                let of_field =
                    schema["properties"].get(name).unwrap_or(&schema["additionalProperties"]);
                if of_field.is_object() {
                    let is_optional = is_closed && !required.contains(&name.as_str());
                    add_places(places, of_field, value, format!("{pointer}/{name}"), is_optional);
                }
            }
        }
        _ => {}
    }
    let kinds = ways.iter().map(|way| way["type"].as_str().unwrap()).collect();
    places.push(Place { pointer, schema, kinds, is_optional });
}

/// The arguments of `tool` that must be given.
pub(crate) fn required(tool: &Tool) -> Vec<&str> {
    names_in(tool.accepted().get("required"))
}

fn names_in(names: Option<&Value>) -> Vec<&str> {
    names.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
}

/// `good` with `value` at `place`, a JSON pointer.
pub(crate) fn good_with(good: &Value, place: &str, value: Value) -> Value {
    let mut arguments = good.clone();
    match arguments.pointer_mut(place) {
        Some(there) => *there = value,
        None => {
            arguments
                .as_object_mut()
                .unwrap()
                .insert(place.trim_start_matches('/').to_owned(), value);
        }
    }
    arguments
}
