//! What does not even become a request: bytes on a connection that are no HTTP, or HTTP that two
//! readers could read in two ways. The one part of the front that needs a socket.

use std::{net::SocketAddr, time::Duration};

use lenses_mcp_server::{connections, lifecycle::Stages};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use crate::client::Server;

const BODY: &str = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;

pub(crate) async fn listening() -> SocketAddr {
    let server =
        Server::new(&[("LENSES_API_KEY", "key"), ("TRANSPORT", "http"), ("MCP_CALLERS", "anyone")]);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(connections::serve(
        listener,
        server.router,
        connections::Options::default(),
        Stages::default(),
    ));
    address
}

/// Sends `bytes` and returns all that comes back until the server closes the connection.
pub(crate) async fn exchange(address: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    // A server that has heard enough may close before it has read all.
    let _closed = stream.write_all(bytes).await;
    let mut answer = Vec::new();
    let reading = tokio::time::timeout(Duration::from_secs(20), stream.read_to_end(&mut answer));
    let _reset = reading.await.unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

fn head(lines: &str) -> String {
    format!(
        "POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nAccept: \
         application/json, text/event-stream\r\nConnection: close\r\n{lines}\r\n"
    )
}

#[tokio::test]
async fn a_request_that_is_right_is_answered() {
    let request = head(&format!("Content-Length: {}\r\n", BODY.len())) + BODY;
    let answer = exchange(listening().await, request.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert_eq!(answer.matches("HTTP/1.1").count(), 1);
}

#[tokio::test]
async fn what_is_no_http_is_refused_and_the_connection_closed() {
    let address = listening().await;
    let long = format!("GET /{} HTTP/1.1\r\nHost: localhost\r\n\r\n", "x".repeat(200_000));
    let many = head(&"X-Filler: y\r\n".repeat(2_000));
    let large = head(&format!("X-Large: {}\r\n", "y".repeat(200_000)));
    for (bytes, statuses) in [
        (b"hello\r\n\r\n".as_slice(), &["400"][..]),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", &["400"]),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", &["400", "505", ""]),
        (b"GET /mcp\r\n\r\n", &["400"]),
        (b"GET /mcp HTTP/9.9\r\n\r\n", &["400", "505"]),
        (b"GET  /mcp HTTP/1.1\r\nHost: localhost\r\n\r\n", &["400"]),
        (b"POST /mcp HTTP/1.1\r\nHost localhost\r\n\r\n", &["400"]),
        (b"POST /mcp HTTP/1.1\r\nHost: localhost\r\n folded: x\r\n\r\n", &["400"]),
        (b"POST /mcp HTTP/1.1\r\nHost: local\0host\r\n\r\n", &["400"]),
        (
            b"POST /m\xc3\xa9cp HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
            &["400", "404"],
        ),
        (long.as_bytes(), &["414", "431"]),
        (many.as_bytes(), &["431"]),
        (large.as_bytes(), &["431"]),
    ] {
        let answer = exchange(address, bytes).await;
        let status = answer.split(' ').nth(1).unwrap_or_default();
        assert!(
            statuses.contains(&status),
            "{}: {answer:?}",
            bytes[..bytes.len().min(60)].escape_ascii()
        );
    }
}

#[tokio::test]
async fn a_body_with_an_ambiguous_end_is_refused() {
    let address = listening().await;
    let length = BODY.len();
    let chunked = format!("{length:x}\r\n{BODY}\r\n0\r\n\r\n");
    for (lines, body) in [
        (format!("Content-Length: {length}\r\nContent-Length: {}\r\n", length + 1), BODY),
        (format!("Content-Length: {length}, {}\r\n", length + 1), BODY),
        ("Content-Length: -1\r\n".to_owned(), BODY),
        ("Content-Length: +40\r\n".to_owned(), BODY),
        ("Content-Length: 0x28\r\n".to_owned(), BODY),
        ("Content-Length: 99999999999999999999\r\n".to_owned(), BODY),
        ("Transfer-Encoding: identity\r\n".to_owned(), BODY),
        ("Transfer-Encoding: chunked, gzip\r\n".to_owned(), &chunked),
        ("Transfer-Encoding: chunked\r\n".to_owned(), "zz\r\n"),
        ("Transfer-Encoding: chunked\r\n".to_owned(), "-1\r\n\r\n"),
        ("Transfer-Encoding: chunked\r\n".to_owned(), "ffffffffffffffffff\r\n"),
    ] {
        let answer = exchange(address, (head(&lines) + body).as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 400"), "{lines:?}: {answer:?}");
        assert_eq!(answer.matches("HTTP/1.1").count(), 1, "{lines:?}: {answer:?}");
    }
}

#[tokio::test]
async fn a_request_with_length_and_chunks_closes_its_connection() {
    let smuggled = "GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let lines = format!("Content-Length: {}\r\nTransfer-Encoding: chunked\r\n", BODY.len());
    let request =
        head(&lines).replace("Connection: close\r\n", "") + &format!("0\r\n\r\n{smuggled}");
    let answer = exchange(listening().await, request.as_bytes()).await;
    assert_eq!(answer.matches("HTTP/1.1").count(), 1, "{answer}");
}

#[tokio::test]
async fn a_body_of_two_types_or_of_an_unknown_coding_is_refused() {
    let address = listening().await;
    let length = format!("Content-Length: {}\r\n", BODY.len());
    let chunked = format!("{:x}\r\n{BODY}\r\n0\r\n\r\n", BODY.len());
    for (lines, body, status) in [
        ("Transfer-Encoding: gzip, chunked\r\n", chunked.as_str(), "501"),
        ("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n", &chunked, "501"),
        ("Transfer-Encoding: Chunked\r\n", &chunked, "200"),
        (&(length.clone() + "Content-Type: application/json\r\n"), BODY, "415"),
        (&(length + "Content-Type: text/plain\r\n"), BODY, "415"),
    ] {
        let answer = exchange(address, (head(lines) + body).as_bytes()).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{lines:?}: {answer:?}");
        assert_eq!(answer.matches("HTTP/1.1").count(), 1, "{lines:?}: {answer:?}");
    }
}
