//! How a process ends.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    thread,
    time::{Duration, Instant},
};

use super::Running;
use crate::binary::get;

#[test]
fn sigterm_turns_readiness_off_finishes_what_is_in_flight_and_exits_0() {
    let mut running = Running::start(&[]);
    let body = r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#;
    let (first, rest) = body.split_at(10);
    let mut in_flight = TcpStream::connect(running.endpoint).unwrap();
    write!(
        in_flight,
        "POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nAccept: \
         application/json, text/event-stream\r\nMCP-Protocol-Version: 2025-11-25\r\n\
         Content-Length: {}\r\n\r\n{first}",
        body.len()
    )
    .unwrap();
    // Seen by the server before the signal is sent.
    while !get(running.admin, "/metrics").contains("lenses_mcp_http_requests_in_flight 1") {
        thread::sleep(Duration::from_millis(5));
    }
    running.signal("TERM");
    while !get(running.admin, "/readyz").starts_with("HTTP/1.1 503") {
        thread::sleep(Duration::from_millis(5));
    }
    assert!(get(running.admin, "/livez").starts_with("HTTP/1.1 200"));
    // Nothing new is accepted.
    while TcpStream::connect(running.endpoint).is_ok() {
        thread::sleep(Duration::from_millis(5));
    }
    in_flight.write_all(rest.as_bytes()).unwrap();
    let mut answer = String::new();
    in_flight.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("list_topics"), "{answer}");
    assert_eq!(running.exit_status(Duration::from_secs(5)), Some(0));
}

#[test]
fn a_call_is_one_line_at_once_and_none_is_lost() {
    let mut server = Running::start(&[("MCP_AUDIT", "off")]);
    let message = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"whoami"}}"#;
    let call = |tool: &str| {
        let message = message.replace("whoami", tool);
        let mut stream = TcpStream::connect(server.endpoint).unwrap();
        write!(
            stream,
            "POST /mcp HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: \
             application/json\r\n\
             Accept: application/json, text/event-stream\r\nMCP-Protocol-Version: 2025-11-25\r\n\
             Content-Length: {}\r\n\r\n{message}",
            message.len()
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    };
    call("whoami");
    let next = || server.log.recv_timeout(Duration::from_secs(10)).unwrap();
    let line = next();
    assert!(line.contains("\"tool called\"") && line.contains("\"whoami\""), "{line}");
    // A caller's text is no name of a tool.
    call("no_such_tool");
    let line = next();
    assert!(line.contains("\"tool called\"") && line.contains("\"(unknown)\""), "{line}");
    assert!(!line.contains("no_such_tool"), "{line}");

    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..100).for_each(|_| call("whoami")));
        }
    });
    server.signal("TERM");
    assert_eq!(server.exit_status(Duration::from_secs(10)), Some(0));
    let lines: Vec<_> = server.log.iter().filter(|line| line.contains("whoami")).collect();
    assert_eq!(lines.len(), 400);
    assert!(lines.iter().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()));
}

/// One request and its answer on a connection that stays.
fn exchange(kept: &mut TcpStream) -> String {
    write!(kept, "GET /mcp HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let mut reader = BufReader::new(kept);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        assert_ne!(
            reader.read_line(&mut head).unwrap(),
            0,
            "closed without an answer after {head:?}"
        );
    }
    let head = head.to_lowercase();
    let length =
        head.split_once("content-length: ").and_then(|(_, rest)| rest.lines().next()).unwrap();
    let mut body = vec![0; length.parse().unwrap()];
    reader.read_exact(&mut body).unwrap();
    head
}

#[test]
fn a_client_still_calling_learns_from_a_response_of_the_close() {
    let mut running = Running::start(&[]);
    let mut kept = TcpStream::connect(running.endpoint).unwrap();
    let mut idle = TcpStream::connect(running.endpoint).unwrap();
    assert!(!exchange(&mut kept).contains("connection: close"));
    exchange(&mut idle);
    running.signal("TERM");
    while !get(running.admin, "/readyz").starts_with("HTTP/1.1 503") {
        thread::sleep(Duration::from_millis(5));
    }
    // Nothing new is accepted: from then on, each answer says so.
    while TcpStream::connect(running.endpoint).is_ok() {
        thread::sleep(Duration::from_millis(5));
    }
    assert!(exchange(&mut kept).contains("connection: close"));
    assert_eq!(kept.read(&mut [0]).unwrap(), 0);
    // The one that asks nothing does not hold the end up.
    assert_eq!(idle.read(&mut [0]).unwrap(), 0);
    assert_eq!(running.exit_status(Duration::from_secs(5)), Some(0));
}

#[test]
fn what_does_not_finish_is_cut_within_the_grace_period() {
    let mut running = Running::start(&[("SHUTDOWN_GRACE", "2s")]);
    let mut stuck = TcpStream::connect(running.endpoint).unwrap();
    stuck
        .write_all(b"POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n{")
        .unwrap();
    while !get(running.admin, "/metrics").contains("lenses_mcp_http_requests_in_flight 1") {
        thread::sleep(Duration::from_millis(5));
    }
    let told = Instant::now();
    running.signal("TERM");
    assert_eq!(running.exit_status(Duration::from_secs(5)), Some(0));
    assert!(told.elapsed() < Duration::from_millis(2100), "{:?}", told.elapsed());
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let mut running = Running::start(&[("SHUTDOWN_GRACE", "1h")]);
    let mut stuck = TcpStream::connect(running.endpoint).unwrap();
    stuck
        .write_all(b"POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n{")
        .unwrap();
    while !get(running.admin, "/metrics").contains("lenses_mcp_http_requests_in_flight 1") {
        thread::sleep(Duration::from_millis(5));
    }
    running.signal("TERM");
    while !get(running.admin, "/readyz").starts_with("HTTP/1.1 503") {
        thread::sleep(Duration::from_millis(5));
    }
    running.signal("INT");
    assert_eq!(running.exit_status(Duration::from_secs(2)), Some(0));
}
