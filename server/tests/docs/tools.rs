//! `docs/tools.md`: the tools, prompts and resources.

use std::fmt::Write as _;

use lenses_mcp_server::{
    prompts,
    resources::{self, Template},
    scope::ScopeSet,
    tools::{self, Tool},
};
use serde_json::Value;

use crate::{cell, check};

const HEAD: &str = include_str!("tools.md.in");

const PROMPTS: &str = include_str!("prompts.md.in");

const RESOURCES: &str = include_str!("resources.md.in");

#[test]
fn the_page_of_tools_is_what_the_server_offers() {
    let mut page = HEAD.to_owned();
    for group in tools::registry().groups() {
        writeln!(page, "\n## {group}").unwrap();
        for tool in tools::registry().iter().filter(|tool| tool.group() == group) {
            describe(&mut page, tool);
        }
    }
    write!(page, "\n{PROMPTS}").unwrap();
    for prompt in prompts::all() {
        let arguments = prompt
            .arguments()
            .iter()
            .map(|argument| format!("`{}`: {}", argument.name(), argument.description()));
        writeln!(
            page,
            "| `{}` | {} | {} | {} |",
            prompt.name(),
            cell(&arguments.collect::<Vec<_>>().join("<br>")).replace("&lt;br>", "<br>"),
            cell(prompt.description()),
            prompt.tools().iter().map(|tool| format!("`{tool}`")).collect::<Vec<_>>().join(", "),
        )
        .unwrap();
    }
    write!(page, "\n{RESOURCES}").unwrap();
    for Template { uri, description, tool, .. } in resources::TEMPLATES {
        writeln!(page, "| `{uri}` | {} | `{tool}` |", cell(description)).unwrap();
    }
    check("tools.md", &page);
}

fn describe(page: &mut String, tool: &Tool) {
    let listing = tool.listing();
    let title = listing.title.as_deref().unwrap();
    writeln!(page, "\n### `{}`\n", tool.name()).unwrap();
    writeln!(page, "{title}. Scope: {}; {}.\n", scope(tool), hints(tool)).unwrap();
    writeln!(page, "{}", listing.description.as_deref().unwrap()).unwrap();
    let schema = Value::Object(tool.accepted().clone());
    let arguments = schema["properties"].as_object().unwrap();
    if arguments.is_empty() {
        writeln!(page, "\nNo arguments.").unwrap();
        return;
    }
    writeln!(page, "\n| argument | type | default | meaning |\n|---|---|---|---|").unwrap();
    let required: Vec<_> =
        schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    // Those that must be given come first.
    for is_required in [true, false] {
        for (name, schema) in
            arguments.iter().filter(|(name, _)| required.contains(&name.as_str()) == is_required)
        {
            let default = if is_required { String::new() } else { default(schema) };
            let meaning = cell(schema["description"].as_str().unwrap());
            writeln!(page, "| `{name}` | {} | {default} | {meaning} |", kind(schema)).unwrap();
        }
    }
}

fn scope(tool: &Tool) -> String {
    match tool.required_scopes(None) {
        _ if tool.name() == "execute_sql" => "that of each statement".to_owned(),
        ScopeSet::NONE => "none".to_owned(),
        scopes => match tool.further_scopes() {
            Some(further) => format!("`{scopes}`, and {further}"),
            None => format!("`{scopes}`"),
        },
    }
}

fn hints(tool: &Tool) -> String {
    let annotations = tool.listing().annotations.as_ref().unwrap();
    let hints = [
        (annotations.read_only_hint, "read"),
        (annotations.destructive_hint, "destructive"),
        (annotations.idempotent_hint, "idempotent"),
        (annotations.open_world_hint, "open world"),
    ];
    let hints: Vec<_> =
        hints.iter().filter(|(hint, _)| *hint == Some(true)).map(|(_, name)| *name).collect();
    if hints.is_empty() { "not idempotent".to_owned() } else { hints.join(", ") }
}

fn default(schema: &Value) -> String {
    match &schema["default"] {
        Value::Null => "none".to_owned(),
        default => format!("`{default}`"),
    }
}

/// The type with its bounds, in few words.
fn kind(schema: &Value) -> String {
    let ways = schema["anyOf"].as_array().map_or(&[][..], Vec::as_slice);
    if let [list, object, ..] = ways
        && object["type"] == "object"
    {
        return format!("list of keys and values, at most {}", list["maxItems"]);
    }
    let schema = ways.first().unwrap_or(schema);
    if let Some(values) = schema["enum"].as_array() {
        return values
            .iter()
            .filter_map(Value::as_str)
            .map(|value| format!("`{value}`"))
            .collect::<Vec<_>>()
            .join(", ");
    }
    match schema["type"].as_str().unwrap() {
        "string" => format!("text, at most {} characters", schema["maxLength"]),
        "integer" if schema["maximum"] == i64::MAX => {
            format!("number, at least {}", schema["minimum"])
        }
        "integer" => format!("number, {} to {}", schema["minimum"], schema["maximum"]),
        "boolean" => "true or false".to_owned(),
        "array" => format!("list of {}, at most {}", plural(&schema["items"]), schema["maxItems"]),
        _ => "object".to_owned(),
    }
}

fn plural(schema: &Value) -> String {
    match schema["type"].as_str() {
        Some("string") if schema["enum"].is_array() => kind(schema),
        Some("string") => "texts".to_owned(),
        _ => "objects".to_owned(),
    }
}
