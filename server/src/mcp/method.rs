//! The methods of MCP: the one table of names and of the types that their params have.

use std::{collections::BTreeMap, fmt};

use bytes::Bytes;
use http::StatusCode;
use serde::{Deserialize, Deserializer, de};
use serde_json::{Map, Value, value::RawValue};

use crate::{
    json_rpc::RpcError,
    tools::{self, Tool},
};

/// Stands in logs for a name that this server does not know: a caller's text is not repeated.
pub(super) const UNKNOWN: &str = "(unknown)";
/// Longest message about params, in characters: it may repeat a part of them.
const MESSAGE_MAX: usize = 200;

macro_rules! methods {
    ($($(#[$doc:meta])* $name:literal = $method:ident($params:ty),)+) => {
        /// A request's method and its params.
        #[derive(Debug)]
        pub enum Call {
            $($(#[$doc])* $method($params),)+
            /// A method that this server does not have.
            Unknown {
                /// Its name.
                method: String,
                /// Its params, unread.
                params: Option<Bytes>,
            },
        }

        impl Call {
            /// The method's name.
            #[must_use]
            pub fn method(&self) -> &str {
                match self {
                    $(Self::$method(_) => $name,)+
                    Self::Unknown { method, .. } => method,
                }
            }

            /// The method's name for a log: one that this server does not have is the caller's text.
            #[must_use]
            pub fn known_method(&self) -> &'static str {
                match self {
                    $(Self::$method(_) => $name,)+
                    Self::Unknown { .. } => UNKNOWN,
                }
            }

            /// Reads `params` as what `method` takes, and takes `_meta` out of them.
            ///
            /// # Errors
            ///
            /// -32602 that names the field (JSON-RPC 2.0 §5.1).
            pub fn parse(method: &str, params: Option<Bytes>) -> Result<(Self, Meta), RpcError> {
                match method {
                    "initialize" if has_version(params.as_deref()) => {
                        let meta = read::<NoParams>(method, params.as_deref())?.meta;
                        let method = method.to_owned();
                        Ok((Self::Unknown { method, params }, meta.unwrap_or_default()))
                    }
                    $($name => {
                        let mut params: $params = read($name, params.as_deref())?;
                        let meta = params.meta.take().unwrap_or_default();
                        Ok((Self::$method(params), meta))
                    })+
                    _ => {
                        let meta = params.as_deref().map_or(Ok(NoParams::default()), |params| {
                            read("an unknown method", Some(params))
                        })?;
                        let method = method.to_owned();
                        Ok((Self::Unknown { method, params }, meta.meta.unwrap_or_default()))
                    }
                }
            }
        }
    };
}

methods! {
    /// The handshake of the revisions before 2026-07-28.
    "initialize" = Initialize(InitializeParams),
    /// Is anybody there? Before 2026-07-28.
    "ping" = Ping(NoParams),
    /// What the server is and speaks. From 2026-07-28 on.
    "server/discover" = Discover(NoParams),
    /// The tools.
    "tools/list" = ListTools(ListParams),
    /// A call of a tool.
    "tools/call" = CallTool(CallToolParams),
    /// The prompts.
    "prompts/list" = ListPrompts(ListParams),
    /// A prompt, filled in.
    "prompts/get" = GetPrompt(GetPromptParams),
    /// The resources that have a name of their own.
    "resources/list" = ListResources(ListParams),
    /// The kinds of resources.
    "resources/templates/list" = ListResourceTemplates(ListParams),
    /// A resource's content.
    "resources/read" = ReadResource(ReadResourceParams),
    /// Values for an argument.
    "completion/complete" = Complete(CompleteParams),
}

impl Call {
    /// The tool that is called, if one is; its name for a log, as of [`Self::known_method`].
    #[must_use]
    pub fn known_tool(&self) -> Option<&'static str> {
        match self {
            Self::CallTool(params) => {
                Some(tools::registry().find(&params.name).map_or(UNKNOWN, Tool::name))
            }
            _ => None,
        }
    }
}

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
        if crate::json_rpc::RequestId::parse(token.get()).is_some() {
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

/// Params of a method that has none.
#[derive(Debug, Default, Deserialize)]
pub struct NoParams {
    #[serde(rename = "_meta")]
    meta: Option<Meta>,
}

/// Params of `initialize`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InitializeParams {
    #[serde(rename = "_meta")]
    meta: Option<Meta>,
    /// The revision that the client asks for.
    pub protocol_version: String,
    /// What the client can do.
    pub capabilities: ClientCapabilities,
}

/// Params of the lists.
#[derive(Debug, Default, Deserialize)]
pub struct ListParams {
    #[serde(rename = "_meta")]
    meta: Option<Meta>,
    /// Where to go on.
    pub cursor: Option<String>,
}

/// Params of `tools/call`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CallToolParams {
    #[serde(rename = "_meta")]
    meta: Option<Meta>,
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
    #[serde(rename = "_meta")]
    meta: Option<Meta>,
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
    #[serde(rename = "_meta")]
    meta: Option<Meta>,
    /// The resource.
    pub uri: String,
}

/// Params of `completion/complete`.
#[derive(Debug, Deserialize)]
pub struct CompleteParams {
    #[serde(rename = "_meta")]
    meta: Option<Meta>,
    /// What the argument belongs to.
    #[serde(rename = "ref")]
    pub reference: Reference,
    /// The argument as far as it is typed.
    pub argument: TypedArgument,
    /// Values of other arguments.
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

/// An object of arguments, or null for none. A repeated name is an error: a gateway could have
/// checked the first and this server would use the last.
fn arguments<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Map<String, Value>, D::Error> {
    struct Arguments;
    impl<'de> de::Visitor<'de> for Arguments {
        type Value = Map<String, Value>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object of arguments")
        }

        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok(Map::new())
        }

        fn visit_map<A: de::MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
            let mut arguments = Map::new();
            while let Some((name, value)) = entries.next_entry::<String, Value>()? {
                if arguments.insert(name, value).is_some() {
                    return Err(de::Error::custom("an argument is given twice"));
                }
            }
            Ok(arguments)
        }
    }
    deserializer.deserialize_any(Arguments)
}

/// Whether `params` say their revision in `_meta`. Those that do have no `initialize`.
fn has_version(params: Option<&[u8]>) -> bool {
    let meta = read::<NoParams>("initialize", params).ok().and_then(|params| params.meta);
    meta.is_some_and(|meta| meta.protocol_version.is_some())
}

/// Reads `params` as `P`; none at all as an empty object.
fn read<P: for<'de> Deserialize<'de>>(method: &str, params: Option<&[u8]>) -> Result<P, RpcError> {
    let params = params.unwrap_or(b"{}");
    serde_json::from_slice(params).map_err(|_| {
        // Once more, now for the path to what is wrong.
        let mut deserializer = serde_json::Deserializer::from_slice(params);
        let found = serde_path_to_error::deserialize::<_, P>(&mut deserializer).err();
        let message = found.map_or_else(
            || format!("{method}: params are not one object"),
            |error| {
                let path = error.path().to_string();
                let path = if path == "." { String::new() } else { format!(".{path}") };
                let inner = error.inner().to_string();
                // A place in a text that the client did not write is of no use.
                let inner = inner.rsplit_once(" at line ").map_or(&*inner, |(reason, _)| reason);
                format!("{method}: params{path}: {inner}")
            },
        );
        RpcError::invalid_params(message.chars().take(MESSAGE_MAX).collect::<String>())
            .with_status(StatusCode::BAD_REQUEST)
    })
}
