//! `docs/audit.md` and `docs/audit.schema.json`: the fields are those of the types that write them.

use std::fmt::Write;

use lenses_mcp_server::audit;
use serde_json::Value;

use crate::{cell, check};

const HEAD: &str = include_str!("audit.md.in");

#[test]
fn the_page_of_audit_documents_every_field_and_value() {
    let schema = audit::schema();
    let mut page = HEAD.to_owned();
    let mut values = String::new();
    for (name, field) in schema["properties"].as_object().unwrap() {
        let kind = match (&field["type"], &field["const"], &field["oneOf"]) {
            (Value::String(kind), ..) => kind.clone(),
            (_, Value::String(text), _) => format!("`{text}`"),
            (.., Value::Array(_)) => "string".to_owned(),
            _ => panic!("{name} has no type: {field}"),
        };
        let meaning = field["description"].as_str().unwrap();
        writeln!(page, "| `{name}` | {kind} | {} |", cell(meaning.trim_end_matches('.'))).unwrap();
        for value in field["oneOf"].as_array().into_iter().flatten() {
            let (text, meaning) = (&value["const"], value["description"].as_str().unwrap());
            let (text, meaning) = (text.as_str().unwrap(), meaning.trim_end_matches('.'));
            writeln!(values, "| `{name}` | `{text}` | {} |", cell(meaning)).unwrap();
        }
    }
    page.push_str("\n| field | value | meaning |\n|---|---|---|\n");
    page.push_str(&values);
    let outcomes = lenses_mcp_server::tools::Outcome::ALL.iter().map(|outcome| outcome.as_str());
    let outcomes: Vec<_> = outcomes.map(|outcome| format!("`{outcome}`")).collect();
    writeln!(page, "\n`outcome` is one of {}.", outcomes.join(", ")).unwrap();
    check("audit.md", &page);
    let example = HEAD.lines().find(|line| line.starts_with("{\"schema\"")).unwrap();
    let example: Value = serde_json::from_str(example).unwrap();
    jsonschema::validate(&schema, &example).unwrap();
    check("audit.schema.json", &format!("{}\n", serde_json::to_string_pretty(&schema).unwrap()));
}
