//! JSON objects whose fields are HQ's business.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use crate::lenses::Object;

/// Most fields of a [`Document`].
const MAX_FIELDS: usize = 500;

/// A JSON object that is passed on as it is: at most 500 fields. The bound on a request's body limits the rest.
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
        json_schema!({ "type": "object", "additionalProperties": true, "maxProperties": MAX_FIELDS })
    }
}
