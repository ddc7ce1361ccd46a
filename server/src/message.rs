//! The JSON-RPC message in a request's body: read within bounds, and looked at as far as sign-in and logs need it.
//!
//! rmcp parses the message again and answers what is wrong inside it; here only what would never reach it as a message:
//! a body too large, text that is no JSON, a batch.

use std::{ops::ControlFlow, time::Duration};

use axum::{
    body::{Body, Bytes},
    extract::Request,
    response::{IntoResponse, Response},
};
use http::{
    HeaderValue, Method, StatusCode,
    header::{ACCEPT_ENCODING, CONTENT_ENCODING},
};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Map, Value, error::Category, value::RawValue};

/// How much of a refused body is read.
const DISCARD_MAX: usize = 8 << 20;
/// How long.
const DISCARD_TIME: Duration = Duration::from_secs(1);

/// What a message asks for.
#[derive(Debug, Clone, PartialEq)]
pub enum Message {
    /// `tools/call` with what decides about scopes.
    ToolCall {
        /// The tool's name.
        name: String,
        /// Its arguments, where it has any.
        arguments: Option<Map<String, Value>>,
    },
    /// `resources/read`.
    ResourceRead {
        /// The resource's URI.
        uri: String,
    },
    /// Any other method, and `None` for a response.
    Other {
        /// The method.
        method: Option<String>,
    },
}

/// The message's `id`, for errors that are made outside rmcp: null where it has none.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RequestId(Value);

impl Message {
    /// Reads a body as one JSON-RPC message.
    ///
    /// # Errors
    ///
    /// Parse error (-32700) for what is no JSON, invalid request (-32600) for JSON that is not one message, invalid params
    /// (-32602) for a tool call that names no tool and a read that names no resource.
    pub fn parse(body: &[u8]) -> Result<(Self, RequestId), RpcError> {
        let envelope: Envelope<'_> =
            serde_json::from_slice(body).map_err(|error| match error.classify() {
                Category::Data if is_batch(body) => RpcError::invalid_request(
                    StatusCode::BAD_REQUEST,
                    "batches are not supported: send each message in a request of its own",
                ),
                Category::Data => RpcError::invalid_request(
                    StatusCode::BAD_REQUEST,
                    "the body is not one JSON-RPC message",
                ),
                Category::Io | Category::Syntax | Category::Eof => {
                    RpcError::parse_error("the body is not JSON")
                }
            })?;
        let Envelope { id, method, params } = envelope;
        let message = match method.as_deref() {
            Some("tools/call") => {
                let Some(Ok(CallParams { name, arguments })) = params.map(read) else {
                    return Err(RpcError::invalid_params(
                        id,
                        "tools/call needs params with one name and one arguments object",
                    ));
                };
                Self::ToolCall { name, arguments }
            }
            Some("resources/read") => {
                let Some(Ok(ReadParams { uri })) = params.map(read) else {
                    return Err(RpcError::invalid_params(
                        id,
                        "resources/read needs params with one uri",
                    ));
                };
                Self::ResourceRead { uri }
            }
            _ => Self::Other { method: method.map(String::from) },
        };
        Ok((message, RequestId(id)))
    }
}

/// What is read of a message. Repeated members are refused, so that no two readers can see two different messages.
#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(default)]
    id: Value,
    #[serde(borrow)]
    method: Option<std::borrow::Cow<'a, str>>,
    #[serde(borrow)]
    params: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct CallParams {
    name: String,
    arguments: Option<Map<String, Value>>,
}

#[derive(Deserialize)]
struct ReadParams {
    uri: String,
}

fn read<T: DeserializeOwned>(params: &RawValue) -> Result<T, serde_json::Error> {
    serde_json::from_str(params.get())
}

fn is_batch(body: &[u8]) -> bool {
    body.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'[')
}

/// A message and its id, where a request has one.
pub type Read = Option<(Message, RequestId)>;

/// Reads the body of a POST, at most `max_body_bytes`, and gives the request back with what it says. Breaks with the answer
/// to a body that is no message.
pub async fn read_message(
    request: Request,
    max_body_bytes: usize,
) -> ControlFlow<Response, (Request, Read)> {
    if request.method() != Method::POST {
        return ControlFlow::Continue((request, None));
    }
    let (parts, body) = request.into_parts();
    if parts
        .headers
        .get_all(CONTENT_ENCODING)
        .iter()
        .any(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"identity"))
    {
        discard(body).await;
        let error = RpcError::invalid_request(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "the body is encoded: send it without Content-Encoding",
        );
        // RFC 9110 §12.5.3: what would be taken.
        let answer = ([(ACCEPT_ENCODING, HeaderValue::from_static("identity"))], error);
        return ControlFlow::Break(answer.into_response());
    }
    let read = async {
        let body = read_body(body, max_body_bytes).await?;
        Message::parse(&body).map(|message| (body, message))
    };
    match read.await {
        Ok((body, read)) => {
            ControlFlow::Continue((Request::from_parts(parts, Body::from(body)), Some(read)))
        }
        Err(error) => ControlFlow::Break(error.into_response()),
    }
}

async fn read_body(mut body: Body, max_body_bytes: usize) -> Result<Bytes, RpcError> {
    match Limited::new(&mut body, max_body_bytes).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => {
            discard(body).await;
            Err(RpcError::invalid_request(
                StatusCode::PAYLOAD_TOO_LARGE,
                format!("the body is longer than {max_body_bytes} bytes"),
            ))
        }
        // The connection broke: nobody is there to read this.
        Err(_) => {
            Err(RpcError::invalid_request(StatusCode::BAD_REQUEST, "the body could not be read"))
        }
    }
}

/// Reads the rest of a body that is refused, within bounds, and forgets it. A connection that is closed with bytes unread is
/// reset, and the reset takes the answer with it: the client would see a broken connection in place of the 401 or 413.
pub async fn discard(mut body: Body) {
    let reading = async {
        let mut left = DISCARD_MAX;
        while let Some(Ok(frame)) = body.frame().await {
            let read = frame.data_ref().map_or(0, Bytes::len);
            let Some(rest) = left.checked_sub(read) else { return };
            left = rest;
        }
    };
    // Whoever sends for longer than that is not waiting for an answer.
    let _in_time = tokio::time::timeout(DISCARD_TIME, reading).await;
}

/// A JSON-RPC error, sent as the HTTP response. Its `id` is null where the message's own is not known (JSON-RPC 2.0 §5).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct RpcError {
    status: StatusCode,
    id: Value,
    code: i32,
    message: String,
}

impl RpcError {
    /// -32700: the text is no JSON.
    pub fn parse_error(message: impl Into<String>) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            id: Value::Null,
            code: -32700,
            message: message.into(),
        }
    }

    /// -32600: not a request that can be answered.
    pub fn invalid_request(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, id: Value::Null, code: -32600, message: message.into() }
    }

    /// -32602: the message's params can't be used.
    pub fn invalid_params(id: Value, message: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, id, code: -32602, message: message.into() }
    }

    /// -32000, 429: the call is good, but came too soon. JSON-RPC leaves the code to implementations.
    pub fn too_many_requests(RequestId(id): &RequestId, message: impl Into<String>) -> Self {
        Self {
            status: StatusCode::TOO_MANY_REQUESTS,
            id: id.clone(),
            code: -32000,
            message: message.into(),
        }
    }

    /// -32603: the fault is on this side.
    pub fn internal(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, id: Value::Null, code: -32603, message: message.into() }
    }
}

impl IntoResponse for RpcError {
    fn into_response(self) -> Response {
        #[derive(Serialize)]
        struct Answer<'a> {
            jsonrpc: &'static str,
            id: &'a Value,
            error: Error<'a>,
        }
        #[derive(Serialize)]
        struct Error<'a> {
            code: i32,
            message: &'a str,
        }
        let answer = Answer {
            jsonrpc: "2.0",
            id: &self.id,
            error: Error { code: self.code, message: &self.message },
        };
        (self.status, axum::Json(answer)).into_response()
    }
}
