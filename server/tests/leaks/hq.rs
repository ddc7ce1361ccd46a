//! An HQ that signs one caller in and answers everything else with planted records and errors.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use axum::{
    Json, Router,
    extract::{Form, State},
    response::{IntoResponse, Response},
    routing::post,
};
use http::StatusCode;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::PLANTED;

/// The token that is good.
pub(crate) const TOKEN: &str = "pLaNtEd-token";

pub(crate) struct Hq {
    pub(crate) url: String,
    replies: Arc<AtomicUsize>,
}

impl Hq {
    pub(crate) async fn start() -> Self {
        let replies = Arc::new(AtomicUsize::new(0));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new()
            .route("/oauth2/introspect", post(introspect))
            .fallback(reply)
            .with_state(Arc::clone(&replies));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, replies }
    }

    pub(crate) fn answered_with_records(&self) -> usize {
        self.replies.load(Ordering::Relaxed)
    }
}

async fn introspect(Form(asked): Form<Vec<(String, String)>>) -> Json<Value> {
    let is_good = asked.iter().any(|(name, value)| name == "token" && value == TOKEN);
    Json(json!({
        "active": is_good,
        "scope": "read write delete",
        "sub": "alice",
        "client_id": "claude",
        "token_type": "Bearer",
        "jti": PLANTED,
    }))
}

/// Records, and now and then each kind of error.
async fn reply(State(replies): State<Arc<AtomicUsize>>) -> Response {
    let number = replies.fetch_add(1, Ordering::Relaxed);
    let problem = json!({ "type": PLANTED, "title": PLANTED, "detail": PLANTED });
    match number % 8 {
        0 => (StatusCode::INTERNAL_SERVER_ERROR, Json(problem)).into_response(),
        1 => (StatusCode::FORBIDDEN, Json(problem)).into_response(),
        2 => (StatusCode::BAD_REQUEST, PLANTED).into_response(),
        3 => (StatusCode::OK, PLANTED).into_response(),
        _ => {
            let record = json!({ "name": PLANTED, "topicName": PLANTED, "id": PLANTED });
            Json(json!({ "items": [record], "values": [record], PLANTED: PLANTED })).into_response()
        }
    }
}
