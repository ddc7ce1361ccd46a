//! As much of HQ as is asked here: introspection, and a table with as many rows as a statement's
//! last word says.

use std::net::SocketAddr;

use axum::{Form, Json, Router, routing::post};
use bytes::Bytes;
use futures::{SinkExt, StreamExt};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::{accept_async, tungstenite::Message};

use crate::load::Call;

/// Topics of the list.
const TOPICS: usize = 13;
/// Callers, each with a token of its own.
const CALLERS: usize = 16;

/// A running HQ.
pub(crate) struct Hq {
    http: SocketAddr,
    websockets: SocketAddr,
}

impl Hq {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let http = listener.local_addr().unwrap();
        let topics = Bytes::from(topics());
        let router = Router::new()
            .route("/oauth2/introspect", post(introspect))
            .fallback(async move || ([("content-type", "application/json")], topics.clone()));
        tokio::spawn(async move { axum::serve(listener, router).await });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let websockets = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer(stream));
            }
        });
        Self { http, websockets }
    }

    /// The settings that lead here.
    pub(crate) fn settings(&self) -> [(&'static str, String); 3] {
        [
            ("LENSES_URL", format!("http://{}", self.http)),
            ("LENSES_API_WEBSOCKET_URL", format!("ws://{}", self.websockets.ip())),
            ("LENSES_API_WEBSOCKET_PORT", self.websockets.port().to_string()),
        ]
    }

    /// A call that goes all the way and is answered here rather than by HQ: its last argument is
    /// not a topic's name.
    pub(crate) fn call() -> Call {
        Call::new(&Self::call_params(), &tokens(), |reply| {
            let text = reply["result"]["content"][0]["text"].as_str().unwrap_or_default();
            text.starts_with("argument `topic_name`") && text.contains("Nothing was sent to Lenses")
        })
    }

    /// A call that forwards a list of 16 KB of HQ's.
    pub(crate) fn list() -> Call {
        let params = json!({ "name": "list_topics", "arguments": { "environment": "dev" } });
        Call::new(&params, &tokens(), |reply| {
            reply["result"]["structuredContent"]["result"]
                .as_array()
                .is_some_and(|topics| topics.len() == TOPICS)
        })
    }

    /// The `params` of [`Self::call`].
    pub(crate) fn call_params() -> Value {
        json!({ "name": "get_topic", "arguments": { "environment": "dev", "topic_name": "" } })
    }

    /// A query of a table of so many rows, of which the first thousand are answered.
    pub(crate) fn query(rows: usize) -> Call {
        let sql = format!("SELECT * FROM t LIMIT {rows}");
        let params =
            json!({ "name": "execute_sql", "arguments": { "environment": "dev", "sql": sql } });
        Call::new(&params, &tokens(), |reply| {
            reply["result"]["structuredContent"]["result"]
                .as_array()
                .is_some_and(|rows| rows.len() == 1_000)
        })
    }
}

/// Topics as HQ lists them, 16 KB in all.
fn topics() -> String {
    let topic = |number: usize| {
        let partitions: Vec<_> = (0..10)
            .map(|partition| {
                json!({
                    "partition": partition, "begin": 0, "end": 1_000_000, "size": 734_003_200
                })
            })
            .collect();
        json!({
            "topicName": format!("payments-{number:02}"),
            "keyType": "STRING",
            "valueType": "AVRO",
            "partitions": 10,
            "replication": 3,
            "isMarkedForDeletion": false,
            "messagesPerPartition": partitions,
            "config": [
                { "name": "cleanup.policy", "value": "delete", "isDefault": true },
                { "name": "retention.ms", "value": "604800000", "isDefault": true },
                { "name": "segment.bytes", "value": "1073741824", "isDefault": true },
                { "name": "min.insync.replicas", "value": "2", "isDefault": false },
            ],
        })
    };
    Value::Array((0..TOPICS).map(topic).collect()).to_string()
}

fn tokens() -> Vec<String> {
    // As long as tokens of HQ are.
    (0..CALLERS).map(|number| format!("{number:0>43}")).collect()
}

#[derive(Deserialize)]
struct Question {
    token: String,
}

async fn introspect(Form(Question { token }): Form<Question>) -> Json<Value> {
    let is_known = tokens().contains(&token);
    Json(json!({
        "active": is_known, "scope": "read write delete", "sub": token, "client_id": "bench",
        "exp": 9_999_999_999_u64,
    }))
}

async fn answer(stream: TcpStream) {
    let mut socket = accept_async(stream).await.unwrap();
    let asked: Value =
        serde_json::from_str(socket.next().await.unwrap().unwrap().to_text().unwrap()).unwrap();
    let rows: u64 = asked["sql"].as_str().unwrap().rsplit(' ').next().unwrap().parse().unwrap();
    for row in 0..rows {
        let text = format!(
            concat!(
                r#"{{"type":"RECORD","data":{{"key":"event-{row}","#,
                r#""value":{{"payload":"{row:064}","sequence":{row}}},"#,
                r#""metadata":{{"timestamp":1767600000000,"partition":0,"offset":{row}}},"#,
                r#""rownum":{row}}}}}"#,
            ),
            row = row
        );
        if socket.send(Message::text(text)).await.is_err() {
            return;
        }
    }
    let _gone = socket.send(Message::text(r#"{"type":"END"}"#)).await;
}
