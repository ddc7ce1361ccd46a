//! A body as one JSON-RPC message: parsed once, within bounds.
//!
//! The envelope is read first, with `params` as a slice of the body. Then `params` is read as the
//! type that the method has ([`Call`]), so that an error names the field that is wrong.

use std::borrow::Cow;

use bytes::Bytes;
use http::StatusCode;
use serde::{Deserialize, Deserializer};
use serde_json::{error::Category, value::RawValue};

use super::{meta::Meta, method::Call, object::OfObject};
use crate::{
    json,
    json_rpc::{RequestId, RpcError},
};

/// What a client sent.
#[derive(Debug)]
pub enum Message {
    /// It wants an answer.
    Request(Box<Request>),
    /// It wants none.
    Notification(Notification),
    /// It answers a question of this server's.
    Response(ClientResponse),
}

/// A request.
#[derive(Debug)]
pub struct Request {
    /// Its id.
    pub id: RequestId,
    /// The method with its params.
    pub call: Call,
    /// The `_meta` of the params.
    pub meta: Meta,
}

/// A notification. Only `notifications/cancelled` changes something here.
#[derive(Debug)]
pub struct Notification {
    /// The method.
    pub method: String,
    /// The params, unread.
    pub params: Option<Bytes>,
}

impl Notification {
    /// The request that the client cancels, if that is what it says.
    #[must_use]
    pub fn cancelled(&self) -> Option<RequestId> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Cancelled<'a> {
            #[serde(borrow)]
            request_id: &'a RawValue,
        }
        if self.method != "notifications/cancelled" {
            return None;
        }
        let OfObject::<Cancelled<'_>>(cancelled) =
            serde_json::from_slice(self.params.as_deref()?).ok()?;
        RequestId::parse(cancelled.request_id.get())
    }
}

/// The client's answer to a request of this server's.
#[derive(Debug, PartialEq, Eq)]
pub struct ClientResponse {
    /// The id that this server gave its request.
    pub id: String,
    /// The result; `None` if the client answered with an error.
    pub result: Option<Box<str>>,
}

/// Why a body is not a message, with the id of the request if it could be read.
#[derive(Debug)]
pub struct Rejected {
    /// The request's id, else null.
    pub id: RequestId,
    /// What is wrong.
    pub error: RpcError,
}

impl From<RpcError> for Rejected {
    fn from(error: RpcError) -> Self {
        Self { id: RequestId::NULL, error }
    }
}

/// What is read of a message. Repeated members are an error, so that no two readers can see two
/// different messages.
#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    jsonrpc: Option<Cow<'a, str>>,
    #[serde(borrow, default, deserialize_with = "present")]
    id: Option<&'a RawValue>,
    #[serde(borrow)]
    method: Option<Cow<'a, str>>,
    #[serde(borrow)]
    params: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    result: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    error: Option<&'a RawValue>,
}

/// A member that is there, null or not.
fn present<'de, D: Deserializer<'de>>(member: D) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(member).map(Some)
}

impl Message {
    /// Reads `body`.
    ///
    /// # Errors
    ///
    /// -32700 for what is not JSON, -32600 for JSON that is not one message or that is too large
    /// (see [`json::measure`]), -32602 for params that are not the method's.
    pub fn parse(body: &Bytes) -> Result<Self, Rejected> {
        json::measure(body).map_err(|error| invalid(error.to_string()))?;
        let text = std::str::from_utf8(body)
            .map_err(|_| RpcError::parse_error("the body is not JSON: it is not UTF-8"))?;
        let OfObject::<Envelope<'_>>(envelope) =
            serde_json::from_str(text).map_err(|error| match error.classify() {
                Category::Data if text.trim_start().starts_with('[') => {
                    invalid("batches are not supported: send each message in a request of its own")
                }
                Category::Data => invalid("the body is not one JSON-RPC message"),
                _ => RpcError::parse_error("the body is not JSON"),
            })?;
        if envelope.jsonrpc.as_deref() != Some("2.0") {
            return Err(invalid(
                "the body is not a JSON-RPC message: it has no \"jsonrpc\": \"2.0\"",
            )
            .into());
        }
        envelope.message(body)
    }
}

impl Envelope<'_> {
    fn message(self, body: &Bytes) -> Result<Message, Rejected> {
        let id = self.id.map(|id| {
            RequestId::parse(id.get())
                .ok_or_else(|| invalid("the id must be a string of up to 256 bytes or an integer"))
        });
        let id = id.transpose()?;
        // A slice of the body: nothing is copied.
        let params = self.params.map(|params| body.slice_ref(params.get().as_bytes()));
        match (self.method, id) {
            (Some(method), Some(id)) => match Call::parse(&method, params) {
                Ok((call, meta)) => Ok(Message::Request(Box::new(Request { id, call, meta }))),
                Err(error) => Err(Rejected { id, error }),
            },
            (Some(method), None) => {
                Ok(Message::Notification(Notification { method: method.into_owned(), params }))
            }
            (None, Some(id)) if self.result.is_some() != self.error.is_some() => {
                let id = serde_json::from_str(id.as_json())
                    .map_err(|_| invalid("this server did not ask: it numbers no request"))?;
                let result = self.result.map(|result| result.get().into());
                Ok(Message::Response(ClientResponse { id, result }))
            }
            (None, _) => Err(invalid("the message has neither a method nor a result").into()),
        }
    }
}

fn invalid(message: impl Into<Cow<'static, str>>) -> RpcError {
    RpcError::invalid_request(StatusCode::BAD_REQUEST, message)
}
