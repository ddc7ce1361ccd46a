//! Names of things in Lenses, as users give them.

use std::{borrow::Cow, fmt, str::FromStr};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// The longest name, in characters. Kafka's topics have at most 249, Kubernetes' objects 253.
const MAX_CHARACTERS: usize = 255;

/// The name of an environment, topic, group or other thing: 1 to 255 characters, none of them a
/// control character, and not `.` or `..`. Those two can't be a segment of a URL's path (WHATWG URL
/// §4.4 removes them, encoded or not), and nothing in Kafka may be called so. Any other text is a
/// name, `/` and `?` included.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Name(String);

impl Name {
    /// The name as it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Why a text is not a [`Name`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing, or only white space.
    #[error("is empty; give a name")]
    Empty,
    /// More than 255 characters.
    #[error("is longer than {MAX_CHARACTERS} characters")]
    TooLong,
    /// A line break, NUL or other control character.
    #[error("holds a control character; give the name as the list tools show it")]
    ControlCharacter,
    /// `.` or `..`.
    #[error("is a relative path, which can't be a name")]
    Relative,
}

impl TryFrom<String> for Name {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        if text.trim().is_empty() {
            Err(NameError::Empty)
        } else if text.chars().nth(MAX_CHARACTERS).is_some() {
            Err(NameError::TooLong)
        } else if text.chars().any(char::is_control) {
            Err(NameError::ControlCharacter)
        } else if matches!(text.as_str(), "." | "..") {
            Err(NameError::Relative)
        } else {
            Ok(Self(text))
        }
    }
}

impl FromStr for Name {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        text.to_owned().try_into()
    }
}

impl From<Name> for String {
    fn from(name: Name) -> Self {
        name.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl JsonSchema for Name {
    fn schema_name() -> Cow<'static, str> {
        "Name".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "minLength": 1, "maxLength": MAX_CHARACTERS })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_printable_text_is_a_name() {
        for text in [
            "orders",
            "a/b",
            "../x",
            "a?b#c",
            "%2e%2e",
            "ordérs",
            " padded ",
            "...",
            &"x".repeat(255),
        ] {
            assert_eq!(text.parse::<Name>().unwrap().as_str(), text);
        }
    }

    #[test]
    fn what_can_be_no_name_is_refused_with_the_reason() {
        for (text, error) in [
            ("", NameError::Empty),
            (" \t", NameError::Empty),
            (".", NameError::Relative),
            ("..", NameError::Relative),
            ("a\nb", NameError::ControlCharacter),
            ("a\0", NameError::ControlCharacter),
            ("a\u{85}b", NameError::ControlCharacter),
            (&"ü".repeat(256), NameError::TooLong),
        ] {
            assert_eq!(text.parse::<Name>(), Err(error), "{text:?}");
        }
    }
}
