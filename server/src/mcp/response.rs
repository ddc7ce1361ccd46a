//! The response to a request: one JSON document, or a stream of events (WHATWG HTML §9.2) if the
//! call sends something before its result.

use std::{collections::VecDeque, convert::Infallible, sync::Arc, time::Duration};

use axum::{
    body::{Body, Bytes},
    response::{IntoResponse, Response},
};
use futures::{FutureExt, Stream, future::BoxFuture, stream};
use http::{
    HeaderName, HeaderValue, StatusCode,
    header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER},
};
use tokio::{sync::mpsc, time::sleep};
use tokio_util::sync::CancellationToken;

use super::{
    accepts::Accepts,
    answer::{Answer, Outcome},
    revision::Revision,
};
use crate::{
    json_rpc::{RequestId, RpcError},
    limits::Held,
};

/// How often a stream without events shows that it is alive. Proxies close what is silent, often
/// after a minute.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// The request that is answered.
pub(super) struct Exchange {
    pub(super) id: RequestId,
    pub(super) revision: Revision,
    /// This server's description, as JSON.
    pub(super) server: Arc<str>,
    /// The bytes of HQ's replies and of the answer, until the client has taken it.
    pub(super) held: Arc<Held>,
}

/// A part of a response. hyper drops it once it is written.
struct Written {
    bytes: Vec<u8>,
    _held: Arc<Held>,
}

impl AsRef<[u8]> for Written {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
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

    /// `outcome`, once its message has room; else an error that says so.
    async fn with_room(&self, outcome: Outcome) -> Outcome {
        let length = outcome.as_ref().map_or(0, Answer::size_hint);
        if self.held.reserve_answer(length).await.is_ok() {
            return outcome;
        }
        let message = "the call was made, but there is no room for its answer: too many answers \
                       wait for clients to take them; read it again in a moment";
        Err(RpcError::overloaded(StatusCode::SERVICE_UNAVAILABLE, message))
    }

    fn written(&self, bytes: Vec<u8>) -> Bytes {
        Bytes::from_owner(Written { bytes, _held: Arc::clone(&self.held) })
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
        // Headers go before events: what is known at once, as the session of `initialize` is, can
        // still be one.
        (&mut call).now_or_never()
    };
    if let Some(outcome) = outcome {
        // What was sent in the last moment goes before the result, on a stream.
        let message = if accepts.events { sent.try_recv().ok() } else { None };
        if message.is_some() || !accepts.json {
            events.extend(message);
            let session = session(&outcome);
            let call = Box::pin(std::future::ready(outcome));
            let response = streamed(Streaming { exchange, call, sent, events, ending });
            return in_session(response, session);
        }
        return whole(&exchange, outcome).await;
    }
    streamed(Streaming { exchange, call, sent, events, ending })
}

async fn whole(exchange: &Exchange, outcome: Outcome) -> Response {
    let outcome = exchange.with_room(outcome).await;
    let status = outcome.as_ref().map_or_else(|error| error.status, |_| StatusCode::OK);
    let body = exchange.written(exchange.message(&outcome));
    let json = [(CONTENT_TYPE, HeaderValue::from_static("application/json"))];
    let mut response = (status, json, body).into_response();
    if status == StatusCode::SERVICE_UNAVAILABLE {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
    }
    in_session(response, session(&outcome))
}

/// The session that `outcome` begins.
fn session(outcome: &Outcome) -> Option<HeaderValue> {
    let session = outcome.as_ref().ok()?.session.as_deref()?;
    HeaderValue::from_str(session).ok()
}

fn in_session(mut response: Response, session: Option<HeaderValue>) -> Response {
    if let Some(session) = session {
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
                let outcome = exchange.with_room(outcome).await;
                let mut bytes = Vec::new();
                while let Ok(message) = sent.try_recv() {
                    bytes.extend_from_slice(&event(message));
                }
                bytes.extend_from_slice(&event(exchange.message(&outcome)));
                Some((Ok(exchange.written(bytes)), None))
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
