//! What the user reads before a call runs. A text of any length must not hide what it does.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use crate::tools::{StatementSummary, Tool};

/// Longest value of an argument that is shown whole, in characters.
const WHOLE_MAX: usize = 300;
/// How much of a longer one is shown of its end, in characters.
const END: usize = 100;

/// The question about one call.
pub(super) fn message(tool: &Tool, arguments: &Map<String, Value>) -> String {
    let title = tool.listing().title.as_deref().unwrap_or(tool.name());
    let mut message = format!("{title}? This can't be undone.");
    let sql = arguments.get("sql").and_then(Value::as_str);
    let summary = sql.map(StatementSummary::of);
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
            _ => shown(&value.as_str().map_or_else(|| value.to_string(), str::to_owned)),
        };
        let _infallible = write!(message, "\n{name}: {value}");
    }
    message
}

/// `value` on one line: whole, or its beginning and its end.
fn shown(value: &str) -> String {
    let length = value.chars().count();
    if length <= WHOLE_MAX {
        return value.escape_debug().to_string();
    }
    let begin: String = value.chars().take(WHOLE_MAX - END).collect();
    let end: String = value.chars().skip(length - END).collect();
    let (begin, end) = (begin.escape_debug(), end.escape_debug());
    format!("{begin} … ({} characters are not shown) … {end}", length - WHOLE_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_value_is_shown_with_its_beginning_and_its_end() {
        assert_eq!(shown("a\nb"), "a\\nb");
        assert_eq!(shown(&"é".repeat(WHOLE_MAX)), "é".repeat(WHOLE_MAX));
        let long = format!("first{}last", " ".repeat(1_000));
        let long = shown(&long);
        assert!(long.starts_with("first ") && long.ends_with(" last"), "{long}");
        assert!(long.contains("(709 characters are not shown)"), "{long}");
    }
}
