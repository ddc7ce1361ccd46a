//! The methods of MCP: the one table of names and of the types of their params, and how params are
//! read.

use bytes::Bytes;
use http::StatusCode;
use serde::Deserialize;

use super::{
    meta::Meta,
    object::OfObject,
    params::{
        CallToolParams, CompleteParams, GetPromptParams, InitializeParams, ListParams, NoParams,
        ReadResourceParams,
    },
};
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

            /// The method's name for a log: one that this server does not have is the caller's
            /// text.
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

/// Whether `params` say their revision in `_meta`. Those that do have no `initialize`.
fn has_version(params: Option<&[u8]>) -> bool {
    let meta = read::<NoParams>("initialize", params).ok().and_then(|params| params.meta);
    meta.is_some_and(|meta| meta.protocol_version.is_some())
}

/// Reads `params` as `P`; none at all as an empty object.
fn read<P: for<'de> Deserialize<'de>>(method: &str, params: Option<&[u8]>) -> Result<P, RpcError> {
    let params = params.unwrap_or(b"{}");
    let read = serde_json::from_slice(params).map(|OfObject(params)| params);
    read.map_err(|_| {
        // Once more, now for the path to what is wrong.
        let mut deserializer = serde_json::Deserializer::from_slice(params);
        let found = serde_path_to_error::deserialize::<_, OfObject<P>>(&mut deserializer).err();
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
