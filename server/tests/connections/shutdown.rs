//! How connections end when the server stops.

use std::time::Duration;

use lenses_mcp_server::connections::Options;
use tokio::{io::AsyncWriteExt, time::timeout};

use crate::{Server, ask, closed, response, send, times::timeouts};

const LONG: Duration = Duration::from_hours(1);

#[tokio::test]
async fn idle_connections_and_half_heads_end_and_a_request_is_answered() {
    let server = Server::start(Options::default());
    let (mut idle, mut half) = (server.connect().await, server.connect().await);
    ask(&mut idle).await;
    half.write_all(b"GET / HTTP/1.1\r\n").await.unwrap();
    let mut busy = server.busy().await;
    server.stages.stopping.cancel();
    server.stages.closing_idle.cancel();
    closed(&mut idle).await;
    closed(&mut half).await;
    assert!(!server.serving.is_finished());
    server.release();
    assert!(response(&mut busy).await.contains("connection: close"));
    closed(&mut busy).await;
    timeout(Duration::from_secs(5), server.serving).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_client_that_reads_nothing_does_not_delay_the_end() {
    let server = Server::start(timeouts(LONG, LONG, LONG));
    let mut deaf = server.connect().await;
    for _ in 0..64 {
        send(&mut deaf, "/long").await;
    }
    server.stages.stopping.cancel();
    server.stages.closing_idle.cancel();
    timeout(Duration::from_secs(10), server.serving).await.unwrap().unwrap();
}
