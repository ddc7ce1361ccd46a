//! JSON-RPC 2.0: request ids, errors, and the HTTP response that carries an error.

use std::borrow::Cow;

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header::CONTENT_TYPE};
use serde::Serialize;

/// Longest id that is accepted, in bytes. The response repeats it, and clients send a number or
/// a UUID.
const ID_MAX: usize = 256;

/// The id of a request: the JSON text of a string or an integer, repeated as it was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestId(Cow<'static, str>);

impl RequestId {
    /// Stands in a response if the request's id could not be read (JSON-RPC 2.0 §5).
    pub const NULL: Self = Self(Cow::Borrowed("null"));

    /// The id whose JSON text is `text`; `None` if MCP does not allow it as an id.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is_integer = || {
            let digits = text.strip_prefix('-').unwrap_or(text);
            !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
        };
        // Read as a string, because a raw slice may hold half of a surrogate pair.
        let is_string = || serde_json::from_str::<Cow<'_, str>>(text).is_ok();
        let allowed = text.len() <= ID_MAX && (is_integer() || is_string());
        allowed.then(|| Self(Cow::Owned(text.to_owned())))
    }

    /// The id as JSON text.
    #[must_use]
    pub fn as_json(&self) -> &str {
        &self.0
    }
}

/// A JSON-RPC error, and the HTTP status of the response that carries it.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct RpcError {
    /// Status of the HTTP response.
    pub status: StatusCode,
    /// The error code.
    pub code: i32,
    /// What is wrong and what to do. Never a caller's text of unbounded length.
    pub message: Cow<'static, str>,
    /// The error's `data`.
    pub data: Option<Box<serde_json::Value>>,
}

impl RpcError {
    fn new(status: StatusCode, code: i32, message: impl Into<Cow<'static, str>>) -> Self {
        Self { status, code, message: message.into(), data: None }
    }

    /// -32700: the text is not JSON.
    pub fn parse_error(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, -32700, message)
    }

    /// -32600: not a request that can be answered.
    pub fn invalid_request(status: StatusCode, message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(status, -32600, message)
    }

    /// -32601: no such method. HTTP 404 from revision 2026-07-28 on.
    pub fn method_not_found(status: StatusCode, message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(status, -32601, message)
    }

    /// -32602: the request's params can't be used.
    pub fn invalid_params(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::OK, -32602, message)
    }

    /// -32603: the fault is on this side.
    pub fn internal(status: StatusCode, message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(status, -32603, message)
    }

    /// -32000: the request is good, but came too soon or beside too many others. JSON-RPC leaves
    /// the code to implementations.
    pub fn overloaded(status: StatusCode, message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(status, -32000, message)
    }

    /// -32020, HTTP 400: a header contradicts the body (MCP 2026-07-28).
    pub fn header_mismatch(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, -32020, message)
    }

    /// -32022, HTTP 400: a protocol version that this server does not support
    /// (MCP 2026-07-28).
    #[must_use]
    pub fn unsupported_version(data: serde_json::Value) -> Self {
        let mut error = Self::new(StatusCode::BAD_REQUEST, -32022, "unsupported protocol version");
        error.data = Some(Box::new(data));
        error
    }

    /// The same error with another HTTP status.
    #[must_use]
    pub fn with_status(self, status: StatusCode) -> Self {
        Self { status, ..self }
    }

    /// The same error with `data`.
    #[must_use]
    pub fn with_data(self, data: serde_json::Value) -> Self {
        Self { data: Some(Box::new(data)), ..self }
    }

    /// Appends the whole JSON-RPC message to `buffer`, on one line.
    pub fn write(&self, id: &RequestId, buffer: &mut Vec<u8>) {
        #[derive(Serialize)]
        struct Error<'a> {
            code: i32,
            message: &'a str,
            #[serde(skip_serializing_if = "Option::is_none")]
            data: Option<&'a serde_json::Value>,
        }
        let Self { code, message, data, .. } = self;
        buffer.extend_from_slice(b"{\"jsonrpc\":\"2.0\",\"id\":");
        buffer.extend_from_slice(id.as_json().as_bytes());
        buffer.extend_from_slice(b",\"error\":");
        let error = Error { code: *code, message, data: data.as_deref() };
        // Numbers, strings and values can always be written to memory.
        let _written = serde_json::to_writer(&mut *buffer, &error);
        buffer.push(b'}');
    }

    /// The HTTP response to the request `id`.
    #[must_use]
    pub fn respond(&self, id: &RequestId) -> Response {
        let mut body = Vec::with_capacity(128 + self.message.len());
        self.write(id, &mut body);
        let content_type = [(CONTENT_TYPE, HeaderValue::from_static("application/json"))];
        (self.status, content_type, body).into_response()
    }
}

/// The response if the request's id is not known.
impl IntoResponse for RpcError {
    fn into_response(self) -> Response {
        self.respond(&RequestId::NULL)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_a_short_string_or_an_integer_and_is_echoed() {
        for text in ["0", "-7", "18446744073709551616", r#""a""#, r#""\u00e9\n""#] {
            assert_eq!(RequestId::parse(text).unwrap().as_json(), text);
        }
        let long = format!("\"{}\"", "x".repeat(ID_MAX));
        for text in ["null", "true", "1.5", "1e9", "{}", "[]", "", "-", r#""\ud800""#, &long] {
            assert_eq!(RequestId::parse(text), None, "{text}");
        }
    }

    #[test]
    fn an_error_is_written_with_its_id_and_data() {
        let error = RpcError::invalid_params("name is \"missing\"")
            .with_data(serde_json::json!({ "a": 1 }));
        let mut buffer = Vec::new();
        error.write(&RequestId::parse("7").unwrap(), &mut buffer);
        assert_eq!(
            String::from_utf8(buffer).unwrap(),
            concat!(
                r#"{"jsonrpc":"2.0","id":7,"error":{"code":-32602,"#,
                r#""message":"name is \"missing\"","data":{"a":1}}}"#,
            )
        );
    }
}
