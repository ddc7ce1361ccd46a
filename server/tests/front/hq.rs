//! As much of HQ as sign-in meets: introspection over tokens that tests add and revoke, and one API call.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use axum::{
    Form, Json, Router,
    extract::State,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use http::{HeaderMap, StatusCode, header};
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::watch};

/// How introspection behaves.
#[derive(Clone, Default)]
pub(crate) enum Introspection {
    #[default]
    Answers,
    /// Only with this Authorization header.
    Wants(&'static str),
    /// With this status and body, whatever is asked.
    Says(StatusCode, String),
    /// Points elsewhere.
    Redirects,
}

#[derive(Default)]
struct Shared {
    tokens: Mutex<HashMap<String, Value>>,
    introspection: Mutex<Introspection>,
    /// The form and headers of each introspection, in order.
    asked: Mutex<Vec<(HashMap<String, String>, HeaderMap)>>,
    /// The credential of each API call, in order.
    called: Mutex<Vec<String>>,
    api_refuses: Mutex<bool>,
    /// While true, introspection has arrived but is not answered.
    held: watch::Sender<bool>,
}

#[derive(Clone)]
pub(crate) struct Hq {
    shared: Arc<Shared>,
    pub(crate) url: String,
}

impl Hq {
    pub(crate) async fn start() -> Self {
        let shared = Arc::new(Shared::default());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new()
            .route("/oauth2/introspect", post(introspect))
            .route("/elsewhere", post(redirected_to))
            .route("/api/v1/environments", get(environments))
            .with_state(shared.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { shared, url }
    }

    /// Issues `token` with these members in its introspection reply, besides `active`.
    pub(crate) fn issue(&self, token: &str, members: Value) {
        let mut reply = members;
        reply["active"] = json!(true);
        self.shared.tokens.lock().unwrap().insert(token.to_owned(), reply);
    }

    /// A token that may do everything.
    pub(crate) fn issue_to_alice(&self) -> &'static str {
        let members =
            json!({"scope": "read write delete", "sub": "alice", "client_id": "claude", "exp": 9_999_999_999_u64});
        self.issue("alices-token", members);
        "alices-token"
    }

    pub(crate) fn revoke(&self, token: &str) {
        self.shared.tokens.lock().unwrap().remove(token);
    }

    pub(crate) fn introspection(&self, introspection: Introspection) {
        *self.shared.introspection.lock().unwrap() = introspection;
    }

    pub(crate) fn hold_introspection(&self, held: bool) {
        self.shared.held.send_replace(held);
    }

    pub(crate) fn refuse_api_calls(&self, refuse: bool) {
        *self.shared.api_refuses.lock().unwrap() = refuse;
    }

    pub(crate) fn introspections(&self) -> usize {
        self.shared.asked.lock().unwrap().len()
    }

    pub(crate) fn last_introspection(&self) -> (HashMap<String, String>, HeaderMap) {
        self.shared.asked.lock().unwrap().last().unwrap().clone()
    }

    /// The Authorization headers that API calls came with.
    pub(crate) fn called_with(&self) -> Vec<String> {
        self.shared.called.lock().unwrap().clone()
    }
}

async fn redirected_to() -> StatusCode {
    panic!("a redirect was followed")
}

async fn introspect(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    Form(form): Form<HashMap<String, String>>,
) -> Response {
    let token = form.get("token").cloned().unwrap_or_default();
    shared.asked.lock().unwrap().push((form, headers.clone()));
    let mut held = shared.held.subscribe();
    held.wait_for(|held| !held).await.unwrap();
    let introspection = shared.introspection.lock().unwrap().clone();
    match introspection {
        Introspection::Says(status, body) => return (status, body).into_response(),
        Introspection::Redirects => {
            return (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, "/elsewhere")]).into_response();
        }
        Introspection::Wants(credentials)
            if headers.get(header::AUTHORIZATION).is_none_or(|found| found != credentials) =>
        {
            return StatusCode::UNAUTHORIZED.into_response();
        }
        Introspection::Wants(_) | Introspection::Answers => {}
    }
    let reply = shared.tokens.lock().unwrap().get(&token).cloned();
    Json(reply.unwrap_or_else(|| json!({"active": false}))).into_response()
}

async fn environments(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Response {
    let credential = headers.get(header::AUTHORIZATION).map(|value| value.to_str().unwrap().to_owned());
    shared.called.lock().unwrap().push(credential.unwrap_or_default());
    if *shared.api_refuses.lock().unwrap() {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    Json(json!({"items": [{"name": "dev"}]})).into_response()
}
