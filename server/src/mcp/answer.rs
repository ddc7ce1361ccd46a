//! What a method answers, and how that is written as a JSON-RPC message.

use serde::Serialize;

use super::revision::Revision;
use crate::{
    json_rpc::{RequestId, RpcError},
    tools::ToolResult,
};

/// Room for what surrounds a result.
const ENVELOPE: usize = 256;

/// What a method answers: the members of its result, and what is said about them.
#[derive(Debug)]
pub struct Answer {
    content: Content,
    result_type: &'static str,
    ttl_ms: Option<u64>,
    /// The session id that the response gives the client.
    pub(super) session: Option<String>,
}

#[derive(Debug)]
enum Content {
    /// Members of a JSON object, without its braces.
    Members(Vec<u8>),
    Tool(ToolResult),
}

/// What a handler comes to.
pub type Outcome = Result<Answer, RpcError>;

impl Answer {
    /// A result with the members of `object`, which serialises as a JSON object.
    ///
    /// # Errors
    ///
    /// -32603 for anything else.
    pub fn object(object: &impl Serialize) -> Outcome {
        let not_an_object = || {
            RpcError::internal(http::StatusCode::INTERNAL_SERVER_ERROR, "the result is not JSON")
        };
        let mut members = serde_json::to_vec(object).map_err(|_| not_an_object())?;
        if !members.starts_with(b"{") {
            return Err(not_an_object());
        }
        // Its braces, in place: what is between them may be long.
        members.pop();
        members.remove(0);
        Ok(Self::members(members))
    }

    /// A result with these members: JSON without the braces around it.
    pub(super) fn members(members: Vec<u8>) -> Self {
        Self {
            content: Content::Members(members),
            result_type: "complete",
            ttl_ms: None,
            session: None,
        }
    }

    /// A tool's result.
    #[must_use]
    pub fn tool(result: ToolResult) -> Self {
        Self { content: Content::Tool(result), ..Self::members(Vec::new()) }
    }

    /// The members of the result, without what the response adds to them.
    ///
    /// # Errors
    ///
    /// They are not JSON.
    pub fn to_value(&self) -> serde_json::Result<serde_json::Value> {
        let mut object = vec![b'{'];
        match &self.content {
            Content::Members(members) => object.extend_from_slice(members),
            Content::Tool(result) => write_members(result, &mut object),
        }
        object.push(b'}');
        serde_json::from_slice(&object)
    }

    /// Whether it is a tool's result that is an error.
    #[must_use]
    pub fn is_error(&self) -> bool {
        matches!(&self.content, Content::Tool(result) if result.is_error())
    }

    /// The same as a result that asks for input (SEP-2322).
    #[must_use]
    pub fn input_required(self) -> Self {
        Self { result_type: "input_required", ..self }
    }

    /// The same as a result that the caller alone may keep for `ttl_ms`.
    #[must_use]
    pub fn cacheable(self, ttl_ms: u64) -> Self {
        Self { ttl_ms: Some(ttl_ms), ..self }
    }

    /// The same in the session that `other` gives the client.
    #[must_use]
    pub fn in_session_of(self, other: Self) -> Self {
        self.with_session(other.session)
    }

    pub(super) fn with_session(self, session: Option<String>) -> Self {
        Self { session, ..self }
    }

    /// Appends the whole JSON-RPC message to `buffer`. `server` is this server's description, as
    /// JSON.
    pub(super) fn write(
        &self,
        id: &RequestId,
        revision: Revision,
        server: &str,
        buffer: &mut Vec<u8>,
    ) {
        buffer.extend_from_slice(b"{\"jsonrpc\":\"2.0\",\"id\":");
        buffer.extend_from_slice(id.as_json().as_bytes());
        buffer.extend_from_slice(b",\"result\":{");
        let start = buffer.len();
        let mut meta = "";
        match &self.content {
            Content::Members(members) => buffer.extend_from_slice(members),
            Content::Tool(result) => {
                write_members(result, buffer);
                meta = meta_members(result);
            }
        }
        let mut member = |text: &str| {
            if buffer.len() > start {
                buffer.push(b',');
            }
            buffer.extend_from_slice(text.as_bytes());
        };
        if revision.is_stateless() {
            member("\"resultType\":\"");
            buffer.extend_from_slice(self.result_type.as_bytes());
            if let Some(ttl_ms) = self.ttl_ms {
                buffer.extend_from_slice(b"\",\"cacheScope\":\"private\",\"ttlMs\":");
                buffer.extend_from_slice(ttl_ms.to_string().as_bytes());
                buffer.extend_from_slice(b",\"_meta\":{");
            } else {
                buffer.extend_from_slice(b"\",\"_meta\":{");
            }
            buffer.extend_from_slice(meta.as_bytes());
            if !meta.is_empty() {
                buffer.push(b',');
            }
            buffer.extend_from_slice(b"\"io.modelcontextprotocol/serverInfo\":");
            buffer.extend_from_slice(server.as_bytes());
            buffer.push(b'}');
        } else if !meta.is_empty() {
            member("\"_meta\":{");
            buffer.extend_from_slice(meta.as_bytes());
            buffer.push(b'}');
        }
        buffer.extend_from_slice(b"}}");
    }

    /// About the length of the whole message, in bytes.
    pub(super) fn size_hint(&self) -> usize {
        ENVELOPE
            + match &self.content {
                Content::Members(members) => members.len(),
                Content::Tool(result) => {
                    let text: usize = result.blocks().map(str::len).sum();
                    // Quotes in the text need a backslash each.
                    text + text / 4 + result.structured().map_or(0, str::len)
                }
            }
    }
}

/// Writes the members of a tool's result, each text escaped straight into `buffer`.
fn write_members(result: &ToolResult, buffer: &mut Vec<u8>) {
    buffer.extend_from_slice(b"\"content\":[");
    for (index, text) in result.blocks().enumerate() {
        if index > 0 {
            buffer.push(b',');
        }
        buffer.extend_from_slice(b"{\"type\":\"text\",\"text\":");
        // Writing to memory does not fail, and a text can always be written.
        let _infallible = serde_json::to_writer(&mut *buffer, text);
        buffer.push(b'}');
    }
    buffer.extend_from_slice(b"],\"isError\":");
    buffer.extend_from_slice(if result.is_error() { b"true" } else { b"false" });
    if let Some(structured) = result.structured() {
        buffer.extend_from_slice(b",\"structuredContent\":");
        buffer.extend_from_slice(structured.as_bytes());
    }
}

fn meta_members(result: &ToolResult) -> &'static str {
    if result.is_wrapped() { "\"fastmcp\":{\"wrap_result\":true}" } else { "" }
}
