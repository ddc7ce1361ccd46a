//! Token introspection (RFC 7662), open or with client credentials.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::HeaderMap;
use jiff::Timestamp;
use serde_json::json;

use super::client_auth::{Form, authenticate};
use super::error::{OAuthError, no_store};
use crate::hq::{Hq, credentials, lock};

/// `POST /oauth2/introspect`. Only access tokens are ever active: a resource server must not take a
/// refresh token for one.
pub(crate) async fn introspect(
    State(hq): State<Arc<Hq>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, OAuthError> {
    let form = Form::parse(&body)?;
    let store = lock(&hq.oauth);
    let presented = credentials::basic(&headers).is_some() || form.get("client_secret").is_some();
    if presented || !hq.settings.unauthenticated_introspection {
        let client = authenticate(&store, &headers, &form)?;
        if client.secret.is_none() {
            return Err(OAuthError::invalid_client("introspection needs a client with a secret"));
        }
    }
    let token = form.required("token")?;
    let Some(access) = store.access(token, Timestamp::now()) else {
        return Ok((no_store(), Json(json!({"active": false}))).into_response());
    };
    let mut reply = json!({
        "active": true,
        "iss": hq.issuer.as_str(),
        "sub": access.grant.user,
        "username": access.grant.user,
        "client_id": access.client_id,
        "scope": access.scopes.to_string(),
        "token_type": "Bearer",
        "iat": access.issued_at.as_second(),
        "exp": access.expires_at.as_second(),
    });
    if hq.settings.introspection_aud
        && let Some(fields) = reply.as_object_mut()
    {
        // One audience is a string, several a list (RFC 7519 §4.1.3).
        match access.resources {
            [] => {}
            [only] => drop(fields.insert("aud".to_owned(), only.as_str().into())),
            several => drop(fields.insert("aud".to_owned(), several.into())),
        }
    }
    Ok((no_store(), Json(reply)).into_response())
}
