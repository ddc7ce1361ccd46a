//! What clients read before they sign in: this resource's metadata (RFC 9728), and the way to the authorization server's.

use axum::{
    Json, Router,
    response::{IntoResponse, Redirect},
    routing::get,
};
use http::header::CACHE_CONTROL;
use serde::Serialize;
use url::Url;

use crate::{
    scope::ScopeSet,
    settings::{AdvertisedUrl, OAuth},
};

/// RFC 8414 §3: where an authorization server's metadata is, before the issuer's own path.
const AUTHORIZATION_SERVER: &str = "/.well-known/oauth-authorization-server";
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
    // Clients of the 2025-03-26 revision take the MCP server for the authorization server.
    let location = authorization_server_metadata_url(&oauth.issuer);
    let authorization_server = get(async move || match location {
        Some(location) => Redirect::temporary(&location).into_response(),
        None => http::StatusCode::NOT_FOUND.into_response(),
    });
    Router::new()
        .route(AdvertisedUrl::host_metadata_path(), protected_resource.clone())
        .route(&oauth.advertised_url.metadata_path(), protected_resource)
        .route(AUTHORIZATION_SERVER, authorization_server)
}

/// The issuer's metadata: the well-known path goes between host and path (RFC 8414 §3.1).
fn authorization_server_metadata_url(issuer: &str) -> Option<String> {
    let mut url = Url::parse(issuer).ok()?;
    let path = format!("{AUTHORIZATION_SERVER}{}", url.path().trim_end_matches('/'));
    url.set_path(&path);
    Some(url.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_authorization_servers_metadata_is_found_as_rfc_8414_says() {
        for (issuer, url) in [
            ("https://lenses.example.com", "https://lenses.example.com/.well-known/oauth-authorization-server"),
            ("https://lenses.example.com/", "https://lenses.example.com/.well-known/oauth-authorization-server"),
            ("https://x.example.com:8443/hq/", "https://x.example.com:8443/.well-known/oauth-authorization-server/hq"),
        ] {
            assert_eq!(authorization_server_metadata_url(issuer).as_deref(), Some(url));
        }
    }
}
