//! Texts that are no names: statements, descriptions.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// A text of `MIN` to `MAX` characters, not all of them white space. `MIN` is 0 only where an empty
/// text says something: that there shall be none. Line breaks and tabs are text; other control
/// characters are not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub(in crate::tools) struct Text<const MAX: usize, const MIN: usize = 1>(String);

impl<const MAX: usize, const MIN: usize> Text<MAX, MIN> {
    pub(in crate::tools) fn as_str(&self) -> &str {
        &self.0
    }
}

impl<const MAX: usize, const MIN: usize> TryFrom<String> for Text<MAX, MIN> {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if text.trim().chars().count() < MIN {
            Err("is empty".to_owned())
        } else if text.chars().nth(MAX).is_some() {
            Err(format!("is longer than {MAX} characters"))
        } else if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
            Err("holds a control character".to_owned())
        } else {
            Ok(Self(text))
        }
    }
}

impl<const MAX: usize, const MIN: usize> JsonSchema for Text<MAX, MIN> {
    fn schema_name() -> Cow<'static, str> {
        format!("Text_{MIN}_{MAX}").into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "minLength": MIN, "maxLength": MAX })
    }
}
