//! Requests over connections of their own, from whatever address of this machine.

use std::{
    net::{Ipv4Addr, SocketAddr},
    time::Instant,
};

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::{
    body::Incoming,
    client::conn::http1::{SendRequest, handshake},
};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::{TcpSocket, TcpStream};

use crate::process::Server;

/// A caller: a user at an address.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub(crate) token: String,
    address: Ipv4Addr,
}

impl Caller {
    /// One of many: eight share an address.
    pub(crate) fn number(number: u8) -> Self {
        Self { token: format!("token-of-caller-{number}"), address: [127, 1, number / 8, 1].into() }
    }

    pub(crate) async fn connect(&self, server: SocketAddr) -> TcpStream {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind((self.address, 0).into()).unwrap();
        socket.connect(server).await.unwrap()
    }

    pub(crate) async fn open(&self, server: SocketAddr) -> Connection {
        let stream = self.connect(server).await;
        let (sender, connection) = handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        Connection { sender, token: self.token.clone() }
    }

    /// Posts one body over a connection of its own.
    pub(crate) async fn post(&self, server: &Server, body: Bytes) -> Reply {
        self.open(server.endpoint).await.post(body).await
    }
}

/// An open connection.
pub(crate) struct Connection {
    sender: SendRequest<Full<Bytes>>,
    token: String,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Connection {
    /// Posts `body` and reads the answer, which must be JSON.
    pub(crate) async fn post(&mut self, body: Bytes) -> Reply {
        let response = self.respond(body).await;
        let (status, headers) = (response.status(), response.headers().clone());
        let body = response.into_body().collect().await.unwrap().to_bytes();
        let body = serde_json::from_slice(&body)
            .unwrap_or_else(|error| panic!("{error}: {status} {headers:?} {body:?}"));
        Reply { status, headers, body }
    }

    /// Posts `body` and reads the answer, whatever it is.
    pub(crate) async fn send(&mut self, body: Bytes) -> (StatusCode, Bytes) {
        let response = self.respond(body).await;
        (response.status(), response.into_body().collect().await.unwrap().to_bytes())
    }

    async fn respond(&mut self, body: Bytes) -> Response<Incoming> {
        let request = Request::post("/mcp")
            .header("host", "mcp.example.com")
            .header("authorization", format!("Bearer {}", self.token))
            .header("content-type", "application/json")
            .header("accept", "application/json, text/event-stream")
            .header("mcp-protocol-version", "2025-11-25")
            .body(Full::new(body));
        let begun = Instant::now();
        let response = self.sender.send_request(request.unwrap()).await;
        response.unwrap_or_else(|error| {
            panic!("a broken connection after {:?}: {error:?}", begun.elapsed())
        })
    }
}

impl Reply {
    /// Asserts that it is a JSON-RPC message, and one that says when to try again if it is 429
    /// or 503.
    pub(crate) fn assert_answers(&self, allowed: &[u16]) {
        assert!(allowed.contains(&self.status.as_u16()), "{self:?}");
        assert_eq!(self.body["jsonrpc"], "2.0", "{self:?}");
        if matches!(self.status.as_u16(), 429 | 503) {
            assert!(self.headers.contains_key("retry-after"), "{self:?}");
        }
        let text = self.body["error"]["message"].as_str().unwrap_or_default();
        assert!(text.len() < 1_000, "the answer repeats the question: {} bytes", text.len());
    }
}
