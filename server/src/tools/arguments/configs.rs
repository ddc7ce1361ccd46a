//! Settings of topics and the like.

use std::{borrow::Cow, collections::BTreeMap};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use super::shortened;

/// Settings by name, text to text.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(try_from = "BTreeMap<String, String>")]
pub(in crate::tools) struct Configs(BTreeMap<String, String>);

const MAX_CONFIGS: usize = 100;
const MAX_CONFIG_KEY: usize = 255;
const MAX_CONFIG_VALUE: usize = 10_000;

impl Configs {
    pub(in crate::tools) fn into_map(self) -> BTreeMap<String, String> {
        self.0
    }
}

impl TryFrom<BTreeMap<String, String>> for Configs {
    type Error = String;

    fn try_from(configs: BTreeMap<String, String>) -> Result<Self, String> {
        if configs.len() > MAX_CONFIGS {
            return Err(format!("has more than {MAX_CONFIGS} entries"));
        }
        for (key, value) in &configs {
            let shown = shortened(key);
            if key.trim().is_empty() || key.chars().nth(MAX_CONFIG_KEY).is_some() {
                return Err(format!(
                    "the name {shown:?} must have 1 to {MAX_CONFIG_KEY} characters"
                ));
            }
            if value.chars().nth(MAX_CONFIG_VALUE).is_some() {
                return Err(format!(
                    "the value of {shown:?} is longer than {MAX_CONFIG_VALUE} characters"
                ));
            }
            if key.chars().chain(value.chars()).any(char::is_control) {
                return Err(format!("{shown:?} or its value holds a control character"));
            }
        }
        Ok(Self(configs))
    }
}

impl JsonSchema for Configs {
    fn schema_name() -> Cow<'static, str> {
        "Configs".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "object",
            "additionalProperties": { "type": "string", "maxLength": MAX_CONFIG_VALUE },
            "propertyNames": { "minLength": 1, "maxLength": MAX_CONFIG_KEY },
            "maxProperties": MAX_CONFIGS,
        })
    }
}
