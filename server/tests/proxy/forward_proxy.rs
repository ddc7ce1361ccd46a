//! An HTTP proxy that wants credentials: CONNECT, and requests in absolute form, but no upgrade of
//! those, as most proxies. `hq.test` and `otel.test` are this machine.

use std::sync::{Arc, Mutex};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional},
    net::{TcpListener, TcpStream},
};

/// The user and the password.
pub(crate) const CREDENTIALS: &str = "proxy-user:hunter2@proxy";
/// The same, as they stand in a URL.
pub(crate) const IN_URL: &str = "proxy-user:hunter2%40proxy";

/// A running proxy.
pub(crate) struct ForwardProxy {
    /// `host:port`.
    pub(crate) address: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl ForwardProxy {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&asked);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&seen)));
            }
        });
        Self { address, asked }
    }

    /// Its URL with credentials.
    pub(crate) fn url(&self) -> String {
        format!("http://{IN_URL}@{}", self.address)
    }

    /// `METHOD host:port` of each connection that it has let through, sorted, each once.
    pub(crate) fn asked(&self) -> Vec<String> {
        let mut asked = self.asked.lock().unwrap().clone();
        asked.sort_unstable();
        asked.dedup();
        asked
    }
}

async fn serve(mut client: TcpStream, asked: Arc<Mutex<Vec<String>>>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let Ok(byte) = client.read_u8().await else { return };
        head.push(byte);
    }
    let text = String::from_utf8(head.clone()).unwrap();
    let mut words = text.split_whitespace();
    let (method, target) = (words.next().unwrap(), words.next().unwrap());
    let basic = BASE64_STANDARD.encode(CREDENTIALS);
    let authorization = format!("proxy-authorization: basic {basic}").to_lowercase();
    let lower = text.to_lowercase();
    let is_tunnel = method == "CONNECT";
    if !lower.contains(&authorization) {
        let refusal = b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n";
        client.write_all(refusal).await.unwrap();
        return;
    }
    if !is_tunnel && lower.contains("\r\nupgrade:") {
        client.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n").await.unwrap();
        return;
    }
    let target = target.strip_prefix("http://").unwrap_or(target);
    let authority = target.split('/').next().unwrap();
    asked.lock().unwrap().push(format!("{method} {authority}"));
    let (host, port) = authority.rsplit_once(':').unwrap();
    let host = if ["hq.test", "otel.test"].contains(&host) { "127.0.0.1" } else { host };
    let mut server = TcpStream::connect(format!("{host}:{port}")).await.unwrap();
    if is_tunnel {
        client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await.unwrap();
    } else {
        // Servers take the absolute form too (RFC 9112 §3.2.2).
        server.write_all(&head).await.unwrap();
    }
    let _either_end_closes = copy_bidirectional(&mut client, &mut server).await;
}
