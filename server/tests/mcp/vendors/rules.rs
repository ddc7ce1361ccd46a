//! The table of rules.

use std::sync::LazyLock;

use serde_json::{Map, Value, json};

/// Whether one schema keeps a rule; `is_root` for that of all arguments.
pub(super) type Check = fn(schema: &Map<String, Value>, is_root: bool) -> bool;

/// What a vendor refuses.
pub(super) struct Rule {
    pub(super) vendor: &'static str,
    pub(super) says: &'static str,
    /// Where that is documented or was seen.
    pub(super) source: &'static str,
    /// Whether a schema keeps the rule.
    pub(super) holds: Check,
    /// The schema of an argument that breaks it.
    pub(super) refused: Value,
}

/// Fields of Gemini's `Schema` message.
const GEMINI: [&str; 22] = [
    "type",
    "format",
    "title",
    "description",
    "nullable",
    "enum",
    "maxItems",
    "minItems",
    "properties",
    "required",
    "minProperties",
    "maxProperties",
    "minLength",
    "maxLength",
    "pattern",
    "example",
    "anyOf",
    "propertyOrdering",
    "default",
    "items",
    "minimum",
    "maximum",
];

pub(super) fn rules() -> Vec<Rule> {
    [gemini(), libraries(), others()].into_iter().flatten().collect()
}

fn rule(
    vendor: &'static str,
    says: &'static str,
    source: &'static str,
    holds: Check,
    refused: Value,
) -> Rule {
    Rule { vendor, says, source, holds, refused }
}

/// Gemini, and the program of its vendor.
fn gemini() -> Vec<Rule> {
    vec![
        rule(
            "Gemini API",
            "takes only the fields of its Schema message",
            "https://ai.google.dev/api/caching#Schema",
            |schema, _| schema.keys().all(|keyword| GEMINI.contains(&keyword.as_str())),
            json!({ "type": "string", "const": "a" }),
        ),
        rule(
            "Gemini API",
            "takes an enum of strings only, without null",
            "https://github.com/google-gemini/gemini-cli/issues/4127",
            |schema, _| values(schema, "enum").iter().all(Value::is_string),
            json!({ "type": "string", "enum": ["asc", null] }),
        ),
        rule(
            "Gemini API",
            "takes an enum with the type string only",
            "https://github.com/JetBrains/mcp-jetbrains/issues/71",
            |schema, _| !schema.contains_key("enum") || is_type(schema, "string"),
            json!({ "type": "integer", "enum": ["1"] }),
        ),
        rule(
            "Gemini API",
            "takes no object without properties",
            "https://github.com/MarkusPfundstein/mcp-obsidian/issues/21",
            |schema, _| !is_type(schema, "object") || !properties(schema).is_empty(),
            json!({ "type": "object" }),
        ),
        rule(
            "Gemini API",
            "takes properties and required with objects only",
            "https://github.com/anomalyco/opencode/issues/11889",
            |schema, _| {
                let has = |keyword| schema.contains_key(keyword);
                is_type(schema, "object") || !has("properties") && !has("required")
            },
            json!({ "type": "string", "properties": { "a": { "type": "string" } } }),
        ),
        rule(
            "Gemini API",
            "wants the items of each array",
            "https://github.com/kkrishnan90/gemini-desktop/pull/7",
            |schema, _| !is_type(schema, "array") || schema.contains_key("items"),
            json!({ "type": "array" }),
        ),
        rule(
            "Gemini API",
            "takes nothing beside anyOf",
            "https://github.com/langchain-ai/langchain-google/issues/1216",
            |schema, _| !schema.contains_key("anyOf") || schema.len() == 1,
            json!({ "description": "a", "anyOf": [{ "type": "string" }] }),
        ),
        rule(
            "Gemini API",
            "takes required names only if they are properties",
            "https://ai.google.dev/api/caching#Schema",
            |schema, _| {
                let is_there = |name: &Value| {
                    name.as_str().is_some_and(|name| properties(schema).contains_key(name))
                };
                values(schema, "required").iter().all(is_there)
            },
            json!({ "type": "object", "properties": { "a": { "type": "string" } },
                "required": ["b"] }),
        ),
        rule(
            "Gemini CLI",
            "skips a tool with an argument that has no type",
            "https://github.com/arben-adm/mcp-sequential-thinking/issues/12",
            |schema, _| schema.contains_key("type"),
            json!({ "description": "a" }),
        ),
        rule(
            "Gemini API",
            "takes of string formats only enum and date-time",
            "https://firebase.google.com/docs/reference/js/ai.schemashared",
            |schema, _| !schema.contains_key("format"),
            json!({ "type": "string", "format": "uuid" }),
        ),
    ]
}

/// Libraries that hand schemas to Gemini.
fn libraries() -> Vec<Rule> {
    vec![
        rule(
            "google-genai (Python)",
            "crashes on a boolean additionalProperties",
            "https://github.com/googleapis/python-genai/issues/2393",
            |schema, _| !schema.get("additionalProperties").is_some_and(Value::is_boolean),
            json!({ "type": "object", "properties": { "a": { "type": "string" } },
                "additionalProperties": false }),
        ),
        rule(
            "langchain-google-genai",
            "reads one type by its name, and no null",
            concat!(
                "https://github.com/langchain-ai/langchain-google/blob/main/",
                "libs/genai/langchain_google_genai/_function_utils.py"
            ),
            |schema, _| schema.get("type").is_none_or(|kind| kind.is_string() && kind != "null"),
            json!({ "type": ["string", "null"] }),
        ),
        rule(
            "LangChain.js, Google",
            "takes no propertyNames",
            "https://github.com/langchain-ai/langchainjs/issues/8584",
            |schema, _| !schema.contains_key("propertyNames"),
            json!({ "type": "object", "properties": { "a": { "type": "string" } },
                "propertyNames": { "minLength": 1 } }),
        ),
        rule(
            "Vercel AI SDK, Google",
            "drops an object without properties, and keeps it required",
            concat!(
                "https://github.com/vercel/ai/blob/main/",
                "packages/google/src/convert-json-schema-to-openapi-schema.ts"
            ),
            |schema, _| {
                let is_empty = |property: &Value| {
                    property["type"] == "object"
                        && property["properties"].as_object().is_none_or(Map::is_empty)
                };
                !properties(schema).values().any(is_empty)
            },
            json!({ "type": "object", "properties": { "a": { "type": "object" } },
                "required": ["a"] }),
        ),
    ]
}

/// Other vendors, and what follows of all rules.
fn others() -> Vec<Rule> {
    vec![
        rule(
            "Anthropic Messages API",
            "takes no anyOf, oneOf or allOf at the root",
            "https://github.com/anthropics/claude-code/issues/27337",
            |schema, is_root| {
                let has = |keyword: &str| schema.contains_key(keyword);
                !is_root || !["anyOf", "oneOf", "allOf"].into_iter().any(has)
            },
            json!({ "anyOf": [{ "type": "object" }] }),
        ),
        rule(
            "Anthropic Messages API",
            "takes names of 1 to 64 letters, digits, `_`, `.` and `-`",
            "https://platform.claude.com/docs/en/managed-agents/self-hosted-sandboxes",
            |schema, _| {
                let is_taken = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
                let mut names = properties(schema).keys();
                names.all(|name| (1..=64).contains(&name.len()) && name.chars().all(is_taken))
            },
            json!({ "type": "object", "properties": { "a b": { "type": "string" } } }),
        ),
        rule(
            "Anthropic Messages API",
            "takes no references",
            "https://platform.claude.com/docs/en/managed-agents/self-hosted-sandboxes",
            |schema, _| !schema.keys().any(|keyword| keyword.starts_with('$')),
            json!({ "$ref": "#/$defs/a" }),
        ),
        rule(
            "OpenAI, strict (openai-agents)",
            "takes no object that is open",
            "https://github.com/openai/openai-agents-python/blob/main/src/agents/strict_schema.py",
            |schema, _| schema.get("additionalProperties").is_none_or(|open| *open == false),
            json!({ "type": "object", "properties": { "a": { "type": "string" } },
                "additionalProperties": { "type": "string" } }),
        ),
        rule(
            "OpenAI, strict",
            "closes each object, so that one without properties can hold nothing",
            "https://platform.openai.com/docs/guides/structured-outputs#supported-schemas",
            |schema, is_root| {
                is_root || !is_type(schema, "object") || !properties(schema).is_empty()
            },
            json!({ "type": "object", "properties": {} }),
        ),
        rule(
            "this server",
            "publishes only what all of them take",
            "https://json-schema.org/draft/2020-12/json-schema-validation",
            |schema, _| {
                let published = [
                    "type",
                    "properties",
                    "required",
                    "items",
                    "enum",
                    "description",
                    "minimum",
                    "maximum",
                    "default",
                ];
                schema.keys().all(|keyword| published.contains(&keyword.as_str()))
            },
            json!({ "type": "string", "maxLength": 7 }),
        ),
        rule(
            "this server",
            "publishes no null",
            "https://json-schema.org/draft/2020-12/json-schema-validation",
            |schema, _| !schema.values().any(Value::is_null),
            json!({ "type": "string", "default": null }),
        ),
    ]
}

fn is_type(schema: &Map<String, Value>, kind: &str) -> bool {
    schema.get("type").is_some_and(|own| own == kind)
}

pub(super) fn properties(schema: &Map<String, Value>) -> &Map<String, Value> {
    static NONE: LazyLock<Map<String, Value>> = LazyLock::new(Map::new);
    schema.get("properties").and_then(Value::as_object).unwrap_or_else(|| &NONE)
}

pub(super) fn values<'a>(schema: &'a Map<String, Value>, keyword: &str) -> &'a [Value] {
    schema.get(keyword).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}
