//! How long a connection may take.

use std::time::{Duration, Instant};

use lenses_mcp_server::connections::{Bounds, Options, Timeouts};
use tokio::io::AsyncWriteExt;

use crate::{Server, ask, closed, response, send, until};

const LONG: Duration = Duration::from_hours(1);
const SHORT: Duration = Duration::from_millis(300);
/// By how much the server, which counts whole milliseconds, may be early.
const SLACK: Duration = Duration::from_millis(20);

pub(crate) fn timeouts(head: Duration, write: Duration, idle: Duration) -> Options {
    let timeouts = Timeouts { head, write, idle };
    Options { timeouts, ..Options::default() }
}

#[tokio::test]
async fn a_head_that_comes_slowly_is_given_up() {
    let server = Server::start(timeouts(SHORT, LONG, LONG));
    let mut slow = server.connect().await;
    ask(&mut slow).await;
    let begun = Instant::now();
    slow.write_all(b"GET / HTTP/1.1\r\n").await.unwrap();
    // Bytes that go on coming do not help.
    while server.closed("head_timeout") == 0 {
        assert!(begun.elapsed() < Duration::from_secs(30), "still open");
        let _closed = slow.write_all(b"X: y\r\n").await;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    closed(&mut slow).await;
    assert!(begun.elapsed() + SLACK >= SHORT, "{:?}", begun.elapsed());
}

#[tokio::test]
async fn an_idle_connection_has_its_own_time() {
    let server = Server::start(timeouts(Duration::from_millis(50), LONG, 4 * SHORT));
    let mut new = server.connect().await;
    let mut kept = server.connect().await;
    for _ in 0..2 {
        ask(&mut kept).await;
        let answered = Instant::now();
        until("a wait", async || answered.elapsed() > 2 * SHORT).await;
    }
    ask(&mut kept).await;
    let answered = Instant::now();
    closed(&mut kept).await;
    assert!(answered.elapsed() + SLACK >= 4 * SHORT, "{answered:?}");
    closed(&mut new).await;
    assert_eq!((server.closed("idle_timeout"), server.closed("head_timeout")), (2, 0));
}

#[tokio::test]
async fn a_request_that_takes_long_is_not_cut() {
    let server = Server::start(timeouts(SHORT, SHORT, SHORT));
    let mut busy = server.busy().await;
    let begun = Instant::now();
    until("a wait", async || begun.elapsed() > 3 * SHORT).await;
    server.release();
    assert!(response(&mut busy).await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn a_client_that_sends_requests_and_reads_nothing_is_closed() {
    for path in ["/", "/long"] {
        let server = Server::start(timeouts(LONG, SHORT, LONG));
        let mut deaf = server.connect().await;
        let requests = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").repeat(1_000);
        // Once the server takes no more, writing waits, and at last it fails.
        while deaf.write_all(requests.as_bytes()).await.is_ok() {}
        assert_eq!(server.closed("write_timeout"), 1, "{path}");
        until("the end", async || server.in_flight() == 0).await;
    }
}

#[tokio::test]
async fn a_client_that_reads_slowly_is_not_closed() {
    let server = Server::start(timeouts(LONG, SHORT, LONG));
    let mut slow = server.connect().await;
    let (mut read, mut part) = (0, vec![0; 64 << 10]);
    for _ in 0..8 {
        send(&mut slow, "/long").await;
    }
    let begun = Instant::now();
    while read < 8 << 20 {
        let came = tokio::io::AsyncReadExt::read(&mut slow, &mut part).await.unwrap();
        assert!(came > 0, "closed after {read} bytes");
        read += came;
        if read < 4 << 20 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
    assert!(begun.elapsed() > SHORT, "{:?}", begun.elapsed());
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_order() {
    let server = Server::start(Options::default());
    let mut stream = server.connect().await;
    let both =
        "GET /client HTTP/1.1\r\nHost: localhost\r\n\r\nGET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
    stream.write_all(both.as_bytes()).await.unwrap();
    let mut text = String::new();
    while text.matches("HTTP/1.1 200").count() < 2 {
        text.push_str(&response(&mut stream).await);
    }
    assert!(text.ends_with("\r\n\r\nserved"), "{text}");
    ask(&mut stream).await;
}

#[tokio::test]
async fn a_response_that_nobody_takes_does_not_keep_its_connection() {
    let bounds = Bounds { total: 1, per_address: 1, close_busy: false };
    let server = Server::start(Options { bounds, ..timeouts(LONG, LONG, LONG) });
    let mut deaf = server.connect().await;
    for _ in 0..64 {
        send(&mut deaf, "/long").await;
    }
    until("room", async || {
        let mut stream = server.connect().await;
        let sent = stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
        let mut part = [0; 64];
        sent.is_ok()
            && tokio::io::AsyncReadExt::read(&mut stream, &mut part)
                .await
                .is_ok_and(|read| read > 0)
    })
    .await;
    closed(&mut deaf).await;
}
