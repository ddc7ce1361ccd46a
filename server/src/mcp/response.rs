//! The response to a request: one JSON document, or a stream of events (WHATWG HTML §9.2) if the
//! call sends something before its result.

use std::{collections::VecDeque, convert::Infallible, sync::Arc, time::Duration};

use axum::{
    body::{Body, Bytes},
    response::{IntoResponse, Response},
};
use futures::{Stream, future::BoxFuture, stream};
use http::{
    HeaderName, HeaderValue,
    header::{CACHE_CONTROL, CONTENT_TYPE},
};
use serde::Serialize;
use tokio::{sync::mpsc, time::sleep};
use tokio_util::sync::CancellationToken;

use super::revision::Revision;
use crate::{
    json_rpc::{RequestId, RpcError},
    tools::ToolResult,
};

/// How often a stream without events shows that it is alive. Proxies close what is silent, often
/// after a minute.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
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
    fn write(&self, id: &RequestId, revision: Revision, server: &str, buffer: &mut Vec<u8>) {
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

    fn size_hint(&self) -> usize {
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

/// The request that is answered.
pub(super) struct Exchange {
    pub(super) id: RequestId,
    pub(super) revision: Revision,
    /// This server's description, as JSON.
    pub(super) server: Arc<str>,
}

impl Exchange {
    /// The whole message for `outcome`, on one line: nothing in it is a line break.
    pub(super) fn message(&self, outcome: &Outcome) -> Vec<u8> {
        let mut buffer = Vec::new();
        match outcome {
            Ok(answer) => {
                buffer.reserve(answer.size_hint());
                answer.write(&self.id, self.revision, &self.server, &mut buffer);
            }
            Err(error) => error.write(&self.id, &mut buffer),
        }
        buffer
    }
}

/// Answers with JSON if `call` ends without having sent anything, else with a stream. Dropping the
/// response, as hyper does when the client goes away, drops the call.
pub(super) async fn respond(
    exchange: Exchange,
    mut call: BoxFuture<'static, Outcome>,
    mut sent: mpsc::Receiver<Vec<u8>>,
    accepts: Accepts,
    ending: CancellationToken,
) -> Response {
    if !accepts.events {
        // What the call would send has nowhere to go.
        sent.close();
    }
    let mut events = VecDeque::new();
    let outcome = if accepts.json {
        tokio::select! {
            biased;
            Some(message) = sent.recv(), if accepts.events => {
                events.push_back(message);
                None
            }
            outcome = &mut call => Some(outcome),
        }
    } else {
        None
    };
    if let Some(outcome) = outcome {
        // What was sent in the last moment goes before the result, on a stream.
        if accepts.events
            && let Ok(message) = sent.try_recv()
        {
            events.push_back(message);
            let call = Box::pin(std::future::ready(outcome));
            return streamed(Streaming { exchange, call, sent, events, ending });
        }
        return whole(&exchange, &outcome);
    }
    streamed(Streaming { exchange, call, sent, events, ending })
}

/// Which kinds of response a client takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Accepts {
    pub(super) json: bool,
    pub(super) events: bool,
}

fn whole(exchange: &Exchange, outcome: &Outcome) -> Response {
    let status = outcome.as_ref().map_or_else(|error| error.status, |_| http::StatusCode::OK);
    let body = exchange.message(outcome);
    let json = [(CONTENT_TYPE, HeaderValue::from_static("application/json"))];
    let mut response = (status, json, body).into_response();
    let session = outcome.as_ref().ok().and_then(|answer| answer.session.as_deref());
    if let Some(session) = session.and_then(|session| HeaderValue::from_str(session).ok()) {
        response.headers_mut().insert(HeaderName::from_static("mcp-session-id"), session);
    }
    response
}

struct Streaming {
    exchange: Exchange,
    call: BoxFuture<'static, Outcome>,
    sent: mpsc::Receiver<Vec<u8>>,
    /// What was taken from `sent` before the stream began.
    events: VecDeque<Vec<u8>>,
    ending: CancellationToken,
}

fn streamed(streaming: Streaming) -> Response {
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("text/event-stream")),
        (CACHE_CONTROL, HeaderValue::from_static("no-cache")),
        // Proxies of the nginx kind would hold events back.
        (HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no")),
    ];
    (headers, Body::from_stream(events(streaming))).into_response()
}

fn events(streaming: Streaming) -> impl Stream<Item = Result<Bytes, Infallible>> + Send {
    stream::unfold(Some(streaming), |streaming| async move {
        let mut streaming = streaming?;
        let Streaming { exchange, call, sent, events, ending } = &mut streaming;
        if let Some(message) = events.pop_front() {
            return Some((Ok(event(message)), Some(streaming)));
        }
        tokio::select! {
            biased;
            Some(message) = sent.recv() => Some((Ok(event(message)), Some(streaming))),
            outcome = call => {
                let mut last = Vec::new();
                while let Ok(message) = sent.try_recv() {
                    last.extend_from_slice(&event(message));
                }
                last.extend_from_slice(&event(exchange.message(&outcome)));
                Some((Ok(last.into()), None))
            }
            () = ending.cancelled() => None,
            () = sleep(KEEP_ALIVE) => {
                Some((Ok(Bytes::from_static(b": keep-alive\n\n")), Some(streaming)))
            }
        }
    })
}

/// One event. HQ may send JSON on several lines, and a line break would end the event's data.
fn event(mut message: Vec<u8>) -> Bytes {
    on_one_line(&mut message);
    [b"data: ", message.as_slice(), b"\n\n"].concat().into()
}

/// Replaces the line breaks of a JSON text, which stand between its tokens only.
pub(super) fn on_one_line(message: &mut [u8]) {
    for byte in message.iter_mut().filter(|byte| matches!(byte, b'\n' | b'\r')) {
        *byte = b' ';
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
