//! Settings of topics.

use std::{borrow::Cow, collections::BTreeMap};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de::Error as _};

use super::{KeyValues, shortened};

/// `MIN` to 100 settings by name, text to text: see [`KeyValues`].
#[derive(Debug, Clone, Default)]
pub(in crate::tools) struct Configs<const MIN: usize = 0>(Vec<(String, String)>);

const MAX_CONFIGS: usize = 100;
const MAX_CONFIG_KEY: usize = 255;
const MAX_CONFIG_VALUE: usize = 10_000;

impl<const MIN: usize> Configs<MIN> {
    /// In the order in which they were given.
    pub(in crate::tools) fn into_vec(self) -> Vec<(String, String)> {
        self.0
    }

    pub(in crate::tools) fn into_map(self) -> BTreeMap<String, String> {
        self.0.into_iter().collect()
    }

    fn check(configs: &[(String, String)]) -> Result<(), String> {
        if configs.len() < MIN {
            return Err(format!("has fewer than {MIN} entries"));
        }
        if configs.len() > MAX_CONFIGS {
            return Err(format!("has more than {MAX_CONFIGS} entries"));
        }
        for (key, value) in configs {
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
        Ok(())
    }
}

impl<'de, const MIN: usize> Deserialize<'de> for Configs<MIN> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let KeyValues(configs) = KeyValues::deserialize(deserializer)?;
        Self::check(&configs).map_err(D::Error::custom)?;
        Ok(Self(configs))
    }
}

impl<const MIN: usize> JsonSchema for Configs<MIN> {
    fn schema_name() -> Cow<'static, str> {
        format!("Configs_{MIN}").into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let key = json_schema!({ "minLength": 1, "maxLength": MAX_CONFIG_KEY });
        let value = json_schema!({ "type": "string", "maxLength": MAX_CONFIG_VALUE });
        json_schema!({ "anyOf": [
            {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {
                        "key": {
                            "type": "string",
                            "minLength": 1,
                            "maxLength": MAX_CONFIG_KEY,
                        },
                        "value": { "type": "string", "maxLength": MAX_CONFIG_VALUE },
                    },
                    "required": ["key", "value"],
                    "additionalProperties": false,
                },
                "minItems": MIN,
                "maxItems": MAX_CONFIGS,
            },
            {
                "type": "object",
                "additionalProperties": value,
                "propertyNames": key,
                "minProperties": MIN,
                "maxProperties": MAX_CONFIGS,
            },
        ] })
    }
}
