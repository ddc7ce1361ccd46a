//! The log of the binary: a standard error that nobody reads stops nothing, and a line is bounded.

#![expect(clippy::unwrap_used, reason = "a test that fails says so by panicking")]

mod binary;

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::binary::{Listening, Process, get, listen, over_http};

/// How long a test waits for what must happen.
const PATIENCE: Duration = Duration::from_mins(1);

/// A running server, of whose log nothing is read after it listens.
struct Server(Listening);

impl Server {
    fn start() -> Self {
        Self(listen(&[]))
    }

    fn dropped(&self) -> u64 {
        let metrics = get(self.0.admin, "/metrics");
        let name = "lenses_mcp_log_lines_dropped_total ";
        metrics.lines().find_map(|line| line.strip_prefix(name)).unwrap().parse().unwrap()
    }

    /// Sends requests that are logged until lines are dropped.
    fn overfill(&self) {
        let deadline = Instant::now() + PATIENCE;
        let mut stream = TcpStream::connect(self.0.endpoint).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
        while self.dropped() == 0 {
            assert!(Instant::now() < deadline, "nothing was dropped");
            for _ in 0..500 {
                write!(stream, "HEAD /mcp HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
                let mut answer = Vec::new();
                while !answer.ends_with(b"\r\n\r\n") {
                    let mut part = [0; 1024];
                    let read = stream.read(&mut part).unwrap();
                    answer.extend_from_slice(&part[..read]);
                }
            }
        }
    }
}

#[test]
fn a_log_that_nobody_reads_stops_nothing_and_says_what_it_lost() {
    let mut server = Server::start();
    server.overfill();
    assert!(get(server.0.admin, "/livez").starts_with("HTTP/1.1 200"));
    // Once it is read again, the log tells of the gap, and goes on.
    let gap = loop {
        let line: Value = serde_json::from_str(&server.0.log.next().unwrap().unwrap()).unwrap();
        if line["message"] == "log lines were dropped: standard error was not read" {
            break line;
        }
        assert!(line["message"].is_string(), "{line}");
    };
    assert_eq!(gap["lines"].as_u64().unwrap(), server.dropped());
}

#[test]
fn a_log_that_nobody_reads_does_not_delay_the_end() {
    let mut server = Server::start();
    server.overfill();
    let told = Instant::now();
    server.0.process.signal("TERM");
    assert_eq!(server.0.process.0.wait().unwrap().code(), Some(0));
    assert!(told.elapsed() < Duration::from_secs(5), "{:?}", told.elapsed());
}

#[test]
fn a_line_that_is_too_long_is_cut_in_both_formats() {
    let name = format!("FASTMCP_{}", "é".repeat(5_000));
    for (format, mark) in [("text", "… (cut)"), ("json", "…\"")] {
        let settings = [("LOG_FORMAT", format), ("MCP_LOG_LINE_MAX_BYTES", "1024"), (&*name, "1")];
        let mut process = Process(over_http(&settings).spawn().unwrap());
        let log = BufReader::new(process.0.stderr.take().unwrap()).lines();
        let line = log.map(Result::unwrap).find(|line| line.contains("FASTMCP_")).unwrap();
        assert!(line.len() < 1024 && line.len() > 1000, "{} bytes", line.len());
        assert!(line.contains(mark), "{line}");
        let is_json = serde_json::from_str::<Value>(&line).is_ok();
        assert_eq!(is_json, format == "json", "{line}");
    }
}
