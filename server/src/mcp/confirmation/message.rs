//! What the user reads before a call runs. A text of any length must not hide what it does.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use crate::{
    scope::Scope,
    tools::{StatementSummary, Tool},
};

/// Longest value of an argument that is shown whole, in characters.
const WHOLE_MAX: usize = 300;
/// How much of a longer one is shown of its end, in characters.
const END: usize = 100;

/// The question about one call.
pub(super) fn message(tool: &Tool, arguments: &Map<String, Value>) -> String {
    let title = tool.listing().title.as_deref().unwrap_or(tool.name());
    let sql = arguments.get("sql").and_then(Value::as_str);
    let summary = sql.map(StatementSummary::of);
    let deletes = |arguments| tool.required_scopes(arguments).contains(Scope::Delete);
    // It is the settings that delete, which the tool's name does not say.
    let loses = if sql.is_none() && deletes(Some(arguments)) && !deletes(None) {
        "This can delete records, which can't be undone."
    } else {
        "This can't be undone."
    };
    let mut message = format!("{title}? {loses}");
    if let Some(StatementSummary { classes, tables, .. }) = &summary {
        // First, because a client may cut what is long.
        let _infallible = write!(message, "\nstatement: {}", classes.join(", "));
        if !tables.is_empty() {
            let tables = shown(&tables.join(", "));
            let _infallible = write!(message, "\ntables: {tables}");
        }
    }
    for (name, value) in arguments {
        let value = match (name.as_str(), &summary) {
            ("sql", Some(summary)) => shown(&summary.text),
            _ => shown(&plain(value)),
        };
        let _infallible = write!(message, "\n{name}: {value}");
    }
    message
}

/// `value` without JSON's marks, as far as it is names and texts.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(", "),
        Value::Object(members) => {
            let member = |(name, value): (&String, &Value)| format!("{name}={}", plain(value));
            members.iter().map(member).collect::<Vec<_>>().join(", ")
        }
        other => other.to_string(),
    }
}

/// `value` on one line: whole, or its beginning and its end.
fn shown(value: &str) -> String {
    let length = value.chars().count();
    if length <= WHOLE_MAX {
        return on_one_line(value.chars());
    }
    let begin = on_one_line(value.chars().take(WHOLE_MAX - END));
    let end = on_one_line(value.chars().skip(length - END));
    format!("{begin} … ({} characters are not shown) … {end}", length - WHOLE_MAX)
}

/// What breaks lines or is not seen is escaped; quotes are not, which people read.
fn on_one_line(text: impl Iterator<Item = char>) -> String {
    text.flat_map(|c| {
        let quote = matches!(c, '"' | '\'').then_some(c);
        let escaped = quote.is_none().then(|| c.escape_debug());
        quote.into_iter().chain(escaped.into_iter().flatten())
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_long_value_is_shown_with_its_beginning_and_its_end() {
        assert_eq!(shown("a\n\u{200b}\"b\""), "a\\n\\u{200b}\"b\"");
        assert_eq!(shown(&"é".repeat(WHOLE_MAX)), "é".repeat(WHOLE_MAX));
        let long = format!("first{}last", " ".repeat(1_000));
        let long = shown(&long);
        assert!(long.starts_with("first ") && long.ends_with(" last"), "{long}");
        assert!(long.contains("(709 characters are not shown)"), "{long}");
    }

    #[test]
    fn lists_and_settings_are_shown_without_marks_of_json() {
        for (value, expected) in [
            (json!(["a", "b"]), "a, b"),
            (json!({ "retention.ms": "1", "x": [2, null] }), "retention.ms=1, x=2, null"),
            (json!([{ "topic": "t", "partition": 0 }]), "partition=0, topic=t"),
            (json!(true), "true"),
        ] {
            let found = plain(&value);
            let mut names: Vec<_> = found.split(", ").collect();
            let mut wanted: Vec<_> = expected.split(", ").collect();
            names.sort_unstable();
            wanted.sort_unstable();
            assert_eq!(names, wanted);
        }
    }
}
