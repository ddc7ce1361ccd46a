//! Every argument of every tool, with every kind of bad input that its schema tells of: what is refused is named and
//! reaches nobody; what is taken arrives as the one value that it is. Faults 1 and 2.

use lenses_mcp_server::tools::{self, Tool};
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value, json};

use crate::{
    client::Endpoint,
    hq::{Hq, Seen},
    valid,
};

/// Texts that have tripped servers up. Each is a name as good as any other.
const ODD: [&str; 14] = [
    "../../../../users",
    "..",
    ".",
    "a/b",
    "/",
    "a?admin=true&x",
    "a#b",
    "a&b=c",
    "%2e%2e",
    "%2f",
    "a+b c",
    "größe",
    "a\\b",
    "\"'{}$(id)",
];

#[tokio::test]
async fn fault_19_what_is_no_value_of_an_argument_is_refused_by_name_and_nothing_is_sent() {
    let bench = Bench::new().await;
    for tool in tools::registry().iter() {
        let good = valid::arguments(tool.name());
        for (arguments, named) in bad_input(tool, &good) {
            let (text, seen) = bench.call(tool, &arguments).await;
            let shown = arguments.to_string().chars().take(500).collect::<String>();
            assert_eq!(seen, [], "{} {shown}", tool.name());
            assert!(
                text.contains(&format!("`{named}")) && text.contains("Nothing was sent"),
                "{} {shown}: {named} is not named in {text}",
                tool.name()
            );
        }
    }
}

#[tokio::test]
async fn fault_01_fault_02_a_text_is_one_value_in_path_query_and_body_whatever_it_holds() {
    let bench = Bench::new().await;
    for tool in tools::registry().iter() {
        let good = valid::arguments(tool.name());
        let expected = bench.requests(tool, &good).await;
        // That one has no argument and asks nobody.
        assert!(
            !expected.is_empty() || tool.name() == "whoami",
            "the good call of {} reaches nobody",
            tool.name()
        );
        for (argument, schema) in arguments_of(tool) {
            for (place, schema) in places(schema, &good[argument], format!("/{argument}")) {
                let Some(text) = good.pointer(&place).unwrap().as_str() else { continue };
                if schema["enum"].is_array() {
                    continue;
                }
                for odd in ODD {
                    let (said, seen) =
                        bench.call(tool, &good_with(&good, &place, json!(odd))).await;
                    if said.contains(&format!("`{argument}")) && said.contains("Nothing was sent") {
                        assert_eq!(seen, [], "{} {place} {odd}", tool.name());
                        continue;
                    }
                    let expected: Vec<_> =
                        expected.iter().map(|request| request.with(text, odd)).collect();
                    let asked: Vec<_> = seen.iter().map(Asked::of).collect();
                    assert_eq!(asked, expected, "{} {place} {odd}: {said}", tool.name());
                }
            }
        }
    }
}

#[tokio::test]
async fn numbers_and_flags_are_taken_as_text_too_and_null_is_an_argument_left_out() {
    let bench = Bench::new().await;
    for tool in tools::registry().iter() {
        let good = valid::arguments(tool.name());
        let expected = bench.call(tool, &good).await;
        for (argument, schema) in arguments_of(tool) {
            for (place, schema) in places(schema, &good[argument], format!("/{argument}")) {
                if matches!(schema["type"].as_str(), Some("integer" | "boolean")) {
                    let text = good.pointer(&place).unwrap().to_string();
                    let call = bench.call(tool, &good_with(&good, &place, json!(text))).await;
                    assert_eq!(call, expected, "{} {place}", tool.name());
                }
            }
            if is_nullable(schema) {
                let null =
                    bench.call(tool, &good_with(&good, &format!("/{argument}"), Value::Null)).await;
                let mut without = good.clone();
                without.as_object_mut().unwrap().remove(argument);
                assert_eq!(null, bench.call(tool, &without).await, "{} {argument}", tool.name());
            }
        }
    }
}

/// Calls of `tool` that must be refused, each with the argument that must be named; `good` is one that is not.
pub(crate) fn bad_input(tool: &Tool, good: &Value) -> Vec<(Value, String)> {
    let mut bad =
        vec![(good_with(good, "/no_such_argument", json!(1)), "no_such_argument".to_owned())];
    for (argument, schema) in arguments_of(tool) {
        if required(tool).contains(&argument) {
            let mut without = good.clone();
            without.as_object_mut().unwrap().remove(argument);
            bad.push((without, argument.to_owned()));
        }
        if !is_nullable(schema) {
            bad.push((good_with(good, &format!("/{argument}"), Value::Null), argument.to_owned()));
        }
        for (place, schema) in places(schema, &good[argument], format!("/{argument}")) {
            for value in wrong(schema, good.pointer(&place).unwrap()) {
                bad.push((good_with(good, &place, value), argument.to_owned()));
            }
        }
    }
    bad
}

/// The endpoint, and an HQ that has nothing to say.
struct Bench {
    hq: Hq,
    endpoint: Endpoint,
}

impl Bench {
    async fn new() -> Self {
        let hq = Hq::answering(200, "", "").await;
        let endpoint = Endpoint::new(&hq.url);
        Self { hq, endpoint }
    }

    /// What a call answers as text, and what HQ was asked for it.
    async fn call(&self, tool: &Tool, arguments: &Value) -> (String, Vec<Seen>) {
        let result = self.endpoint.call(tool.name(), arguments.clone()).await;
        (result["content"][0]["text"].as_str().unwrap().to_owned(), self.hq.take())
    }

    async fn requests(&self, tool: &Tool, arguments: &Value) -> Vec<Asked> {
        let (text, seen) = self.call(tool, arguments).await;
        assert!(!text.contains("Nothing was sent"), "the good call of {}: {text}", tool.name());
        seen.iter().map(Asked::of).collect()
    }
}

/// A request to HQ, taken apart and decoded.
#[derive(Debug, PartialEq)]
struct Asked {
    method: String,
    segments: Vec<String>,
    query: Vec<(String, String)>,
    body: Value,
}

impl Asked {
    fn of(seen: &Seen) -> Self {
        let (method, target) = seen.line.split_once(' ').unwrap();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let decoded = |segment| percent_decode_str(segment).decode_utf8().unwrap().into_owned();
        Self {
            method: method.to_owned(),
            segments: path.split('/').map(decoded).collect(),
            query: url::form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
            body: serde_json::from_str(&seen.body).unwrap_or_default(),
        }
    }

    /// The same with `new` wherever `old` stands.
    fn with(&self, old: &str, new: &str) -> Self {
        let replaced = |text: &String| if text == old { new.to_owned() } else { text.clone() };
        Self {
            method: self.method.clone(),
            segments: self.segments.iter().map(replaced).collect(),
            query: self.query.iter().map(|(name, value)| (name.clone(), replaced(value))).collect(),
            body: with_text(&self.body, &replaced),
        }
    }
}

fn with_text(value: &Value, replaced: &impl Fn(&String) -> String) -> Value {
    match value {
        Value::String(text) => Value::String(replaced(text)),
        Value::Array(items) => items.iter().map(|item| with_text(item, replaced)).collect(),
        Value::Object(fields) => {
            fields.iter().map(|(name, value)| (name.clone(), with_text(value, replaced))).collect()
        }
        other => other.clone(),
    }
}

fn arguments_of(tool: &Tool) -> impl Iterator<Item = (&str, &Value)> {
    let properties = tool.listing().input_schema["properties"].as_object().unwrap();
    properties.iter().map(|(name, schema)| (name.as_str(), schema))
}

fn required(tool: &Tool) -> Vec<&str> {
    let required = tool.listing().input_schema.get("required").and_then(Value::as_array);
    required.into_iter().flatten().filter_map(Value::as_str).collect()
}

fn is_nullable(schema: &Value) -> bool {
    schema["anyOf"].as_array().is_some_and(|types| types.contains(&json!({ "type": "null" })))
}

/// `good` with `value` at `place`, a JSON pointer.
fn good_with(good: &Value, place: &str, value: Value) -> Value {
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

/// Where `value` has a schema: itself, and one of each kind inside it.
fn places<'a>(schema: &'a Value, value: &Value, place: String) -> Vec<(String, &'a Value)> {
    let schema = schema["anyOf"].get(0).unwrap_or(schema);
    let mut found = Vec::new();
    match value {
        Value::Array(items) => {
            found.extend(places(&schema["items"], &items[0], format!("{place}/0")));
        }
        Value::Object(fields) => {
            for (name, value) in fields {
                let of_field =
                    schema["properties"].get(name).unwrap_or(&schema["additionalProperties"]);
                if of_field.is_object() {
                    found.extend(places(of_field, value, format!("{place}/{name}")));
                }
            }
        }
        _ => {}
    }
    found.push((place, schema));
    found
}

/// Values that `schema` does not allow, null apart.
fn wrong(schema: &Value, good: &Value) -> Vec<Value> {
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
            let mut values = vec![
                json!(7),
                json!(1.5),
                json!(true),
                json!([]),
                json!({}),
                json!([good]),
                json!(long(schema)),
            ];
            values.extend(control);
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
                values.push(with_field(name, &Value::Null));
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
