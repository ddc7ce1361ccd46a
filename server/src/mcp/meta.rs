//! `_meta`: what a request says about itself.

use serde::{Deserialize, Deserializer, de};
use serde_json::value::RawValue;

use super::object::optional_object;
use crate::json_rpc::RequestId;

/// What a request says about itself beside its params.
#[derive(Debug, Default, Deserialize)]
pub struct Meta {
    /// Under which token the client wants to hear of progress.
    #[serde(rename = "progressToken")]
    pub progress_token: Option<ProgressToken>,
    /// The revision, from 2026-07-28 on.
    #[serde(rename = "io.modelcontextprotocol/protocolVersion")]
    pub protocol_version: Option<String>,
    /// What the client can do, from 2026-07-28 on.
    #[serde(rename = "io.modelcontextprotocol/clientCapabilities")]
    pub client_capabilities: Option<ClientCapabilities>,
    /// The least level of log messages that the client wants, from 2026-07-28 on.
    #[serde(rename = "io.modelcontextprotocol/logLevel")]
    pub log_level: Option<String>,
    /// The trace that the request belongs to (W3C Trace Context).
    pub traceparent: Option<String>,
    /// More of the same.
    pub tracestate: Option<String>,
}

/// A string or an integer, as JSON text.
#[derive(Debug, Clone)]
pub struct ProgressToken(Box<RawValue>);

impl ProgressToken {
    /// The token as it was sent.
    #[must_use]
    pub fn as_json(&self) -> &RawValue {
        &self.0
    }
}

impl<'de> Deserialize<'de> for ProgressToken {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let token = Box::<RawValue>::deserialize(deserializer)?;
        if RequestId::parse(token.get()).is_some() {
            Ok(Self(token))
        } else {
            Err(de::Error::custom("progressToken must be a short string or an integer"))
        }
    }
}

/// The client's capabilities, as it sent them: an object.
#[derive(Debug, Clone)]
pub struct ClientCapabilities(Box<RawValue>);

impl ClientCapabilities {
    /// The object.
    #[must_use]
    pub fn as_json(&self) -> &RawValue {
        &self.0
    }

    /// Whether the client can show the user a form.
    #[must_use]
    pub fn has_forms(&self) -> bool {
        #[derive(Deserialize)]
        struct Capabilities {
            #[serde(default, deserialize_with = "optional_object")]
            elicitation: Option<Elicitation>,
        }
        #[derive(Deserialize)]
        struct Elicitation {
            form: Option<de::IgnoredAny>,
            url: Option<de::IgnoredAny>,
        }
        let read = serde_json::from_str::<Capabilities>(self.0.get());
        // Naming no mode means forms (SEP-1036).
        read.ok()
            .and_then(|read| read.elicitation)
            .is_some_and(|elicitation| elicitation.form.is_some() || elicitation.url.is_none())
    }
}

impl<'de> Deserialize<'de> for ClientCapabilities {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let capabilities = Box::<RawValue>::deserialize(deserializer)?;
        if capabilities.get().starts_with('{') {
            Ok(Self(capabilities))
        } else {
            Err(de::Error::custom("the client's capabilities must be an object"))
        }
    }
}
