//! Every argument of every tool, with every kind of bad input that its schema tells of: what is
//! refused is named and reaches nobody; what is taken arrives as the one value that it is.

use lenses_mcp_server::tools::{self, Tool};
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use crate::{
    bad_input::bad_input,
    client::Endpoint,
    hq::{Hq, Seen},
    places::{Place, good_with, places_of},
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

/// Values of each JSON type, and nearly right ones.
fn of_every_type() -> Vec<Value> {
    let values = json!([
        null, true, 7, -1, 1.5, "", "retention.ms=1", [], [7], ["retention.ms=1"], [[]], [["a"]],
        [["a", "b"]], [{}], [{ "key": 1 }], [{ "key": "a", "value": [] }], [{ "name": "a" }], {},
        { "a": 1 }, { "a": 1, "b": {} }, { "mode": 1 }, { "mode": { "KUBERNETES": 1 } },
    ]);
    values.as_array().unwrap().clone()
}

#[tokio::test]
async fn a_refused_value_is_told_in_words_of_json() {
    let bench = Bench::new().await;
    let mut refused = 0;
    for tool in tools::registry().iter() {
        let good = valid::arguments(tool.name());
        for Place { pointer, .. } in places_of(tool, &good) {
            for value in of_every_type() {
                let (text, _) = bench.call(tool, &good_with(&good, &pointer, value.clone())).await;
                let words = text.split(|c: char| !c.is_ascii_alphabetic());
                let mut words = words.filter(|word| {
                    ["struct", "sequence", "map", "enum", "variant", "newtype", "tuple", "unit"]
                        .contains(word)
                });
                assert_eq!(words.next(), None, "{}{pointer} {value}: {text}", tool.name());
                refused += usize::from(text.contains("Nothing was sent"));
            }
        }
    }
    assert!(refused > 1000, "{refused}");
}

#[tokio::test]
async fn a_text_is_one_value_in_path_query_and_body() {
    let bench = Bench::new().await;
    for tool in tools::registry().iter() {
        let good = valid::arguments(tool.name());
        let expected = bench.requests(tool, &good).await;
        if tool.name() == "whoami" {
            // It asks nobody.
            continue;
        }
        assert!(!expected.is_empty(), "the good call of {} reaches nobody", tool.name());
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

/// The endpoint, and an HQ that has nothing to say.
pub(crate) struct Bench {
    hq: Hq,
    endpoint: Endpoint,
}

impl Bench {
    pub(crate) async fn new() -> Self {
        let hq = Hq::answering(200, "", "").await;
        let endpoint = Endpoint::new(&hq.url);
        Self { hq, endpoint }
    }

    /// What a call answers as text, and what HQ was asked for it.
    pub(crate) async fn call(&self, tool: &Tool, arguments: &Value) -> (String, Vec<Seen>) {
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
