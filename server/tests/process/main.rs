//! The binary as an operator meets it: exit status, listings, probes, and the end.

#![expect(clippy::unwrap_used, reason = "a test that fails says so by panicking")]
#![expect(clippy::disallowed_methods, reason = "no runtime runs in this process")]

#[path = "../binary/mod.rs"]
mod binary;
mod containers;
mod end;

use std::{
    io::{Read, Write},
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
