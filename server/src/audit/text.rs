//! Texts of others in a line.

use std::{borrow::Cow, fmt};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Serialize, Serializer};

/// Longest text of a caller or of HQ, in bytes.
const TEXT_MAX: usize = 255;

/// A text of a caller's or of HQ's: cut, and without control characters.
#[derive(Debug, Clone, Copy)]
pub(super) struct Text<'a>(pub(super) &'a str);

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cut = self.0.floor_char_boundary(self.0.len().min(TEXT_MAX));
        let kept = self.0.get(..cut).unwrap_or_default();
        for part in kept.split_inclusive(char::is_control) {
            let plain = part.trim_end_matches(char::is_control);
            f.write_str(plain)?;
            if plain.len() < part.len() {
                f.write_str("\u{fffd}")?;
            }
        }
        if kept.len() < self.0.len() { f.write_str("…") } else { Ok(()) }
    }
}

impl Serialize for Text<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl JsonSchema for Text<'_> {
    fn schema_name() -> Cow<'static, str> {
        "Text".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "maxLength": TEXT_MAX + 1 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_and_has_no_control_characters() {
        for (text, shown) in [
            ("payments", "payments".to_owned()),
            ("a\nb\u{7f}", "a\u{fffd}b\u{fffd}".to_owned()),
            (&"x".repeat(255), "x".repeat(255)),
            (&"x".repeat(256), format!("{}…", "x".repeat(255))),
            (&"é".repeat(128), format!("{}…", "é".repeat(127))),
        ] {
            assert_eq!(Text(text).to_string(), shown);
        }
    }
}
