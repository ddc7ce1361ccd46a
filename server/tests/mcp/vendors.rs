//! The published schemas against what vendors of models, and the libraries before them, are known
//! to refuse. Each rule names its source and a schema that it refuses.

mod rules;

use lenses_mcp_server::tools;
use serde_json::{Map, Value, json};

use self::rules::{Rule, properties, rules, values};

/// Calls `see` with `schema` and each schema inside it.
fn each(schema: &Value, place: &str, see: &mut impl FnMut(&str, &Map<String, Value>)) {
    let schema = schema.as_object().unwrap();
    see(place, schema);
    for (name, property) in properties(schema) {
        each(property, &format!("{place}.{name}"), see);
    }
    if let Some(items) = schema.get("items") {
        each(items, &format!("{place}[]"), see);
    }
    for (number, way) in values(schema, "anyOf").iter().enumerate() {
        each(way, &format!("{place}|{number}"), see);
    }
}

/// Where `rule` is broken in the schema of a tool's arguments.
fn broken(rule: &Rule, schema: &Value, tool: &str) -> Vec<String> {
    let mut places = Vec::new();
    each(schema, tool, &mut |place, schema| {
        if !(rule.holds)(schema, place == tool) {
            places.push(place.to_owned());
        }
    });
    places
}

#[test]
fn every_vendor_takes_the_schemas_of_all_tools() {
    for rule in rules() {
        for tool in tools::registry().iter() {
            let schema = Value::Object((*tool.listing().input_schema).clone());
            let places = broken(&rule, &schema, tool.name());
            let Rule { vendor, says, source, .. } = &rule;
            assert!(places.is_empty(), "{vendor} {says} ({source}): {places:?}");
        }
    }
}

#[test]
fn every_rule_refuses_what_breaks_it() {
    for rule in rules() {
        let inside = json!({ "type": "object", "properties": { "a": rule.refused } });
        let as_root = broken(&rule, &rule.refused, "tool");
        let inside = broken(&rule, &inside, "tool");
        assert!(!as_root.is_empty() || !inside.is_empty(), "{} {}", rule.vendor, rule.says);
        assert!(rule.source.starts_with("https://"), "{}", rule.source);
    }
}

#[test]
fn every_vendor_takes_the_names_of_all_tools() {
    for tool in tools::registry().iter() {
        let name = tool.name();
        // Gemini takes 64 characters, and Cursor 60 with its own prefix `mcp_Lenses_`.
        assert!(name.len() <= 46, "{name}");
        assert!(name.chars().all(|c| c.is_ascii_lowercase() || c == '_'), "{name}");
    }
}

#[test]
fn the_accepted_schema_takes_what_the_published_one_does() {
    for tool in tools::registry().iter() {
        let good = crate::valid::arguments(tool.name());
        let accepted = Value::Object(tool.accepted().clone());
        assert!(jsonschema::is_valid(&accepted, &good), "{}", tool.name());
        let published: Vec<_> = properties(&tool.listing().input_schema).keys().collect();
        let known: Vec<_> = properties(tool.accepted()).keys().collect();
        assert_eq!(published, known, "{}", tool.name());
    }
}
