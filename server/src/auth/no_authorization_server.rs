//! What clients are told that look for an authorization server where there is none: with an API
//! key, the operator hands out the token that callers share. Without an answer they show the user a
//! plain 404.

use std::collections::BTreeSet;

use axum::{
    Json, Router,
    response::{IntoResponse, Response},
    routing::any,
};
use http::{StatusCode, header::CACHE_CONTROL};
use lenses_mcp_oauth::WELL_KNOWN;
use serde_json::json;

use super::AuthError;
use crate::settings::{AdvertisedUrl, ENDPOINT};

/// Metadata of `OpenID` Connect, where some clients look next.
const OPENID: &str = "/.well-known/openid-configuration";
/// Where clients register that found no metadata (MCP 2025-03-26, "Fallbacks for Servers without
/// Metadata Discovery").
const REGISTRATION: &str = "/register";

/// The routes of API-key mode.
pub fn routes(advertised_url: Option<&AdvertisedUrl>) -> Router {
    let endpoint = advertised_url.map_or_else(|| ENDPOINT.to_owned(), AdvertisedUrl::endpoint_path);
    let resource = AdvertisedUrl::host_metadata_path();
    let paths: BTreeSet<_> = [resource, WELL_KNOWN, OPENID]
        .into_iter()
        .flat_map(|path| {
            [path.to_owned(), format!("{path}{ENDPOINT}"), format!("{path}{endpoint}")]
        })
        .chain([format!("{ENDPOINT}{OPENID}"), format!("{endpoint}{OPENID}")])
        .collect();
    // Not found, so that clients know that there is no metadata; refused, because they would
    // register elsewhere otherwise.
    paths
        .iter()
        .fold(Router::new(), |router, path| {
            router.route(path, any(async || answer(StatusCode::NOT_FOUND, "not_found")))
        })
        .route(REGISTRATION, any(async || answer(StatusCode::FORBIDDEN, "access_denied")))
}

/// An error in the form of RFC 6749 §5.2, which clients show.
fn answer(status: StatusCode, error: &str) -> Response {
    let description = AuthError::MissingShared.to_string();
    let body = json!({"error": error, "error_description": description});
    (status, [(CACHE_CONTROL, "no-store")], Json(body)).into_response()
}
