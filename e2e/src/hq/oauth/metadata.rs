//! Authorization server metadata (RFC 8414).

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use super::exchange;
use crate::hq::Hq;
use crate::hq::scope::Scope;

const WITH_SECRET: [&str; 2] = ["client_secret_basic", "client_secret_post"];
const GRANTS: [&str; 3] = ["authorization_code", "refresh_token", exchange::GRANT_TYPE];
const ANY_CLIENT: [&str; 3] = ["none", "client_secret_basic", "client_secret_post"];

/// `GET /.well-known/oauth-authorization-server`. `offline_access` is not offered: who may refresh
/// is the client's registration.
pub(crate) async fn show(State(hq): State<Arc<Hq>>) -> Json<Value> {
    let endpoint = |path: &str| hq.issuer.endpoint(path);
    let introspecting: &[&str] =
        if hq.settings.unauthenticated_introspection { &ANY_CLIENT } else { &WITH_SECRET };
    let mut metadata = json!({
        "issuer": hq.issuer.as_str(),
        "authorization_endpoint": endpoint("/oauth2/authorize"),
        "token_endpoint": endpoint("/oauth2/token"),
        "introspection_endpoint": endpoint("/oauth2/introspect"),
        "revocation_endpoint": endpoint("/oauth2/revoke"),
        "scopes_supported": Scope::ALL.map(Scope::as_str),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": if hq.settings.token_exchange { &GRANTS[..] } else {
            &GRANTS[..2]
        },
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": ANY_CLIENT,
        "introspection_endpoint_auth_methods_supported": introspecting,
        "revocation_endpoint_auth_methods_supported": ANY_CLIENT,
        "authorization_response_iss_parameter_supported": true,
    });
    if let Some(fields) = metadata.as_object_mut() {
        if hq.settings.dcr {
            fields.insert("registration_endpoint".to_owned(), endpoint("/oauth2/register").into());
        }
        if hq.settings.client_id_metadata_documents {
            fields.insert("client_id_metadata_document_supported".to_owned(), true.into());
        }
        let faults = hq.faults.borrow();
        fields.retain(|field, _| !faults.metadata_without.contains(field));
    }
    Json(metadata)
}
