//! Token revocation (RFC 7009).

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use http::{HeaderMap, StatusCode};

use super::client_auth::{Form, authenticate};
use super::error::OAuthError;
use crate::hq::{Hq, lock};

/// `POST /oauth2/revoke`. A token that is not known is as good as revoked: 200 (RFC 7009 §2.2).
pub(crate) async fn revoke(
    State(hq): State<Arc<Hq>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<StatusCode, OAuthError> {
    let form = Form::parse(&body)?;
    let mut store = lock(&hq.oauth);
    let client_id = authenticate(&store, &headers, &form)?.id.clone();
    store.revoke(form.required("token")?, &client_id)?;
    Ok(StatusCode::OK)
}
