//! A listener that answers as it is told, and keeps what it was asked.

use std::{
    convert::Infallible,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Request, State},
    response::Response,
};
use futures::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::oneshot,
};
use tokio_tungstenite::{WebSocketStream, accept_async, tungstenite::Message};
use url::Url;

/// One request as it came in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    /// `GET /path?query`, not decoded.
    pub(crate) line: String,
    /// The `Authorization` header.
    pub(crate) authorization: String,
    /// The `Content-Length` header; empty if there is none.
    pub(crate) content_length: String,
    /// The body.
    pub(crate) body: String,
}

/// HQ's HTTP API: one reply for all requests.
pub(crate) struct Hq {
    /// Its address.
    pub(crate) url: Url,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Hq {
    /// Answers every request with `status` and `body`.
    pub(crate) async fn answering(
        status: u16,
        content_type: &str,
        body: impl Into<Vec<u8>>,
    ) -> Self {
        let headers = vec![("content-type", content_type.to_owned())];
        Self::replying(status, headers, body.into()).await
    }

    /// Answers every request with 200 and `body` as JSON.
    pub(crate) async fn giving(body: &Value) -> Self {
        Self::answering(200, "application/json", body.to_string()).await
    }

    /// Answers `GET /path` with the JSON that stands beside it, and what is not there with 404.
    pub(crate) async fn with(replies: &[(&'static str, Value)]) -> Self {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let state = Arc::new((Arc::clone(&seen), replies.to_vec()));
        let app = Router::new().fallback(reply_by_path).with_state(state);
        let (listener, address) = listen().await;
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { url: url_of(address), seen }
    }

    /// Answers every request with this status, these headers and this body.
    pub(crate) async fn replying(
        status: u16,
        headers: Vec<(&'static str, String)>,
        body: Vec<u8>,
    ) -> Self {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let state = Arc::new((Arc::clone(&seen), status, headers, body));
        let app = Router::new().fallback(reply).with_state(state);
        let (listener, address) = listen().await;
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { url: url_of(address), seen }
    }

    /// What it was asked so far.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// What it was asked since it was last taken.
    pub(crate) fn take(&self) -> Vec<Seen> {
        std::mem::take(&mut self.seen.lock().unwrap())
    }

    /// `GET /path` of each request.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.seen().into_iter().map(|seen| seen.line).collect()
    }
}

type Script = (Arc<Mutex<Vec<Seen>>>, u16, Vec<(&'static str, String)>, Vec<u8>);

async fn reply(State(script): State<Arc<Script>>, request: Request) -> Response {
    let (seen, status, headers, body) = &*script;
    let (parts, sent) = request.into_parts();
    let header = |name: &str| {
        parts.headers.get(name).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default()
    };
    let (authorization, content_length) = (header("authorization"), header("content-length"));
    let sent = to_bytes(sent, 1 << 20).await.unwrap();
    seen.lock().unwrap().push(Seen {
        line: format!("{} {}", parts.method, parts.uri),
        authorization,
        content_length,
        body: String::from_utf8(sent.to_vec()).unwrap(),
    });
    let mut response = Response::builder().status(*status);
    for (name, value) in headers {
        response = response.header(*name, value);
    }
    response.body(Body::from(body.clone())).unwrap()
}

type Replies = (Arc<Mutex<Vec<Seen>>>, Vec<(&'static str, Value)>);

async fn reply_by_path(State(script): State<Arc<Replies>>, request: Request) -> Response {
    let (seen, replies) = &*script;
    let line = format!("{} {}", request.method(), request.uri());
    let reply = replies
        .iter()
        .find(|(path, _)| line.strip_prefix("GET /lenses/api/v1/environments") == Some(*path));
    seen.lock().unwrap().push(Seen { line, ..Seen::default() });
    let response = Response::builder().header("content-type", "application/json");
    let (status, body) = match reply {
        Some((_, json)) => (200, json.to_string()),
        None => (404, r#"{"type":"not_found","title":"there is no such thing"}"#.to_owned()),
    };
    response.status(status).body(Body::from(body)).unwrap()
}

/// A listener that reads a request and writes `bytes`, then closes: for replies that are no good
/// HTTP.
pub(crate) async fn writing(bytes: &'static [u8]) -> Url {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let (listener, address) = listen().await;
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = [0; 4096];
            let _ = stream.read(&mut request).await;
            let _ = stream.write_all(bytes).await;
        }
    });
    url_of(address)
}

/// A listener that accepts connections and never says anything.
pub(crate) async fn silent() -> Url {
    let (listener, address) = listen().await;
    tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok((stream, _)) = listener.accept().await {
            held.push(stream);
        }
    });
    url_of(address)
}

/// A listener whose replies never end: a space at a time, for as long as somebody reads.
pub(crate) async fn dripping() -> Url {
    let app = Router::new().fallback(async || {
        Body::from_stream(futures::stream::unfold((), async |()| {
            tokio::time::sleep(Duration::from_millis(5)).await;
            Some((Ok::<_, Infallible>(" "), ()))
        }))
    });
    let (listener, address) = listen().await;
    tokio::spawn(async move { axum::serve(listener, app).await });
    url_of(address)
}

/// An address where nothing listens.
pub(crate) async fn absent() -> Url {
    let (listener, address) = listen().await;
    drop(listener);
    url_of(address)
}

/// One query at HQ's SQL websocket.
pub(crate) struct Query {
    /// Where to connect.
    pub(crate) url: Url,
    /// The first frame that came, once the script has ended.
    pub(crate) statement: oneshot::Receiver<String>,
}

/// Serves one query with `script`, which gets the socket after the statement has been read.
pub(crate) async fn query<F, Fut>(script: F) -> Query
where
    F: FnOnce(WebSocketStream<TcpStream>) -> Fut + Send + 'static,
    Fut: Future<Output = ()> + Send,
{
    let (listener, address) = listen().await;
    let (told, statement) = oneshot::channel();
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut socket = accept_async(stream).await.unwrap();
        let first = socket.next().await.unwrap().unwrap().into_text().unwrap().to_string();
        script(socket).await;
        let _ = told.send(first);
    });
    Query { url: url_of(address), statement }
}

/// Sends each value as a frame.
pub(crate) async fn send(
    socket: &mut WebSocketStream<TcpStream>,
    frames: impl IntoIterator<Item = Value>,
) {
    for frame in frames {
        // The other side may have had enough: that is what some tests are about.
        if socket.send(Message::text(frame.to_string())).await.is_err() {
            return;
        }
    }
}

/// Waits until the other side has gone.
pub(crate) async fn until_gone(socket: &mut WebSocketStream<TcpStream>) {
    while let Some(Ok(_)) = socket.next().await {}
}

async fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

fn url_of(address: SocketAddr) -> Url {
    format!("http://{address}/lenses").parse().unwrap()
}
