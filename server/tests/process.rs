//! The binary as an operator meets it: exit status, listings, probes, and the end.

#![expect(clippy::unwrap_used, reason = "a test that fails says so by panicking")]

mod binary;
#[path = "process/containers.rs"]
mod containers;

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    process::Output,
    sync::mpsc::{Receiver, channel},
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use crate::binary::{Listening, Process, binary, get, listen};

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// A running server; its log tells where it listens.
struct Running {
    process: Process,
    endpoint: SocketAddr,
    admin: SocketAddr,
    /// What it logs once it listens.
    log: Receiver<String>,
}

impl Running {
    fn start(more: &[(&str, &str)]) -> Self {
        let Listening { process, endpoint, admin, log: lines } = listen(more);
        // The log goes on being read, or lines would be dropped.
        let (line, log) = channel();
        thread::spawn(move || {
            for text in lines.map_while(Result::ok) {
                let _nobody_reads = line.send(text);
            }
        });
        Self { process, endpoint, admin, log }
    }

    fn signal(&self, name: &str) {
        self.process.signal(name);
    }

    /// Waits for the end, at most `limit`.
    fn exit_status(&mut self, limit: Duration) -> Option<i32> {
        let deadline = Instant::now() + limit;
        loop {
            if let Some(status) = self.process.0.try_wait().unwrap() {
                return status.code();
            }
            assert!(Instant::now() < deadline, "still running after {limit:?}");
            thread::sleep(Duration::from_millis(10));
        }
    }
}

/// Sends a body of `length` bytes whole before it reads the answer, as clients do.
fn post(address: SocketAddr, length: usize) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address)?;
    write!(
        stream,
        "POST /mcp HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: \
         application/json\r\nContent-Length: {length}\r\n\r\n"
    )?;
    stream.write_all(&vec![b' '; length])?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

#[test]
fn a_refused_large_body_gets_its_response_on_an_intact_connection() {
    let callers = [("MCP_CALLERS", ""), ("MCP_CALLER_TOKEN", "a-token-that-nobody-shows-here")];
    for (settings, status) in [(&[("MCP_MAX_BODY_BYTES", "1024")][..], "413 "), (&callers, "401 ")]
    {
        let server = Running::start(settings);
        for _ in 0..20 {
            let answer = post(server.endpoint, 6 << 20).map_err(|error| error.to_string());
            assert!(
                answer
                    .as_ref()
                    .is_ok_and(|answer| answer.starts_with(&format!("HTTP/1.1 {status}"))),
                "{answer:?}"
            );
        }
    }
}

#[test]
fn bad_settings_end_the_start_with_78_and_all_faults() {
    let Output { status, stdout, stderr } =
        binary(&[("OAUTH_ENABLED", "true"), ("PORT", "x"), ("TRANSPORT", "sse")]).output().unwrap();
    assert_eq!(status.code(), Some(78));
    assert_eq!(text(&stdout), "");
    let stderr = text(&stderr);
    for fault in ["PORT is \"x\"", "MCP_ADVERTISED_URL is not set"] {
        assert!(stderr.contains(fault), "{fault} is not in {stderr}");
    }
    assert!(
        stderr.contains(
            "TRANSPORT is \"sse\": the HTTP+SSE transport was replaced by Streamable HTTP"
        ),
        "{stderr}"
    );
}

#[test]
fn check_prints_the_settings_in_effect_without_secrets() {
    let Output { status, stdout, .. } =
        binary(&[("LENSES_API_KEY", "hunter2")]).arg("--check").output().unwrap();
    assert_eq!(status.code(), Some(0));
    let stdout = text(&stdout);
    assert!(
        stdout.contains("LENSES_API_KEY='(hidden)' # environment\n") && !stdout.contains("hunter2"),
        "{stdout}"
    );
    assert_eq!(binary(&[]).arg("--check").output().unwrap().status.code(), Some(78));
}

#[test]
fn version_and_help_need_no_settings() {
    let version = binary(&[]).arg("--version").output().unwrap();
    assert_eq!(
        text(&version.stdout),
        concat!("lenses-mcp-server ", env!("CARGO_PKG_VERSION"), "\n")
    );
    let help = text(&binary(&[]).arg("--help").output().unwrap().stdout);
    for known in lenses_mcp_server::settings::variable::ALL {
        assert!(help.contains(known.name), "{} is not in the help", known.name);
    }
}

#[test]
fn a_port_that_is_taken_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let variables = [
        ("LENSES_API_KEY", "key"),
        ("MCP_CALLERS", "anyone"),
        ("TRANSPORT", "http"),
        ("HOST", "127.0.0.1"),
        ("PORT", &port),
    ];
    let Output { status, stderr, .. } = binary(&variables).output().unwrap();
    assert_eq!(status.code(), Some(1));
    let stderr = text(&stderr);
    assert!(
        stderr.contains(&format!("failed to listen on 127.0.0.1:{port} (HOST, PORT)")),
        "{stderr}"
    );
}

#[test]
fn probes_and_metrics_are_on_the_admin_port_only() {
    let running = Running::start(&[]);
    assert!(get(running.admin, "/livez").starts_with("HTTP/1.1 200"));
    assert!(get(running.admin, "/readyz").starts_with("HTTP/1.1 200"));
    let metrics = get(running.admin, "/metrics");
    assert!(
        metrics.contains("application/openmetrics-text")
            && metrics.contains("lenses_mcp_build_info"),
        "{metrics}"
    );
    assert!(metrics.ends_with("# EOF\n"));
    let value = |name: &str| -> f64 {
        let value = metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        value.unwrap_or_else(|| panic!("{name} is not in {metrics}")).parse().unwrap()
    };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64();
    assert!((now - 60.0..now).contains(&value("process_start_time_seconds")));
    assert!((0.0..60.0).contains(&value("process_cpu_seconds_total")));
    assert!(value("process_resident_memory_bytes") > f64::from(1 << 20));
    assert!(value("process_virtual_memory_bytes") > value("process_resident_memory_bytes"));
    // Two listeners and the connection of the scrape, beside the standard streams.
    assert!((6.0..=value("process_max_fds")).contains(&value("process_open_fds")));
    for path in ["/livez", "/readyz", "/metrics"] {
        assert!(get(running.endpoint, path).starts_with("HTTP/1.1 404"), "{path}");
    }
    assert!(get(running.admin, "/mcp").starts_with("HTTP/1.1 404"));
}

#[test]
fn the_admin_port_answers_to_the_address_at_which_it_was_dialled() {
    let server = Running::start(&[("ADMIN_HOST", "0.0.0.0")]);
    let status = |dialled: &str, host: &str| {
        let mut stream = TcpStream::connect((dialled, server.admin.port())).unwrap();
        write!(stream, "GET /livez HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer[9..12].to_owned()
    };
    // As the kubelet dials a pod: by its address.
    assert_eq!(status("127.0.0.2", &format!("127.0.0.2:{}", server.admin.port())), "200");
    assert_eq!(status("127.0.0.2", "127.0.0.3"), "403");
    assert_eq!(status("127.0.0.2", "rebound.example"), "403");
    assert_eq!(status("127.0.0.2", "localhost"), "200");
}

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
