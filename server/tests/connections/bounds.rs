//! How many connections there may be, and which one makes room.

use std::time::{Duration, Instant};

use lenses_mcp_server::connections::{Bounds, Options};
use tokio::net::TcpStream;

use crate::{Server, ask, closed, response, send, until};

fn bounds(total: usize, per_address: usize) -> Options {
    let bounds = Bounds { total, per_address, close_busy: false };
    Options { bounds, ..Options::default() }
}

/// Opens `count` connections and leaves them alone.
async fn idle(server: &Server, count: usize) -> Vec<TcpStream> {
    let mut streams = Vec::new();
    for _ in 0..count {
        streams.push(server.connect().await);
    }
    streams
}

#[tokio::test]
async fn idle_connections_of_one_address_lock_nobody_out() {
    let server = Server::start(Options::default());
    let mut streams = idle(&server, 1_100).await;
    for address in ["127.0.0.1", "127.0.0.2"] {
        let asked = Instant::now();
        let mut stream = server.connect_from(address).await;
        ask(&mut stream).await;
        streams.push(stream);
        assert!(asked.elapsed() < Duration::from_secs(1), "{:?}", asked.elapsed());
    }
    assert_eq!(server.in_flight(), 65);
    assert_eq!(server.metric("connections_per_address_in_flight", ""), 64);
    assert_eq!(server.closed("address_limit"), 1_100 + 1 - 64);
}

#[tokio::test]
async fn idle_connections_of_many_addresses_lock_nobody_out() {
    let server = Server::start(bounds(1_024, 64));
    let mut idle = Vec::new();
    for address in 1..=17 {
        for _ in 0..64 {
            idle.push(server.connect_from(&format!("127.0.1.{address}")).await);
        }
    }
    let asked = Instant::now();
    ask(&mut server.connect().await).await;
    assert!(asked.elapsed() < Duration::from_secs(1), "{:?}", asked.elapsed());
    assert_eq!(server.in_flight(), 1_024);
    assert_eq!(server.metric("connections_limit", ""), 1_024);
    assert_eq!(server.closed("total_limit"), 64 + 1);
}

#[tokio::test]
async fn the_longest_idle_connection_makes_room() {
    let server = Server::start(bounds(10, 3));
    let mut streams = [server.connect().await, server.connect().await, server.connect().await];
    for which in [1, 2, 0] {
        ask(&mut streams[which]).await;
        // Activity is kept in milliseconds.
        let asked = Instant::now();
        until("the next millisecond", async || asked.elapsed() > Duration::from_millis(2)).await;
    }
    ask(&mut server.connect().await).await;
    closed(&mut streams[1]).await;
    ask(&mut streams[0]).await;
    ask(&mut streams[2]).await;
}

#[tokio::test]
async fn a_connection_with_a_request_in_flight_is_not_closed_for_another() {
    for (options, reason) in [(bounds(10, 2), "address_limit"), (bounds(2, 10), "total_limit")] {
        let server = Server::start(options);
        let mut busy = server.busy().await;
        let mut idle = server.connect().await;
        ask(&mut server.connect().await).await;
        closed(&mut idle).await;
        assert_eq!(server.closed(reason), 1);
        server.release();
        assert!(response(&mut busy).await.starts_with("HTTP/1.1 200"));
    }
}

#[tokio::test]
async fn a_new_connection_is_closed_if_none_is_idle() {
    for (options, reason) in [(bounds(10, 1), "address_refused"), (bounds(1, 10), "refused")] {
        let server = Server::start(options);
        let mut busy = server.busy().await;
        closed(&mut server.connect().await).await;
        assert_eq!(server.closed(reason), 1);
        server.release();
        assert!(response(&mut busy).await.starts_with("HTTP/1.1 200"));
        ask(&mut server.connect().await).await;
    }
}

#[tokio::test]
async fn a_busy_connection_makes_room_for_a_probe() {
    let bounds = Bounds { total: 2, per_address: 2, close_busy: true };
    let server = Server::start(Options { bounds, ..Options::default() });
    let mut oldest = server.busy().await;
    let mut newer = server.busy().await;
    ask(&mut server.connect_from("127.0.0.2").await).await;
    closed(&mut oldest).await;
    server.release();
    response(&mut newer).await;
}

#[tokio::test]
async fn a_trusted_proxy_is_not_bounded_per_address() {
    let options = bounds(100, 2);
    let trusted = "127.0.0.1".parse().unwrap();
    let trusted_proxies =
        std::sync::Arc::new(lenses_mcp_server::client_address::TrustedProxies::new(vec![trusted]));
    let server = Server::start(Options { trusted_proxies, ..options });
    let mut streams = idle(&server, 10).await;
    for stream in &mut streams {
        ask(stream).await;
    }
    assert_eq!((server.in_flight(), server.closed("address_limit")), (10, 0));
}

#[tokio::test]
async fn the_server_is_not_ready_while_it_turns_callers_away_for_long() {
    let server = Server::start(bounds(1, 10));
    let _busy = server.busy().await;
    let refused = Instant::now();
    closed(&mut server.connect().await).await;
    assert_eq!(server.stages.readiness.fault(), None, "a short peak is no reason");
    until("the fault", async || server.stages.readiness.fault().is_some()).await;
    assert!(refused.elapsed() >= Duration::from_secs(5), "{:?}", refused.elapsed());
    server.release();
    until("recovery", async || server.stages.readiness.fault().is_none()).await;
}

#[tokio::test]
async fn a_head_that_is_not_complete_does_not_keep_its_connection() {
    let server = Server::start(bounds(1, 10));
    let mut half = server.connect().await;
    tokio::io::AsyncWriteExt::write_all(&mut half, b"GET / HTTP/1.1\r\n").await.unwrap();
    let mut whole = server.connect().await;
    send(&mut whole, "/").await;
    response(&mut whole).await;
    closed(&mut half).await;
}

#[tokio::test]
async fn a_refused_request_whose_body_does_not_end_locks_nobody_out() {
    for (options, reason) in [(bounds(10, 1), "address_limit"), (bounds(1, 10), "total_limit")] {
        let server = Server::start(options);
        let mut refused = server.refused().await;
        ask(&mut server.connect().await).await;
        closed(&mut refused).await;
        assert_eq!(server.closed(reason), 1);
    }
}
