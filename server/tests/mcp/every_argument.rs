//! Every argument of every tool, with every kind of bad input that its schema tells of: what is refused is named and
//! reaches nobody; what is taken arrives as the one value that it is.

use lenses_mcp_server::tools::{self, Tool};
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value, json};

use crate::{
    client::Endpoint,
    hq::{Hq, Seen},
    valid,
};

/// Texts that have tripped servers up. Each is a name as good as any other.
const ODD: [&str; 15] = [
    "../../../../users",
    "..",
    "..;",
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
async fn what_is_no_value_of_an_argument_is_refused_by_name() {
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
async fn a_text_is_one_value_in_path_query_and_body() {
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
        for Place { pointer, schema, .. } in places_of(tool, &good) {
            let argument = pointer.split('/').nth(1).unwrap();
            let Some(text) = good.pointer(&pointer).unwrap().as_str() else { continue };
            if schema["enum"].is_array() {
                continue;
            }
            for odd in ODD {
                let (said, seen) = bench.call(tool, &good_with(&good, &pointer, json!(odd))).await;
                if said.contains(&format!("`{argument}")) && said.contains("Nothing was sent") {
                    assert_eq!(seen, [], "{} {pointer} {odd}", tool.name());
                    continue;
                }
                let expected: Vec<_> =
                    expected.iter().map(|request| request.with(text, odd)).collect();
                let asked: Vec<_> = seen.iter().map(Asked::of).collect();
                assert_eq!(asked, expected, "{} {pointer} {odd}: {said}", tool.name());
            }
        }
    }
}

#[tokio::test]
async fn numbers_and_flags_are_taken_as_text_too() {
    let bench = Bench::new().await;
    for tool in tools::registry().iter() {
        let good = valid::arguments(tool.name());
        let expected = bench.call(tool, &good).await;
        for place in places_of(tool, &good) {
            if matches!(place.schema["type"].as_str(), Some("integer" | "boolean")) {
                let text = good.pointer(&place.pointer).unwrap().to_string();
                let call = bench.call(tool, &good_with(&good, &place.pointer, json!(text))).await;
                assert_eq!(call, expected, "{} {}", tool.name(), place.pointer);
            }
        }
    }
}

#[tokio::test]
async fn an_optional_argument_that_is_empty_is_an_argument_left_out() {
    let bench = Bench::new().await;
    let mut optional = 0;
    for tool in tools::registry().iter() {
        let good = valid::arguments(tool.name());
        for place in places_of(tool, &good).iter().filter(|place| place.is_optional) {
            optional += 1;
            let mut without = good.clone();
            let (parent, name) = place.pointer.rsplit_once('/').unwrap();
            without.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(name);
            let expected = bench.call(tool, &without).await;
            let mut empty = vec![json!(""), json!([]), json!({}), Value::Null];
            // A text may be called so.
            if place.kinds != ["string"] && place.kinds.iter().all(|kind| is_container(kind)) {
                empty.extend([json!("[]"), json!("{}"), json!("null"), json!(" null ")]);
                empty.retain(|empty| {
                    let text = empty.as_str().unwrap_or_default().trim();
                    let kind = match text {
                        "[]" => "array",
                        "{}" => "object",
                        _ => return true,
                    };
                    place.kinds.contains(&kind)
                });
            }
            for empty in empty {
                let call = bench.call(tool, &good_with(&good, &place.pointer, empty.clone())).await;
                assert_eq!(call, expected, "{} {} {empty}", tool.name(), place.pointer);
            }
        }
    }
    assert!(optional >= 60, "{optional} optional arguments");
}

#[tokio::test]
async fn a_list_or_an_object_is_taken_as_json_text_too() {
    let bench = Bench::new().await;
    let mut taken = 0;
    for tool in tools::registry().iter() {
        let good = valid::arguments(tool.name());
        let expected = bench.call(tool, &good).await;
        for place in places_of(tool, &good) {
            if place.kinds.iter().all(|kind| is_container(kind)) {
                taken += 1;
                let text = good.pointer(&place.pointer).unwrap().to_string();
                let call = bench.call(tool, &good_with(&good, &place.pointer, json!(text))).await;
                assert_eq!(call, expected, "{} {}", tool.name(), place.pointer);
            }
        }
    }
    assert!(taken >= 20, "{taken} lists and objects");
}

#[tokio::test]
async fn settings_are_taken_as_a_list_and_as_an_object_alike() {
    let bench = Bench::new().await;
    let mut taken = 0;
    for tool in tools::registry().iter() {
        let good = valid::arguments(tool.name());
        let expected = bench.call(tool, &good).await;
        for place in
            places_of(tool, &good).iter().filter(|place| place.kinds == ["array", "object"])
        {
            taken += 1;
            let list = good.pointer(&place.pointer).unwrap().as_array().unwrap();
            let entry =
                |item: &Value| (item["key"].as_str().unwrap().to_owned(), item["value"].clone());
            let object: Value = list.iter().map(entry).collect();
            let call = bench.call(tool, &good_with(&good, &place.pointer, object)).await;
            assert_eq!(call, expected, "{} {}", tool.name(), place.pointer);
            let twice = json!([list[0], list[0]]);
            let (said, seen) = bench.call(tool, &good_with(&good, &place.pointer, twice)).await;
            assert!(said.contains("is given twice") && seen.is_empty(), "{said}");
        }
    }
    assert_eq!(taken, 7);
}

#[tokio::test]
async fn what_a_client_program_adds_reaches_nobody() {
    let bench = Bench::new().await;
    for tool in tools::registry().iter() {
        let good = valid::arguments(tool.name());
        let expected = bench.call(tool, &good).await;
        for value in [json!(true), json!("false"), json!({ "a": 1 }), Value::Null] {
            let given = good_with(&good, "/wait_for_previous", value);
            assert_eq!(bench.call(tool, &given).await, expected, "{}", tool.name());
        }
    }
}

/// Calls of `tool` that must be refused, each with the argument that must be named; `good` is one that is not.
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
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| (replaced(name), with_text(value, replaced)))
            .collect(),
        other => other.clone(),
    }
}

fn required(tool: &Tool) -> Vec<&str> {
    names_in(tool.accepted().get("required"))
}

fn names_in(names: Option<&Value>) -> Vec<&str> {
    names.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
}

fn is_container(kind: &str) -> bool {
    matches!(kind, "array" | "object")
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
