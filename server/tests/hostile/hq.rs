//! As much of HQ as the attacks meet: introspection that knows every token, and a list of topics as
//! long as a test wants it. It stands outside of the server's memory.

use axum::{
    Form, Json, Router,
    body::Bytes,
    routing::{any, get, post},
};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// A running HQ.
pub(crate) struct Hq {
    pub(crate) url: String,
}

impl Hq {
    /// With a list of topics of about so many bytes.
    pub(crate) async fn start(topics_bytes: usize) -> Self {
        let topics = topics(topics_bytes);
        let json = [("content-type", "application/json")];
        let router = Router::new()
            .route("/oauth2/introspect", post(introspect))
            .route("/api/v1/environments/dev/proxy/api/topics", get(async move || (json, topics)))
            .route(
                "/api/v1/environments/dev/proxy/api/topics/long",
                get(async || Json(json!({ "topicName": "long", "text": "x".repeat(1_000_000) }))),
            )
            .fallback(any(async || Json(json!({}))));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url }
    }
}

#[derive(Deserialize)]
struct Question {
    token: String,
}

/// Each token is a user of its own.
async fn introspect(Form(Question { token }): Form<Question>) -> Json<Value> {
    Json(json!({
        "active": true, "scope": "read write delete", "sub": token, "client_id": "hostile",
        "exp": 9_999_999_999_u64,
    }))
}

fn topics(bytes: usize) -> Bytes {
    let mut list = "[".to_owned();
    for number in 0.. {
        let topic = json!({
            "topicName": format!("orders-{number}"),
            "partitions": 12, "replication": 3, "totalMessages": 1_915_883_588_174_806_058_u64,
            "config": [
                { "name": "cleanup.policy", "value": "delete" },
                { "name": "retention.ms", "value": "604800000" }
            ],
        });
        if list.len() > bytes {
            break;
        }
        if list.len() > 1 {
            list.push(',');
        }
        list.push_str(&topic.to_string());
    }
    list.push(']');
    list.into()
}
