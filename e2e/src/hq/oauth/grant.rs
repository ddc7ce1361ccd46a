//! The answer to an authorization request, by a redirect to the client.

use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use jiff::Timestamp;
use url::Url;

use super::authorization_request::AuthorizationRequest;
use super::error::no_store;
use super::pages;
use crate::hq::scope::Scopes;
use crate::hq::{Hq, lock};

/// Answers the client with a code for what `user` granted; granting nothing is denying.
pub(crate) fn finish(
    hq: &Hq,
    status: StatusCode,
    user: &str,
    request: &AuthorizationRequest,
    scopes: &Scopes,
    now: Timestamp,
) -> Response {
    let state = request.state.as_deref();
    if scopes.is_empty() {
        let answer = [("error", "access_denied"), ("error_description", "nothing was granted")];
        return redirect(hq, status, &request.redirect_uri, state, &answer);
    }
    match lock(&hq.oauth).grant(user, request, scopes.clone(), hq.settings.grant_lifetime, now) {
        Ok(code) => redirect(hq, status, &request.redirect_uri, state, &[("code", &code)]),
        Err(error) => error.into_response(),
    }
}

/// Redirects to the client with an answer, `state` and `iss` (RFC 9207).
pub(crate) fn redirect(
    hq: &Hq,
    status: StatusCode,
    to: &str,
    state: Option<&str>,
    answer: &[(&str, &str)],
) -> Response {
    let Ok(mut url) = Url::parse(to) else {
        return pages::refused("the redirect URI is not a URL");
    };
    url.query_pairs_mut()
        .extend_pairs(answer)
        .extend_pairs(state.map(|state| ("state", state)))
        .append_pair("iss", hq.issuer.as_str());
    (status, no_store(), [(header::LOCATION, String::from(url))]).into_response()
}
