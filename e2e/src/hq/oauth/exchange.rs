//! Token exchange (RFC 8693), when `token_exchange` is on: a resource server gives the access token
//! that it was called with and gets one whose audience is HQ itself, for the same user and no more
//! scopes. It ends with the token that was given.
//!
//! Any client with a secret may exchange; HQ itself is the only target, named by its issuer
//! identifier or by nothing.

use jiff::Timestamp;

use super::client_auth::Form;
use super::error::OAuthError;
use super::store::{Client, Entitlement, Issued, Store};
use crate::hq::Hq;
use crate::hq::scope::Scopes;

/// `grant_type` (RFC 8693 §2.1).
pub(crate) const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
/// The one token type that is taken and issued (RFC 8693 §3).
pub(crate) const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";

/// # Errors
/// As RFC 8693 §2.2.2: `invalid_request` for a subject token that is no good, `invalid_target` for
/// another audience than HQ, `invalid_scope` for more than the subject token holds;
/// `unauthorized_client` for a client without a secret.
pub(crate) fn exchange(
    store: &mut Store,
    hq: &Hq,
    client: &Client,
    form: &Form,
    now: Timestamp,
) -> Result<Issued, OAuthError> {
    if client.secret.is_none() {
        return Err(OAuthError::new(
            "unauthorized_client",
            "token exchange needs a client with a secret",
        ));
    }
    let subject = form.required("subject_token")?;
    if form.required("subject_token_type")? != ACCESS_TOKEN {
        return Err(OAuthError::invalid_request(format!(
            "subject_token_type must be {ACCESS_TOKEN}"
        )));
    }
    if form.get("requested_token_type").is_some_and(|wanted| wanted != ACCESS_TOKEN) {
        return Err(OAuthError::invalid_request(format!(
            "requested_token_type must be {ACCESS_TOKEN} or left out"
        )));
    }
    if form.get("actor_token").is_some() {
        return Err(OAuthError::invalid_request(
            "actor_token is not taken: the client acts as itself",
        ));
    }
    if let Some(other) =
        form.resources.iter().chain(&form.audiences).find(|name| !hq.issuer.is_named_by(name))
    {
        let description =
            format!("{other:?} is not HQ: name its issuer, {:?}, or nothing", hq.issuer.as_str());
        return Err(OAuthError::new("invalid_target", description));
    }
    let known = store.access(subject, now).ok_or_else(|| {
        OAuthError::invalid_request("subject_token is not known, was revoked, or has expired")
    })?;
    let scopes = form.get("scope").map_or_else(|| known.scopes.clone(), Scopes::parse);
    if scopes.is_empty() || !scopes.is_within(known.scopes) {
        return Err(OAuthError::new(
            "invalid_scope",
            "scope must be within that of the subject token",
        ));
    }
    let access = Entitlement {
        grant_id: known.grant.id,
        scopes,
        resources: vec![hq.issuer.as_str().to_owned()],
    };
    store.issue_for(subject, access, &client.id, hq.settings.access_token_ttl, now)
}
