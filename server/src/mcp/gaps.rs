//! Where rmcp 3.11.0 falls short of the protocol, and what is done about it. Each but the last, which is about speed alone,
//! has a test that fails without it, so that a patch which rmcp has made superfluous can be found and removed.
//!
//! 1. `serverInfo` stands only in the result of `server/discover`; revision 2026-07-28 wants it in every result's
//!    `_meta`: [`stamp`].
//! 2. A body that is JSON but no JSON-RPC message is answered with 415 and plain text; JSON-RPC 2.0 §5.1 wants
//!    `-32600`: [`Mended`]. (Text that is not JSON does not come this far: `message.rs` answers it.)
//! 3. A protocol version that nobody knows, in the header only, is answered with plain text; revision 2026-07-28 wants
//!    `-32022` with the versions that are supported: [`Mended`].
//! 4. The service copies its configuration, a list of hosts and one of origins, each time that it is cloned, which is
//!    several times a request: [`Mended`] clones a pointer.
//!
//! Settled elsewhere, because it is configuration and not a patch: origins are enforced and hosts limited
//! ([`super::http_service`]); name, version and cache hints are this server's own (`handler.rs`); arguments are checked
//! against their schema and schemas kept in words that every client knows (`tools/`).

use std::{
    convert::Infallible,
    fmt::Display,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use futures::future::BoxFuture;
use http::{
    HeaderValue, Request, Response, StatusCode,
    header::{CONTENT_LENGTH, CONTENT_TYPE},
};
use http_body_util::{BodyExt, Full, combinators::BoxBody};
use rmcp::{
    RoleServer, ServerHandler,
    model::{ErrorCode, Implementation, MetaObject, ProtocolVersion},
    service::RequestContext,
    transport::{StreamableHttpService, streamable_http_server::session::SessionManager},
};
use serde_json::{Value, json};
use tower::Service;

const SERVER_INFO: &str = "io.modelcontextprotocol/serverInfo";
const PROTOCOL_VERSION: &str = "mcp-protocol-version";

/// Whether results of this request carry `_meta` and cache hints of their own: from revision 2026-07-28 on.
pub(super) fn has_result_metadata(context: &RequestContext<RoleServer>) -> bool {
    context
        .protocol_version()
        .is_some_and(|version| version.as_str() >= ProtocolVersion::V_2026_07_28.as_str())
}

/// Says in a result's `_meta` which server made it.
pub(super) fn stamp(meta: &mut Option<MetaObject>, server: &Implementation) {
    if let Ok(server) = serde_json::to_value(server) {
        meta.get_or_insert_default().insert(SERVER_INFO.to_owned(), server);
    }
}

type Body = BoxBody<Bytes, Infallible>;

/// rmcp's HTTP service with its plain-text errors turned into JSON-RPC's.
pub struct Mended<H, M>(Arc<StreamableHttpService<H, M>>);

impl<H, M> Mended<H, M> {
    /// Mends `service`.
    #[must_use]
    pub fn new(service: StreamableHttpService<H, M>) -> Self {
        Self(Arc::new(service))
    }
}

impl<H, M> Clone for Mended<H, M> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<H, M, B> Service<Request<B>> for Mended<H, M>
where
    H: ServerHandler,
    M: SessionManager,
    B: axum::body::HttpBody + Send + 'static,
    B::Error: Display,
    B::Data: Send + 'static,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let sent_json = request.headers().get(CONTENT_TYPE).is_some_and(is_json);
        let version = request
            .headers()
            .get(PROTOCOL_VERSION)
            .and_then(|value| value.to_str().ok())
            .map(str::to_owned);
        let service = self.0.clone();
        Box::pin(async move {
            let response = service.handle(request).await;
            if response.headers().get(CONTENT_TYPE).is_some_and(is_json) {
                return Ok(response);
            }
            Ok(match (response.status(), version) {
                // rmcp's own check of the content type has passed: it is the body that it could not read.
                (StatusCode::UNSUPPORTED_MEDIA_TYPE, _) if sent_json => error(
                    ErrorCode::INVALID_REQUEST,
                    "the body is not one JSON-RPC message of MCP",
                    Value::Null,
                ),
                (StatusCode::BAD_REQUEST, Some(version)) if !is_known(&version) => {
                    unknown_version(&version)
                }
                _ => response,
            })
        })
    }
}

fn is_json(value: &HeaderValue) -> bool {
    let media_type =
        value.as_bytes().split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
    media_type.eq_ignore_ascii_case(b"application/json")
}

fn is_known(version: &str) -> bool {
    ProtocolVersion::KNOWN_VERSIONS.iter().any(|known| known.as_str() == version)
}

fn unknown_version(version: &str) -> Response<Body> {
    let supported: Vec<_> =
        ProtocolVersion::KNOWN_VERSIONS.iter().map(ProtocolVersion::as_str).collect();
    // A header of any length must not come back whole.
    let requested: String = version.chars().take(64).collect();
    error(
        ErrorCode::UNSUPPORTED_PROTOCOL_VERSION,
        "unsupported protocol version",
        json!({ "requested": requested, "supported": supported }),
    )
}

fn error(code: ErrorCode, message: &str, data: Value) -> Response<Body> {
    let mut error = json!({ "code": code, "message": message });
    if !data.is_null() {
        error["data"] = data;
    }
    // The id could not be read (JSON-RPC 2.0 §5).
    let body = Bytes::from(json!({ "jsonrpc": "2.0", "id": null, "error": error }).to_string());
    let length = HeaderValue::from(body.len());
    let mut response = Response::new(Full::new(body).boxed());
    *response.status_mut() = StatusCode::BAD_REQUEST;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response.headers_mut().insert(CONTENT_LENGTH, length);
    response
}
