//! The environment that a call is for, which nearly every tool needs.

use std::{borrow::Cow, ops::Deref};

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;

use super::KnownEnvironmentName;
use crate::lenses::Name;

/// The name of an environment.
#[derive(Debug, Clone, Deserialize)]
pub(in crate::tools) struct Environment(KnownEnvironmentName);

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
        let mut schema = KnownEnvironmentName::json_schema(generator);
        schema.insert("description".to_owned(), "See list_environments.".into());
        schema
    }
}
