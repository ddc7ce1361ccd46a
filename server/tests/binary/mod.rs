//! The binary, started and read.

use std::{
    io::{BufRead, BufReader, Lines, Read, Write},
    net::{SocketAddr, TcpStream},
    process::{Child, ChildStderr, Command, Stdio},
    time::Duration,
};

use serde_json::Value;

/// How long an answer may keep a test waiting.
const PATIENCE: Duration = Duration::from_secs(10);
/// What a server over HTTP needs, on ports that are free.
const HTTP: [(&str, &str); 7] = [
    ("LENSES_API_KEY", "key"),
    ("MCP_CALLERS", "anyone"),
    ("TRANSPORT", "http"),
    ("HOST", "127.0.0.1"),
    ("PORT", "0"),
    ("ADMIN_HOST", "127.0.0.1"),
    ("ADMIN_PORT", "0"),
];

/// The binary with these variables and no others.
pub(crate) fn binary(variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lenses-mcp-server"));
    // A directory without a `.env`.
    command.env_clear().current_dir(env!("CARGO_TARGET_TMPDIR")).envs(variables.iter().copied());
    command
}

/// The binary over HTTP, with its log to be read.
pub(crate) fn over_http(more: &[(&str, &str)]) -> Command {
    let mut command = binary(&[&HTTP, more].concat());
    command.stderr(Stdio::piped());
    command
}

/// A server that ends when this is dropped.
pub(crate) struct Process(pub(crate) Child);

/// A server that listens.
pub(crate) struct Listening {
    pub(crate) process: Process,
    pub(crate) endpoint: SocketAddr,
    pub(crate) admin: SocketAddr,
    /// What it logs from then on.
    pub(crate) log: Lines<BufReader<ChildStderr>>,
}

/// Starts the binary over HTTP and waits until it listens.
pub(crate) fn listen(more: &[(&str, &str)]) -> Listening {
    wait_until_listening(over_http(&[more, &[("LOG_FORMAT", "json")]].concat()))
}

/// Starts `command`, which logs JSON, and waits until it listens.
pub(crate) fn wait_until_listening(mut command: Command) -> Listening {
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut log = BufReader::new(child.stderr.take().unwrap()).lines();
    let mut listening = || loop {
        let line: Value = serde_json::from_str(&log.next().unwrap().unwrap()).unwrap();
        if line["message"] == "listening" {
            return line["address"].as_str().unwrap().parse().unwrap();
        }
    };
    let (endpoint, admin) = (listening(), listening());
    Listening { process: Process(child), endpoint, admin, log }
}

impl Process {
    pub(crate) fn signal(&self, name: &str) {
        let pid = self.0.id().to_string();
        let sent = Command::new("kill").arg(format!("-{name}")).arg(pid).status().unwrap();
        assert!(sent.success());
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ended_already = self.0.kill();
        let _ended_already = self.0.wait();
    }
}

/// The answer to a GET.
pub(crate) fn get(address: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}
