//! The log of the binary: a standard error that nobody reads stops nothing, and a line is bounded.

#![expect(clippy::unwrap_used, reason = "a test that fails says so by panicking")]

use std::{
    io::{BufRead, BufReader, Lines, Read, Write},
    net::{SocketAddr, TcpStream},
    process::{Child, ChildStderr, Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::Value;

/// How long a test waits for what must happen.
const PATIENCE: Duration = Duration::from_mins(1);

/// A running server, of whose log nothing is read after it listens.
struct Server {
    child: Child,
    endpoint: SocketAddr,
    admin: SocketAddr,
    log: Lines<BufReader<ChildStderr>>,
}

fn command(more: &[(&str, &str)]) -> Command {
    let settings = [
        ("LENSES_API_KEY", "key"),
        ("MCP_CALLERS", "anyone"),
        ("TRANSPORT", "http"),
        ("HOST", "127.0.0.1"),
        ("PORT", "0"),
        ("ADMIN_HOST", "127.0.0.1"),
        ("ADMIN_PORT", "0"),
    ];
    let mut command = Command::new(env!("CARGO_BIN_EXE_lenses-mcp-server"));
    // A directory without a `.env`.
    command.env_clear().current_dir(env!("CARGO_TARGET_TMPDIR")).stderr(Stdio::piped());
    command.envs(settings).envs(more.iter().copied());
    command
}

impl Server {
    fn start() -> Self {
        let mut child = command(&[("LOG_FORMAT", "json")]).spawn().unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut listening = || loop {
            let line: Value = serde_json::from_str(&log.next().unwrap().unwrap()).unwrap();
            if line["message"] == "listening" {
                return line["address"].as_str().unwrap().parse().unwrap();
            }
        };
        let (endpoint, admin) = (listening(), listening());
        Self { child, endpoint, admin, log }
    }

    /// The admin port's answer within a second.
    fn admin(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(self.admin).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    fn dropped(&self) -> u64 {
        let metrics = self.admin("/metrics");
        let name = "lenses_mcp_log_lines_dropped_total ";
        metrics.lines().find_map(|line| line.strip_prefix(name)).unwrap().parse().unwrap()
    }

    /// Sends requests that are logged until lines are dropped.
    fn overfill(&self) {
        let deadline = Instant::now() + PATIENCE;
        let mut stream = TcpStream::connect(self.endpoint).unwrap();
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

impl Drop for Server {
    fn drop(&mut self) {
        let _ended_already = self.child.kill();
        let _ended_already = self.child.wait();
    }
}

#[test]
fn a_log_that_nobody_reads_stops_nothing_and_says_what_it_lost() {
    let mut server = Server::start();
    server.overfill();
    assert!(server.admin("/livez").starts_with("HTTP/1.1 200"));
    // Once it is read again, the log tells of the gap, and goes on.
    let gap = loop {
        let line: Value = serde_json::from_str(&server.log.next().unwrap().unwrap()).unwrap();
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
    let pid = server.child.id().to_string();
    let told = Instant::now();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    assert_eq!(server.child.wait().unwrap().code(), Some(0));
    assert!(told.elapsed() < Duration::from_secs(5), "{:?}", told.elapsed());
}

#[test]
fn a_line_that_is_too_long_is_cut_in_both_formats() {
    let name = format!("FASTMCP_{}", "é".repeat(5_000));
    for (format, mark) in [("text", "… (cut)"), ("json", "…\"")] {
        let settings = [("LOG_FORMAT", format), ("MCP_LOG_LINE_MAX_BYTES", "1024"), (&*name, "1")];
        let mut child = command(&settings).spawn().unwrap();
        let log = BufReader::new(child.stderr.take().unwrap()).lines();
        let line = log.map(Result::unwrap).find(|line| line.contains("FASTMCP_")).unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(line.len() < 1024 && line.len() > 1000, "{} bytes", line.len());
        assert!(line.contains(mark), "{line}");
        let is_json = serde_json::from_str::<Value>(&line).is_ok();
        assert_eq!(is_json, format == "json", "{line}");
    }
}
