//! What clients read before they sign in: this resource's metadata (RFC 9728), and the way to the authorization server's.

use axum::{Json, Router, response::Redirect, routing::get};
use http::header::CACHE_CONTROL;
use lenses_mcp_oauth::WELL_KNOWN;
use serde::Serialize;
use url::Url;

use crate::{
    scope::ScopeSet,
    settings::{AdvertisedUrl, OAuth},
};

/// How long clients may keep the metadata. Short, so that a changed issuer or scope arrives within minutes.
const CACHE: &str = "public, max-age=300";

/// Protected-resource metadata, RFC 9728 §2.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ProtectedResource {
    /// The URL of the MCP endpoint. Clients refuse metadata whose resource is not what they dialled.
    pub resource: String,
    /// HQ's issuer, byte for byte.
    pub authorization_servers: [String; 1],
    /// What this server offers.
    pub scopes_supported: Vec<&'static str>,
    /// The `Authorization` header only.
    pub bearer_methods_supported: [&'static str; 1],
}

impl ProtectedResource {
    /// The metadata of the resource that `oauth` describes.
    #[must_use]
    pub fn new(oauth: &OAuth, offered: ScopeSet) -> Self {
        Self {
            resource: oauth.advertised_url.resource(),
            authorization_servers: [oauth.issuer.clone()],
            scopes_supported: offered.iter().map(crate::scope::Scope::as_str).collect(),
            bearer_methods_supported: ["header"],
        }
    }
}

/// The metadata's routes. Both resource paths answer alike: clients try the longer, then the shorter.
pub fn routes(oauth: &OAuth, offered: ScopeSet) -> Router {
    let metadata = ProtectedResource::new(oauth, offered);
    let protected_resource = get(async move || ([(CACHE_CONTROL, CACHE)], Json(metadata)));
    let router = Router::new()
        .route(AdvertisedUrl::host_metadata_path(), protected_resource.clone())
        .route(&oauth.advertised_url.metadata_path(), protected_resource);
    // Clients of the 2025-03-26 revision take the MCP server for the authorization server, and ask at its host. Later ones
    // put the endpoint's path behind (RFC 8414 §3.1) where they find no metadata of the resource.
    let Ok(issuer) = Url::parse(&oauth.issuer) else { return router };
    let location = lenses_mcp_oauth::location(&issuer);
    // 307, not 308: HQ may move, and a redirect that is kept for good would outlive that.
    let elsewhere =
        get(async move || ([(CACHE_CONTROL, CACHE)], Redirect::temporary(location.as_str())));
    let below_path = format!("{}{}", WELL_KNOWN, oauth.advertised_url.endpoint_path());
    router.route(WELL_KNOWN, elsewhere.clone()).route(&below_path, elsewhere)
}
