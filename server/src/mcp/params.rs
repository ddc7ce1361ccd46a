//! The params of each method.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, de};
use serde_json::{Map, Value, value::RawValue};

use super::{
    meta::{ClientCapabilities, Meta},
    object::{object, optional_object},
};
use crate::json;

/// Params of a method that has none.
#[derive(Debug, Default, Deserialize)]
pub struct NoParams {
    #[serde(rename = "_meta", default, deserialize_with = "optional_object")]
    pub(super) meta: Option<Meta>,
}

/// Params of `initialize`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InitializeParams {
    #[serde(rename = "_meta", default, deserialize_with = "optional_object")]
    pub(super) meta: Option<Meta>,
    /// The revision that the client asks for.
    pub protocol_version: String,
    /// What the client can do.
    pub capabilities: ClientCapabilities,
}

/// Params of the lists.
#[derive(Debug, Default, Deserialize)]
pub struct ListParams {
    #[serde(rename = "_meta", default, deserialize_with = "optional_object")]
    pub(super) meta: Option<Meta>,
    /// Where to go on.
    pub cursor: Option<String>,
}

/// Params of `tools/call`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CallToolParams {
    #[serde(rename = "_meta", default, deserialize_with = "optional_object")]
    pub(super) meta: Option<Meta>,
    /// The tool.
    pub name: String,
    /// Its arguments.
    #[serde(default, deserialize_with = "arguments")]
    pub arguments: Map<String, Value>,
    /// What the user answered (SEP-2322).
    pub input_responses: Option<Map<String, Value>>,
    /// The sealed text that was given with the question (SEP-2322).
    pub request_state: Option<String>,
}

/// Params of `prompts/get`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetPromptParams {
    #[serde(rename = "_meta", default, deserialize_with = "optional_object")]
    pub(super) meta: Option<Meta>,
    /// The prompt.
    pub name: String,
    /// Its arguments.
    #[serde(default, deserialize_with = "arguments")]
    pub arguments: Map<String, Value>,
    /// What the user answered (SEP-2322).
    pub input_responses: Option<Map<String, Value>>,
}

/// Params of `resources/read`.
#[derive(Debug, Deserialize)]
pub struct ReadResourceParams {
    #[serde(rename = "_meta", default, deserialize_with = "optional_object")]
    pub(super) meta: Option<Meta>,
    /// The resource.
    pub uri: String,
}

/// Params of `completion/complete`.
#[derive(Debug, Deserialize)]
pub struct CompleteParams {
    #[serde(rename = "_meta", default, deserialize_with = "optional_object")]
    pub(super) meta: Option<Meta>,
    /// What the argument belongs to.
    #[serde(rename = "ref", deserialize_with = "object")]
    pub reference: Reference,
    /// The argument as far as it is typed.
    #[serde(deserialize_with = "object")]
    pub argument: TypedArgument,
    /// Values of other arguments.
    #[serde(default, deserialize_with = "optional_object")]
    pub context: Option<CompletionContext>,
}

/// What is completed.
#[derive(Debug, Deserialize)]
#[serde(tag = "type")]
pub enum Reference {
    /// An argument of a prompt.
    #[serde(rename = "ref/prompt")]
    Prompt {
        /// The prompt.
        name: String,
    },
    /// A variable of a resource template.
    #[serde(rename = "ref/resource")]
    Resource {
        /// The template.
        uri: String,
    },
}

/// An argument that is being typed.
#[derive(Debug, Deserialize)]
pub struct TypedArgument {
    /// Its name.
    pub name: String,
    /// What is typed so far.
    pub value: String,
}

/// What is known while an argument is typed.
#[derive(Debug, Deserialize)]
pub struct CompletionContext {
    /// Other arguments, by name.
    pub arguments: Option<BTreeMap<String, String>>,
}

/// An object of arguments, or null for none. A repeated name is an error, at whatever depth: a
/// gateway could have checked the first and this server would use the last.
fn arguments<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Map<String, Value>, D::Error> {
    let Some(text) = Option::<Box<RawValue>>::deserialize(deserializer)? else {
        return Ok(Map::new());
    };
    match json::plain(text.get()) {
        Ok(Value::Object(arguments)) => Ok(arguments),
        Ok(_) => Err(de::Error::custom("expected an object of arguments")),
        Err(error) => {
            let error = error.to_string();
            // The place is one in the arguments, not in the message.
            let reason = error.rsplit_once(" at line ").map_or(&*error, |(reason, _)| reason);
            Err(de::Error::custom(reason))
        }
    }
}
