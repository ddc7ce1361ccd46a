//! A person's connected applications, as HQ's account settings show them.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use http::StatusCode;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::store::Registration;
use crate::hq::credentials::Person;
use crate::hq::problem::Problem;
use crate::hq::scope::Scope;
use crate::hq::{Hq, lock};

/// `GET /api/v0/users/me/oauth2/authorizations`
pub(crate) async fn list(State(hq): State<Arc<Hq>>, Person(caller): Person) -> Json<Value> {
    let store = lock(&hq.oauth);
    let items = store.grants_of(&caller.name, Timestamp::now()).into_iter().map(|grant| {
        let client = store.client(&grant.client_id);
        let method = match client.map(|client| client.registration) {
            Some(Registration::Manual) => "manual",
            Some(Registration::Document) => "client_id_metadata_document",
            Some(Registration::Dynamic) | None => "dynamic",
        };
        json!({
            "id": grant.id,
            "application_name": client.map(|client| client.name.as_str()),
            "client_id": grant.client_id,
            "registration_method": method,
            "scopes": grant.scopes.iter().map(Scope::as_str).collect::<Vec<_>>(),
            "created_at": grant.created_at.to_string(),
            "expires_at": grant.expires_at.to_string(),
        })
    });
    Json(json!({"items": items.collect::<Vec<_>>()}))
}

/// `DELETE /api/v0/users/me/oauth2/authorizations/{id}`: every token of the application is out at
/// once.
pub(crate) async fn revoke(
    State(hq): State<Arc<Hq>>,
    Person(caller): Person,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    let mut store = lock(&hq.oauth);
    let own = store
        .grants_of(&caller.name, Timestamp::now())
        .into_iter()
        .find(|grant| grant.id.to_string() == id);
    let id = own
        .map(|grant| grant.id)
        .ok_or_else(|| Problem::not_found(&format!("authorization {id:?}")))?;
    store.revoke_grant(id);
    Ok(StatusCode::NO_CONTENT)
}
