//! JSON objects whose fields are HQ's business.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};

use super::KeyValues;
use crate::lenses::Object;

/// Most fields of a [`Document`].
const MAX_FIELDS: usize = 500;

/// A JSON object that is passed on as it is: at most 500 fields. The bound on a request's body
/// limits the rest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Object")]
pub(in crate::tools) struct Document(Object);

impl Document {
    pub(in crate::tools) fn into_object(self) -> Object {
        self.0
    }
}

impl TryFrom<Object> for Document {
    type Error = String;

    fn try_from(object: Object) -> Result<Self, String> {
        if object.len() > MAX_FIELDS {
            Err(format!("has more than {MAX_FIELDS} fields"))
        } else {
            Ok(Self(object))
        }
    }
}

impl JsonSchema for Document {
    fn schema_name() -> Cow<'static, str> {
        "Document".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "object", "additionalProperties": true, "maxProperties": MAX_FIELDS
        })
    }
}

/// A [`Document`] whose fields may also be written as a list: see [`KeyValues`].
#[derive(Debug, Clone)]
pub(in crate::tools) struct Fields(Document);

impl Fields {
    pub(in crate::tools) fn into_object(self) -> Object {
        self.0.into_object()
    }
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let KeyValues(fields) = KeyValues::deserialize(deserializer)?;
        let object: Object = fields.into_iter().collect();
        Document::try_from(object).map(Self).map_err(D::Error::custom)
    }
}

impl JsonSchema for Fields {
    fn schema_name() -> Cow<'static, str> {
        "Fields".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let object = Document::json_schema(generator);
        json_schema!({ "anyOf": [
            {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {
                        "key": { "type": "string" },
                        // Text is what nearly all of them are.
                        "value": { "anyOf": [
                            { "type": "string" },
                            { "type": "number" },
                            { "type": "boolean" },
                            { "type": "array" },
                            { "type": "object" },
                        ] },
                    },
                    "required": ["key", "value"],
                    "additionalProperties": false,
                },
                "maxItems": MAX_FIELDS,
            },
            object,
        ] })
    }
}
