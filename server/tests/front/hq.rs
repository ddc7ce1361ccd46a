//! As much of HQ as sign-in meets: introspection over tokens that tests add and revoke, metadata,
//! token exchange, and one API call.

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
use http::{HeaderMap, StatusCode, Uri, header};
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

/// The client that may exchange tokens: its settings here, and what HQ then sees.
pub(crate) const CLIENT: [(&str, &str); 2] = [
    ("INTROSPECTION_CLIENT_ID", "mcp-server"),
    ("INTROSPECTION_CLIENT_SECRET", "hunter6-client-secret"),
];
const CLIENT_AUTHORIZATION: &str = "Basic bWNwLXNlcnZlcjpodW50ZXI2LWNsaWVudC1zZWNyZXQ=";

/// What HQ says of itself.
const META_INFO: &str = r#"{"version":"6.3.0","build_id":"b1"}"#;

/// A request's form and headers.
type Asked = (HashMap<String, String>, HeaderMap);

#[derive(Default)]
struct Shared {
    tokens: Mutex<HashMap<String, Value>>,
    introspection: Mutex<Introspection>,
    /// The form and headers of each introspection, in order.
    asked: Mutex<Vec<Asked>>,
    /// What metadata is answered with; `None`: not found.
    metadata: Mutex<Option<(StatusCode, String)>>,
    /// The paths at which it was looked for.
    metadata_paths: Mutex<Vec<String>>,
    /// What token exchange answers in place of a token.
    exchange_says: Mutex<Option<(StatusCode, String)>>,
    /// The lifetime of exchanged tokens, in seconds.
    exchanged_for: Mutex<Option<u64>>,
    /// Each exchange, in order.
    exchanged: Mutex<Vec<Asked>>,
    /// The credential of each API call, in order.
    called: Mutex<Vec<String>>,
    called_for: Mutex<Vec<HeaderMap>>,
    api_refuses: Mutex<bool>,
    /// While true, introspection has arrived but is not answered.
    held: watch::Sender<bool>,
    /// While true, API calls have arrived but are not answered.
    api_held: watch::Sender<bool>,
    /// API calls that have arrived.
    api_arrived: watch::Sender<usize>,
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
            .route("/oauth2/token", post(exchange))
            .route("/elsewhere", post(redirected_to))
            .route("/", get(async || "Lenses HQ\n"))
            .route("/api/v1/environments", get(environments))
            .route("/api/v1/meta-info", get(async || META_INFO))
            .fallback(metadata)
            .with_state(shared.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        let hq = Self { shared, url };
        hq.publish(json!({}));
        hq
    }

    /// Publishes metadata that fits, with these members in place of its own.
    #[expect(clippy::needless_pass_by_value, reason = "a json! at the call reads better without &")]
    pub(crate) fn publish(&self, members: Value) {
        let issuer = "https://lenses.example.com";
        let mut metadata = json!({
            "issuer": issuer,
            "authorization_endpoint": format!("{issuer}/oauth2/authorize"),
            "token_endpoint": format!("{issuer}/oauth2/token"),
            "registration_endpoint": format!("{issuer}/oauth2/register"),
            "response_types_supported": ["code"],
            "grant_types_supported": ["authorization_code", "refresh_token"],
            "code_challenge_methods_supported": ["S256"],
        });
        for (name, value) in members.as_object().unwrap() {
            metadata[name] = value.clone();
        }
        self.answer_metadata(Some((StatusCode::OK, metadata.to_string())));
    }

    /// Publishes metadata that offers token exchange.
    pub(crate) fn offer_exchange(&self) {
        let grant = "urn:ietf:params:oauth:grant-type:token-exchange";
        self.publish(json!({"grant_types_supported": ["authorization_code", grant]}));
    }

    pub(crate) fn answer_metadata(&self, answer: Option<(StatusCode, String)>) {
        *self.shared.metadata.lock().unwrap() = answer;
    }

    /// The paths at which metadata was looked for, in order.
    pub(crate) fn metadata_paths(&self) -> Vec<String> {
        self.shared.metadata_paths.lock().unwrap().clone()
    }

    /// Answers exchanges with this in place of a token.
    pub(crate) fn answer_exchange(&self, status: StatusCode, body: &str) {
        *self.shared.exchange_says.lock().unwrap() = Some((status, body.to_owned()));
    }

    /// Says that exchanged tokens are good for `seconds`.
    pub(crate) fn exchange_for(&self, seconds: u64) {
        *self.shared.exchanged_for.lock().unwrap() = Some(seconds);
    }

    pub(crate) fn exchanges(&self) -> Vec<Asked> {
        self.shared.exchanged.lock().unwrap().clone()
    }

    /// Issues `token` with these members in its introspection reply, besides `active`.
    pub(crate) fn issue(&self, token: &str, members: Value) {
        let mut reply = members;
        reply["active"] = json!(true);
        self.shared.tokens.lock().unwrap().insert(token.to_owned(), reply);
    }

    /// A token that may do everything.
    pub(crate) fn issue_to_alice(&self) -> &'static str {
        let members = json!({
            "scope": "read write delete", "sub": "alice", "client_id": "claude",
            "exp": 9_999_999_999_u64
        });
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

    pub(crate) fn hold_api_calls(&self, held: bool) {
        self.shared.api_held.send_replace(held);
    }

    /// Returns when the first API call after this one has arrived.
    pub(crate) async fn next_api_call(&self) {
        let mut arrived = self.shared.api_arrived.subscribe();
        arrived.changed().await.unwrap();
    }

    /// The headers of API calls.
    pub(crate) fn called_for(&self) -> Vec<HeaderMap> {
        self.shared.called_for.lock().unwrap().clone()
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
            return (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, "/elsewhere")])
                .into_response();
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

async fn metadata(State(shared): State<Arc<Shared>>, uri: Uri) -> Response {
    if !uri.path().contains("/.well-known/oauth-authorization-server") {
        return StatusCode::NOT_FOUND.into_response();
    }
    shared.metadata_paths.lock().unwrap().push(uri.path().to_owned());
    shared
        .metadata
        .lock()
        .unwrap()
        .clone()
        .unwrap_or((StatusCode::NOT_FOUND, String::new()))
        .into_response()
}

/// Exchanges an active token of a client that it knows: the first for `exchanged-1`, and so on.
async fn exchange(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    Form(form): Form<HashMap<String, String>>,
) -> Response {
    let token = form.get("subject_token").cloned().unwrap_or_default();
    let authorized =
        headers.get(header::AUTHORIZATION).is_some_and(|found| found == CLIENT_AUTHORIZATION);
    let number = {
        let mut exchanged = shared.exchanged.lock().unwrap();
        exchanged.push((form, headers));
        exchanged.len()
    };
    if let Some(answer) = shared.exchange_says.lock().unwrap().clone() {
        return answer.into_response();
    }
    if !authorized {
        return (StatusCode::UNAUTHORIZED, Json(json!({"error": "invalid_client"})))
            .into_response();
    }
    if !shared.tokens.lock().unwrap().contains_key(&token) {
        return (StatusCode::BAD_REQUEST, Json(json!({"error": "invalid_request"})))
            .into_response();
    }
    Json(json!({
        "access_token": format!("exchanged-{number}"),
        "issued_token_type": "urn:ietf:params:oauth:token-type:access_token",
        "token_type": "Bearer",
        "expires_in": *shared.exchanged_for.lock().unwrap(),
    }))
    .into_response()
}

async fn environments(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Response {
    let credential =
        headers.get(header::AUTHORIZATION).map(|value| value.to_str().unwrap().to_owned());
    shared.called.lock().unwrap().push(credential.unwrap_or_default());
    shared.called_for.lock().unwrap().push(headers);
    shared.api_arrived.send_modify(|arrived| *arrived += 1);
    let mut held = shared.api_held.subscribe();
    held.wait_for(|held| !held).await.unwrap();
    if *shared.api_refuses.lock().unwrap() {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    Json(json!({"items": [{"name": "dev"}]})).into_response()
}
