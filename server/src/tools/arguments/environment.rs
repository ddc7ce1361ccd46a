//! Names of environments: those that are there, which nearly every tool needs, and new ones.

use std::{borrow::Cow, ops::Deref};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use crate::lenses::Name;

/// The name of an environment.
#[derive(Debug, Clone, Deserialize)]
pub(in crate::tools) struct Environment(Name);

impl Deref for Environment {
    type Target = Name;

    fn deref(&self) -> &Name {
        &self.0
    }
}

impl JsonSchema for Environment {
    fn schema_name() -> Cow<'static, str> {
        "Environment".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = Name::json_schema(generator);
        schema.insert(
            "description".to_owned(),
            "Name of the environment, as list_environments shows it.".into(),
        );
        schema
    }
}

/// The name of a new environment. HQ makes addresses of it, so that it is a DNS label (RFC 1123 §2.1) in lower case: 1 to 63
/// letters, digits and hyphens, with no hyphen at either end.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub(in crate::tools) struct EnvironmentName(Name);

/// The longest DNS label.
const MAX_LABEL: usize = 63;

impl EnvironmentName {
    pub(in crate::tools) fn into_name(self) -> Name {
        self.0
    }
}

impl TryFrom<String> for EnvironmentName {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let is_allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if text.len() > MAX_LABEL
            || !text.chars().all(is_allowed)
            || text.starts_with('-')
            || text.ends_with('-')
        {
            return Err(format!(
                "must be at most {MAX_LABEL} lower-case letters (a-z), digits and hyphens, with no hyphen at either end"
            ));
        }
        Name::try_from(text).map(Self).map_err(|fault| fault.to_string())
    }
}

impl JsonSchema for EnvironmentName {
    fn schema_name() -> Cow<'static, str> {
        "EnvironmentName".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "minLength": 1,
            "maxLength": MAX_LABEL,
            "pattern": "^[a-z0-9]([a-z0-9-]*[a-z0-9])?$",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fault_18_a_new_environment_has_a_name_of_lower_case_letters_digits_and_inner_hyphens() {
        for name in ["a", "0", "dev", "dev-2", "a--b", &"x".repeat(63)] {
            assert_eq!(
                EnvironmentName::try_from(name.to_owned()).unwrap().into_name().as_str(),
                name
            );
        }
        for name in [
            "",
            "-",
            "-dev",
            "dev-",
            "Dev",
            "dev_2",
            "dev.2",
            "dév",
            "d e",
            "a/b",
            "..",
            "dev\n",
            &"x".repeat(64),
        ] {
            assert!(EnvironmentName::try_from(name.to_owned()).is_err(), "{name:?}");
        }
    }
}
