//! Dynamic client registration (RFC 7591), when `dcr` is on.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::error::{OAuthError, no_store};
use super::store::{Client, Registration};
use crate::hq::problem::Problem;
use crate::hq::redirect_uri;
use crate::hq::scope::Scopes;
use crate::hq::secret::{self, Hashed};
use crate::hq::{Hq, lock};

/// Client metadata that HQ uses (RFC 7591 §2); the rest is ignored, as that section says.
#[derive(Debug, Deserialize)]
struct ClientMetadata {
    #[serde(default)]
    redirect_uris: Vec<String>,
    client_name: Option<String>,
    #[serde(default = "default_auth_method")]
    token_endpoint_auth_method: String,
    #[serde(default = "default_grant_types")]
    grant_types: Vec<String>,
    #[serde(default = "default_response_types")]
    response_types: Vec<String>,
    scope: Option<String>,
}

fn default_auth_method() -> String {
    "client_secret_basic".to_owned()
}

fn default_grant_types() -> Vec<String> {
    vec!["authorization_code".to_owned()]
}

fn default_response_types() -> Vec<String> {
    vec!["code".to_owned()]
}

/// `POST /oauth2/register`
pub(crate) async fn register(State(hq): State<Arc<Hq>>, body: Bytes) -> Response {
    if !hq.settings.dcr {
        return Problem::not_found("dynamic client registration").into_response();
    }
    let metadata = match serde_json::from_slice::<ClientMetadata>(&body) {
        Ok(metadata) => metadata,
        Err(error) => {
            return OAuthError::new("invalid_client_metadata", error.to_string()).into_response();
        }
    };
    match accept(&hq, &metadata) {
        Ok(reply) => reply,
        Err(error) => error.into_response(),
    }
}

fn accept(hq: &Hq, metadata: &ClientMetadata) -> Result<Response, OAuthError> {
    check(metadata)?;
    let id = Uuid::new_v4().to_string();
    let secret = (metadata.token_endpoint_auth_method != "none").then(|| secret::generate("cs"));
    let name = metadata.client_name.clone().unwrap_or_else(|| id.clone());
    let scopes = Scopes::parse(metadata.scope.as_deref().unwrap_or_default());
    let mut reply = json!({
        "client_id": id,
        "client_id_issued_at": Timestamp::now().as_second(),
        "client_name": name,
        "redirect_uris": metadata.redirect_uris,
        "token_endpoint_auth_method": metadata.token_endpoint_auth_method,
        "grant_types": metadata.grant_types,
        "response_types": metadata.response_types,
        "scope": scopes.to_string(),
    });
    if let (Some(secret), Some(fields)) = (&secret, reply.as_object_mut()) {
        fields.insert("client_secret".to_owned(), secret.as_str().into());
        fields.insert("client_secret_expires_at".to_owned(), 0.into());
    }
    let client = Client {
        id,
        name,
        secret: secret.as_deref().map(Hashed::of),
        redirect_uris: metadata.redirect_uris.clone(),
        scopes,
        may_refresh: metadata.grant_types.iter().any(|grant| grant == "refresh_token"),
        registration: Registration::Dynamic,
    };
    lock(&hq.oauth).register(client)?;
    Ok((StatusCode::CREATED, no_store(), Json(reply)).into_response())
}

fn check(metadata: &ClientMetadata) -> Result<(), OAuthError> {
    let refuse = |description: String| Err(OAuthError::new("invalid_client_metadata", description));
    if !(1..=10).contains(&metadata.redirect_uris.len()) {
        return Err(OAuthError::new(
            "invalid_redirect_uri",
            "redirect_uris must hold 1 to 10 URIs",
        ));
    }
    for uri in &metadata.redirect_uris {
        redirect_uri::check(uri).map_err(|error| OAuthError::new("invalid_redirect_uri", error))?;
    }
    if let Some(name) = &metadata.client_name
        && (name.trim().is_empty()
            || name.chars().count() > 200
            || name.chars().any(char::is_control))
    {
        return refuse(
            "client_name must be 1 to 200 characters without control characters".to_owned(),
        );
    }
    if !matches!(
        metadata.token_endpoint_auth_method.as_str(),
        "none" | "client_secret_basic" | "client_secret_post"
    ) {
        return refuse(
            "token_endpoint_auth_method must be none, client_secret_basic or client_secret_post"
                .to_owned(),
        );
    }
    let offered = |grant: &String| matches!(grant.as_str(), "authorization_code" | "refresh_token");
    if !metadata.grant_types.iter().any(|grant| grant == "authorization_code")
        || !metadata.grant_types.iter().all(offered)
    {
        return refuse(
            "grant_types must be authorization_code and may add refresh_token".to_owned(),
        );
    }
    if metadata.response_types != ["code"] {
        return refuse("response_types must be code".to_owned());
    }
    Ok(())
}
