//! From an `Authorization` header to who is asking.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, header, request::Parts};
use jiff::Timestamp;

use super::problem::Problem;
use super::users::{self, Caller};
use super::{Hq, lock};

/// The token of `Authorization: Bearer …` (RFC 6750 §2.1); the scheme's case does not matter.
pub(crate) fn bearer(headers: &HeaderMap) -> Option<&str> {
    scheme(headers, "bearer")
}

/// Name and password of `Authorization: Basic …` (RFC 7617 §2), as sent.
pub(crate) fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    let decoded = String::from_utf8(STANDARD.decode(scheme(headers, "basic")?).ok()?).ok()?;
    decoded.split_once(':').map(|(name, password)| (name.to_owned(), password.to_owned()))
}

fn scheme<'headers>(headers: &'headers HeaderMap, scheme: &str) -> Option<&'headers str> {
    let (name, value) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    name.eq_ignore_ascii_case(scheme).then_some(value.trim())
}

/// The API takes a service account's token or an OAuth access token; with `api_audience_check`, one
/// that is not for others only. 401 otherwise.
impl FromRequestParts<Arc<Hq>> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, hq: &Arc<Hq>) -> Result<Self, Problem> {
        let token = bearer(&parts.headers).ok_or_else(Problem::unauthorised)?;
        if token == hq.settings.service_account_token {
            return Ok(Self::service_account());
        }
        let store = lock(&hq.oauth);
        let access = store.access(token, Timestamp::now()).ok_or_else(Problem::unauthorised)?;
        let for_others = !access.resources.is_empty()
            && !access.resources.iter().any(|resource| hq.issuer.is_named_by(resource));
        if hq.settings.api_audience_check && for_others {
            return Err(Problem::unauthorised());
        }
        users::find(&access.grant.user).map(Self::user).ok_or_else(Problem::unauthorised)
    }
}

/// A person at HQ's own pages. There HQ knows a browser by its session; here name and password
/// (Basic) stand in for that session, so that a test can do what a person does in the settings. A
/// bearer token is accepted as everywhere.
pub(crate) struct Person(pub(crate) Caller);

impl FromRequestParts<Arc<Hq>> for Person {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, hq: &Arc<Hq>) -> Result<Self, Problem> {
        if let Some((name, password)) = basic(&parts.headers) {
            let user = users::sign_in(&name, &password).ok_or_else(Problem::unauthorised)?;
            return Ok(Self(Caller::user(user)));
        }
        Caller::from_request_parts(parts, hq).await.map(Self)
    }
}
