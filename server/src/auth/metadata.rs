//! What clients read before they sign in: the metadata of this resource (RFC 9728) and of the
//! authorization server (RFC 8414).

use std::sync::Arc;

use axum::{
    Json, Router,
    response::{IntoResponse, Response},
    routing::get,
};
use http::{
    StatusCode,
    header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER},
};
use lenses_mcp_oauth::WELL_KNOWN;
use serde::Serialize;

use super::{AuthorizationServer, server_metadata::MetadataError};
use crate::{
    scope::ScopeSet,
    settings::{AdvertisedUrl, OAuth},
};

/// How long clients may keep the metadata. Short, so that a changed issuer or scope arrives within
/// minutes.
const CACHE: &str = "public, max-age=300";
/// When clients should ask again if HQ can't be asked, in seconds.
const RETRY_AFTER_SECONDS: &str = "5";

/// Protected-resource metadata, RFC 9728 §2.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct ProtectedResource {
    /// The URL of the MCP endpoint. Clients refuse metadata whose resource is not what they
    /// dialled.
    resource: String,
    /// HQ's issuer, byte for byte.
    authorization_servers: [String; 1],
    /// What this server offers.
    scopes_supported: Vec<&'static str>,
    /// The `Authorization` header only.
    bearer_methods_supported: [&'static str; 1],
}

impl ProtectedResource {
    /// The metadata of the resource that `oauth` describes.
    fn new(oauth: &OAuth, offered: ScopeSet) -> Self {
        Self {
            resource: oauth.advertised_url.resource(),
            authorization_servers: [oauth.issuer.clone()],
            scopes_supported: offered.iter().map(crate::scope::Scope::as_str).collect(),
            bearer_methods_supported: ["header"],
        }
    }
}

/// The metadata's routes. Both resource paths answer alike: clients try the longer, then the
/// shorter.
pub(super) fn routes(
    oauth: &OAuth,
    offered: ScopeSet,
    authorization_server: Arc<AuthorizationServer>,
) -> Router {
    let metadata = ProtectedResource::new(oauth, offered);
    let protected_resource = get(async move || ([(CACHE_CONTROL, CACHE)], Json(metadata)));
    // Clients of the 2025-03-26 revision take the MCP server for the authorization server, and ask
    // at its host. Later ones put the endpoint's path behind (RFC 8414 §3.1) if they find no
    // metadata of the resource. Pages can read the answer here; HQ itself may not let them.
    let of_lenses = get(async move || authorization_server_metadata(&authorization_server).await);
    let below_path = format!("{}{}", WELL_KNOWN, oauth.advertised_url.endpoint_path());
    Router::new()
        .route(AdvertisedUrl::host_metadata_path(), protected_resource.clone())
        .route(&oauth.advertised_url.metadata_path(), protected_resource)
        .route(WELL_KNOWN, of_lenses.clone())
        .route(&below_path, of_lenses)
}

/// HQ's own document, byte for byte.
async fn authorization_server_metadata(authorization_server: &AuthorizationServer) -> Response {
    match authorization_server.published_metadata().await {
        Ok(metadata) => {
            let headers = [(CACHE_CONTROL, CACHE), (CONTENT_TYPE, "application/json")];
            (headers, metadata.document.clone()).into_response()
        }
        // The error names HQ's inside address: that is for the log.
        Err(error) if matches!(*error, MetadataError::Absent { .. }) => (
            StatusCode::NOT_FOUND,
            [(CACHE_CONTROL, "no-store")],
            "Lenses HQ publishes no authorization server metadata\n",
        )
            .into_response(),
        Err(_) => (
            StatusCode::SERVICE_UNAVAILABLE,
            [(CACHE_CONTROL, "no-store"), (RETRY_AFTER, RETRY_AFTER_SECONDS)],
            "Lenses HQ can't be asked for its metadata at the moment; try again\n",
        )
            .into_response(),
    }
}
