//! The token endpoint (OAuth 2.1 §4.1.3 and §4.3): a code, or a refresh token, for tokens; an
//! access token for one of HQ's own, when [`exchange`] is on.

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
use super::store::{Client, Code, Entitlement, Issued, Store};
use super::{exchange, pkce};
use crate::hq::scope::Scopes;
use crate::hq::settings::Settings;
use crate::hq::{Hq, lock};

/// `POST /oauth2/token`
pub(crate) async fn token(
    State(hq): State<Arc<Hq>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, OAuthError> {
    let form = Form::parse(&body)?;
    let now = Timestamp::now();
    let mut store = lock(&hq.oauth);
    let client = authenticate(&store, &headers, &form)?.clone();
    let issued = match form.required("grant_type")? {
        "authorization_code" => exchange_code(&mut store, &hq.settings, &client, &form, now)?,
        "refresh_token" => refresh(&mut store, &hq.settings, &client, &form, now)?,
        exchange::GRANT_TYPE if hq.settings.token_exchange => {
            exchange::exchange(&mut store, &hq, &client, &form, now)?
        }
        other => {
            let description =
                format!("grant_type {other:?} is not in grant_types_supported of the metadata");
            return Err(OAuthError::new("unsupported_grant_type", description));
        }
    };
    drop(store);
    let mut reply = json!({
        "access_token": issued.access_token,
        "token_type": "Bearer",
        "expires_in": issued.expires_in,
        "scope": issued.scopes.to_string(),
    });
    if let (Some(refresh_token), Some(fields)) = (issued.refresh_token, reply.as_object_mut()) {
        fields.insert("refresh_token".to_owned(), refresh_token.into());
    }
    if form.get("grant_type") == Some(exchange::GRANT_TYPE)
        && let Some(fields) = reply.as_object_mut()
    {
        fields.insert("issued_token_type".to_owned(), exchange::ACCESS_TOKEN.into());
    }
    Ok((no_store(), Json(reply)).into_response())
}

fn exchange_code(
    store: &mut Store,
    settings: &Settings,
    client: &Client,
    form: &Form,
    now: Timestamp,
) -> Result<Issued, OAuthError> {
    let code = store.take_code(form.required("code")?, &client.id, now)?;
    check_proof(&code, form)?;
    let granted = code.entitlement;
    let access = Entitlement { resources: narrowed_resources(&granted, form)?, ..granted.clone() };
    store.issue(access, client.may_refresh.then_some(granted), settings.access_token_ttl, now)
}

/// That whoever brings the code is who asked for it.
fn check_proof(code: &Code, form: &Form) -> Result<(), OAuthError> {
    match (&code.challenge, form.get("code_verifier")) {
        (Some(challenge), Some(verifier)) if pkce::proves(verifier, challenge) => {}
        (Some(_), Some(_)) => {
            return Err(OAuthError::invalid_grant(
                "code_verifier does not match the code_challenge",
            ));
        }
        (Some(_), None) => return Err(OAuthError::invalid_grant("code_verifier is missing")),
        // Else a stolen code without a challenge could pass as one with (RFC 9700 §4.8.2).
        (None, Some(_)) => {
            return Err(OAuthError::invalid_grant(
                "code_verifier was sent for a code without a code_challenge",
            ));
        }
        (None, None) => {}
    }
    match form.get("redirect_uri") {
        Some(uri) if uri != code.redirect_uri => {
            Err(OAuthError::invalid_grant("redirect_uri is not that of the authorization request"))
        }
        None if code.challenge.is_none() => {
            Err(OAuthError::invalid_grant("redirect_uri is missing (needed without PKCE)"))
        }
        _ => Ok(()),
    }
}

fn refresh(
    store: &mut Store,
    settings: &Settings,
    client: &Client,
    form: &Form,
    now: Timestamp,
) -> Result<Issued, OAuthError> {
    let mut whole = None;
    let access =
        store.take_refresh_token(form.required("refresh_token")?, &client.id, now, |granted| {
            let scopes = form.get("scope").map_or_else(|| granted.scopes.clone(), Scopes::parse);
            if scopes.is_empty() || !scopes.is_within(&granted.scopes) {
                return Err(OAuthError::new(
                    "invalid_scope",
                    "scope must be within what was granted",
                ));
            }
            let access = Entitlement {
                scopes,
                resources: narrowed_resources(granted, form)?,
                ..granted.clone()
            };
            whole = Some(granted.clone());
            Ok(access)
        })?;
    store.issue(access, whole, settings.access_token_ttl, now)
}

/// The resources that the token is for: those asked for now, of those asked for at authorization
/// (RFC 8707 §2.2).
fn narrowed_resources(granted: &Entitlement, form: &Form) -> Result<Vec<String>, OAuthError> {
    if form.resources.is_empty() {
        return Ok(granted.resources.clone());
    }
    let within = form.resources.iter().all(|resource| granted.resources.contains(resource));
    if within {
        Ok(form.resources.clone())
    } else {
        Err(OAuthError::new("invalid_target", "resource was not asked for at authorization"))
    }
}
