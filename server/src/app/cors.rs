//! Which pages may call: CORS of the endpoint and of the metadata.

use std::sync::Arc;

use axum::extract::Request;
use http::{HeaderName, Method, header};
use tower_http::cors::{AllowHeaders, AllowOrigin, Any, CorsLayer};

use crate::host_check::HostCheck;

/// Whether a browser's page sent `request`, or asks if it may: all others need no CORS headers.
pub(super) fn is_of_page(request: &Request) -> bool {
    request.method() == Method::OPTIONS || request.headers().contains_key(header::ORIGIN)
}

/// Pages of allowed origins may call with a token and read the challenge. No cookies, so no
/// credentials in CORS's sense.
pub(super) fn endpoint_cors(host_check: Arc<HostCheck>) -> CorsLayer {
    CorsLayer::new()
        .allow_origin(AllowOrigin::predicate(move |origin, _| host_check.allows_origin(origin)))
        .allow_methods([Method::POST, Method::GET, Method::DELETE])
        // Tools may name headers of their own (`Mcp-Param-…`), so what is asked for is allowed.
        .allow_headers(AllowHeaders::mirror_request())
        .expose_headers([
            header::WWW_AUTHENTICATE,
            header::RETRY_AFTER,
            HeaderName::from_static("mcp-session-id"),
            HeaderName::from_static("mcp-protocol-version"),
            HeaderName::from_static("x-request-id"),
        ])
}

/// The metadata is public: any page may read it. Pages may also learn that there is no
/// registration.
pub(super) fn metadata_cors() -> CorsLayer {
    CorsLayer::new().allow_origin(Any).allow_methods([Method::GET, Method::POST]).allow_headers(Any)
}
