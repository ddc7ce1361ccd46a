//! The head of a request to the endpoint: refused before its body is read if MCP can't answer it.

use std::ops::ControlFlow;

use axum::response::{IntoResponse, Response};
use http::{
    HeaderMap, HeaderValue, Method, StatusCode,
    header::{ACCEPT_ENCODING, ALLOW, CONTENT_ENCODING, CONTENT_TYPE, TRANSFER_ENCODING},
    request::Parts,
};

use super::accepts::Accepts;
use crate::{audit::Source, json_rpc::RpcError, media_type::essence};

/// The head of a `POST` that MCP can answer.
#[derive(Debug)]
pub struct Incoming {
    pub(super) headers: HeaderMap,
    pub(super) source: Source,
    pub(super) accepts: Accepts,
}

impl Incoming {
    /// Checks the head of a request to the endpoint, which comes from `source`.
    ///
    /// Breaks with 405 for a method other than POST, 406 if the client takes neither JSON nor an
    /// event stream, 415 for a body that is not JSON or is encoded, 501 for a transfer coding other
    /// than chunked.
    pub fn new(parts: Parts, source: Source) -> ControlFlow<Response, Self> {
        let Parts { method, headers, .. } = parts;
        if method != Method::POST {
            let allow = [(ALLOW, HeaderValue::from_static("POST"))];
            let error = RpcError::invalid_request(
                StatusCode::METHOD_NOT_ALLOWED,
                "send each message as a POST; this server has no other streams",
            );
            return ControlFlow::Break((allow, error).into_response());
        }
        let accepts = Accepts::of(&headers);
        if !accepts.json && !accepts.events {
            return ControlFlow::Break(refused(
                StatusCode::NOT_ACCEPTABLE,
                "Accept must name application/json or text/event-stream",
            ));
        }
        // hyper reads the chunks, and would take what is in them for the body.
        let mut transfer_codings = headers.get_all(TRANSFER_ENCODING).iter();
        if !transfer_codings.all(|coding| coding.as_bytes().eq_ignore_ascii_case(b"chunked")) {
            return ControlFlow::Break(refused(
                StatusCode::NOT_IMPLEMENTED,
                "Transfer-Encoding must be chunked alone, or absent",
            ));
        }
        // Of several, another reader could take another one.
        let mut content_types = headers.get_all(CONTENT_TYPE).iter();
        if !content_types.next().is_some_and(is_json) || content_types.next().is_some() {
            return ControlFlow::Break(refused(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "Content-Type must be application/json, once",
            ));
        }
        let mut codings = headers.get_all(CONTENT_ENCODING).iter();
        if !codings.all(|coding| coding.as_bytes().eq_ignore_ascii_case(b"identity")) {
            // RFC 9110 §12.5.3: what would be taken.
            let taken = [(ACCEPT_ENCODING, HeaderValue::from_static("identity"))];
            let error = RpcError::invalid_request(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "the body is encoded: send it without Content-Encoding",
            );
            return ControlFlow::Break((taken, error).into_response());
        }
        ControlFlow::Continue(Self { headers, source, accepts })
    }
}

fn refused(status: StatusCode, message: &'static str) -> Response {
    RpcError::invalid_request(status, message).into_response()
}

fn is_json(value: &HeaderValue) -> bool {
    value.to_str().is_ok_and(|value| essence(value).eq_ignore_ascii_case("application/json"))
}
