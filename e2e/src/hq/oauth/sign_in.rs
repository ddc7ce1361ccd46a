//! The person's two forms: who they are, then what they grant.
//!
//! No cookie is set, so no request carries authority that the page's own hidden field did not give
//! it: the handle in the consent form is made for whoever just gave the right password, is good
//! once, and cannot be had by another site. That is the protection from forged posts. A script does
//! what a person does by posting `request`, `username`, `password`, and then `request`, `scope`…,
//! `decision`.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use jiff::Timestamp;
use url::form_urlencoded;

use super::store::Pending;
use super::{grant, pages};
use crate::hq::scope::Scopes;
use crate::hq::{Hq, lock, users};

/// Wrong passwords before a request is given up.
const MAX_ATTEMPTS: u8 = 5;
const EXPIRED: &str =
    "this sign-in has expired or was already used: start again from the application";

/// `POST /oauth2/authorize/sign-in`
pub(crate) async fn sign_in(State(hq): State<Arc<Hq>>, body: Bytes) -> Response {
    let now = Timestamp::now();
    let (username, password) = (field(&body, "username"), field(&body, "password"));
    let Some(mut pending) = lock(&hq.oauth).resume(&field(&body, "request"), now) else {
        return pages::refused(EXPIRED);
    };
    if let Some(user) = users::sign_in(&username, &password) {
        pending.user = Some(user.name);
        return ask(&hq, StatusCode::OK, pending, None, now);
    }
    pending.attempts += 1;
    if pending.attempts >= MAX_ATTEMPTS {
        return pages::refused("too many wrong passwords: start again from the application");
    }
    ask(&hq, StatusCode::FORBIDDEN, pending, Some("username or password is wrong"), now)
}

/// `POST /oauth2/authorize/consent`
pub(crate) async fn consent(State(hq): State<Arc<Hq>>, body: Bytes) -> Response {
    let now = Timestamp::now();
    let resumed = lock(&hq.oauth).resume(&field(&body, "request"), now);
    let Some((user, pending)) =
        resumed.and_then(|pending| pending.user.map(|user| (user, pending)))
    else {
        return pages::refused(EXPIRED);
    };
    if field(&body, "decision") != "approve" {
        return grant::finish(
            &hq,
            StatusCode::SEE_OTHER,
            user,
            &pending.request,
            &Scopes::default(),
            now,
        );
    }
    let ticked: Vec<_> = form_urlencoded::parse(&body)
        .filter(|(name, _)| name == "scope")
        .map(|(_, value)| value)
        .collect();
    // Never more than was asked, whatever is posted.
    let granted = Scopes::parse(&ticked.join(" ")).and(&pending.request.scopes);
    if granted.is_empty() {
        return ask(
            &hq,
            StatusCode::UNPROCESSABLE_ENTITY,
            pending,
            Some("tick at least one, or deny"),
            now,
        );
    }
    grant::finish(&hq, StatusCode::SEE_OTHER, user, &pending.request, &granted, now)
}

/// Shows the form that comes next, under a new handle.
pub(crate) fn ask(
    hq: &Hq,
    status: StatusCode,
    pending: Pending,
    fault: Option<&str>,
    now: Timestamp,
) -> Response {
    let base = hq.issuer.path();
    let mut store = lock(&hq.oauth);
    let client = store
        .client(&pending.request.client_id)
        .map(|client| client.name.clone())
        .unwrap_or_default();
    let (user, scopes) = (pending.user, pending.request.scopes.clone());
    let handle = match store.suspend(pending, now) {
        Ok(handle) => handle,
        Err(error) => return error.into_response(),
    };
    let form = pages::Form { base: &base, handle: &handle, client: &client, fault };
    match user {
        None => form.sign_in(status),
        Some(user) => form.consent(status, user, &scopes),
    }
}

fn field(body: &[u8], name: &str) -> String {
    form_urlencoded::parse(body)
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.into_owned())
        .unwrap_or_default()
}
