//! Calls, as many as asked for and no more, over connections that stay open.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use bytes::Bytes;
use futures::future::join_all;
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::{net::TcpStream, sync::Mutex, task::yield_now, time::timeout};

/// Longest time for one call.
const TIMEOUT: Duration = Duration::from_mins(1);

/// A call that is made again and again, with a token for each connection.
pub(crate) struct Call {
    body: Bytes,
    tokens: Vec<String>,
    is_right: fn(&Value) -> bool,
}

impl Call {
    /// `tools/call` with `params`; the connections show `tokens` in turn, where there are any.
    /// Every answer must satisfy `is_right`.
    pub(crate) fn new(params: &Value, tokens: &[String], is_right: fn(&Value) -> bool) -> Self {
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params })
            .to_string();
        Self { body: body.into(), tokens: tokens.to_vec(), is_right }
    }

    fn request(&self, connection: usize) -> Request<Full<Bytes>> {
        let mut request = Request::post("/mcp")
            .header("host", "localhost")
            .header("content-type", "application/json")
            .header("accept", "application/json, text/event-stream")
            .header("mcp-protocol-version", "2025-11-25");
        if !self.tokens.is_empty() {
            let token = &self.tokens[connection % self.tokens.len()];
            request = request.header("authorization", format!("Bearer {token}"));
        }
        request.body(Full::new(self.body.clone())).unwrap()
    }
}

/// Open connections.
pub(crate) struct Load(Vec<Mutex<SendRequest<Full<Bytes>>>>);

impl Load {
    /// Opens so many.
    pub(crate) async fn connect(address: SocketAddr, connections: usize) -> Self {
        let mut senders = Vec::new();
        for _ in 0..connections {
            let stream = TcpStream::connect(address).await.unwrap();
            stream.set_nodelay(true).unwrap();
            let (sender, connection) = handshake(TokioIo::new(stream)).await.unwrap();
            tokio::spawn(connection);
            senders.push(Mutex::new(sender));
        }
        Self(senders)
    }

    /// Makes `calls` calls without ever sleeping, and says how long they took.
    pub(crate) async fn call(&self, calls: usize, call: &Call) -> Duration {
        let left = Arc::new(AtomicUsize::new(calls));
        let started = Instant::now();
        let calls = join_all(self.0.iter().enumerate().map(|(number, sender)| {
            let left = left.clone();
            async move {
                let mut sender = sender.lock().await;
                while left
                    .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1))
                    .is_ok()
                {
                    timeout(TIMEOUT, one(&mut sender, call, number)).await.unwrap();
                }
            }
        }));
        // The load has one thread, and this keeps it awake.
        let busy = tokio::spawn(async {
            loop {
                yield_now().await;
            }
        });
        calls.await;
        busy.abort();
        started.elapsed()
    }
}

async fn one(sender: &mut SendRequest<Full<Bytes>>, call: &Call, number: usize) {
    sender.ready().await.unwrap();
    let response = sender.send_request(call.request(number)).await.unwrap();
    let status = response.status();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    let reply: Value = serde_json::from_slice(&body).unwrap_or(Value::Null);
    assert!((call.is_right)(&reply), "{status}: {}", String::from_utf8_lossy(&body));
}
