//! The mistakes that people make with `docker run`, each as a process with exactly those variables:
//! it ends, or starts with a warning, and one line states what is right.

#![expect(clippy::unwrap_used, reason = "a test that fails says so by panicking")]

use std::{
    io::{BufRead, BufReader},
    net::TcpListener,
    process::{Child, Command, Stdio},
};

const HQ: (&str, &str) = ("LENSES_URL", "https://lenses.example.com");
const KEY: (&str, &str) = ("LENSES_API_KEY", "a-service-account");
const TOKEN: (&str, &str) = ("MCP_CALLER_TOKEN", "a-token-of-openssl-rand");
const HTTP: (&str, &str) = ("TRANSPORT", "http");
const OAUTH: (&str, &str) = ("OAUTH_ENABLED", "true");
const URL: (&str, &str) = ("MCP_ADVERTISED_URL", "http://localhost:8000");

const WITH_OAUTH: &str = "docker run -p 8000:8000 -e OAUTH_ENABLED=true \
     -e LENSES_URL=https://lenses.example.com -e MCP_ADVERTISED_URL=http://localhost:8000 \
     lensesio/lenses-mcp-server";
const WITH_KEY: &str = "docker run -p 8000:8000 -e TRANSPORT=http -e MCP_CALLER_TOKEN \
     -e LENSES_API_KEY -e LENSES_URL lensesio/lenses-mcp-server";
const STDIO: &str = "docker run -i -e LENSES_API_KEY -e LENSES_URL lensesio/lenses-mcp-server";

/// The variables that are set, the exit status, and what the last line says.
type Mistake = (&'static [(&'static str, &'static str)], i32, &'static [&'static str]);

/// A process as `docker run` without `-i` makes it: standard input is at its end.
fn run(variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lenses-mcp-server"));
    command.env_clear().current_dir(env!("CARGO_TARGET_TMPDIR")).envs(variables.iter().copied());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// The status and the last line of a process that ends.
fn end(variables: &[(&str, &str)]) -> (i32, String) {
    let output = run(variables).output().unwrap();
    let log = String::from_utf8(output.stderr).unwrap();
    (output.status.code().unwrap(), log.lines().last().unwrap_or_default().to_owned())
}

#[test]
fn each_common_mistake_ends_in_one_line_with_what_is_right() {
    let mistakes: &[Mistake] = &[
        // As the users' documentation has it, without -i.
        (&[KEY, HQ], 1, &["standard input ended", STDIO, WITH_KEY]),
        (&[], 78, &["LENSES_API_KEY is not set", WITH_OAUTH]),
        (&[HQ], 78, &["LENSES_API_KEY is not set", WITH_OAUTH]),
        (&[HQ, HTTP, KEY], 78, &["MCP_CALLER_TOKEN is not set", WITH_KEY, "openssl rand -hex 32"]),
        (&[HQ, OAUTH], 78, &["MCP_ADVERTISED_URL is not set", WITH_OAUTH]),
        (
            &[HQ, OAUTH, ("MCP_ADVERTISED_URL", "http://localhost:8000/mcp")],
            78,
            &["without /mcp, which is added: http://localhost:8000"],
        ),
        (
            &[HQ, OAUTH, ("MCP_ADVERTISED_URL", "localhost:8000")],
            78,
            &["write it with http:// or https:// in front"],
        ),
        (
            &[("LENSES_URL", "lenses.example.com"), OAUTH, URL],
            78,
            &["such as https://lenses.example.com"],
        ),
        (
            &[("LENSES_URL", "\"https://lenses.example.com\""), OAUTH, URL],
            78,
            &["LENSES_URL is", "without quotes"],
        ),
        (&[HQ, OAUTH, URL, ("TRANSPORT", "sse")], 78, &["write TRANSPORT=http", "/mcp"]),
        (&[HQ, OAUTH, URL, ("TRANSPORT", "stdio")], 78, &["write TRANSPORT=http"]),
        (
            &[HQ, KEY, HTTP, ("MCP_CALLER_TOKEN", "p@ssw0rd!2026")],
            78,
            &["MCP_CALLER_TOKEN is a secret", "openssl rand -hex 32"],
        ),
        (&[HQ, KEY, TOKEN, ("MCP_TRANSPORT", "http")], 1, &["standard input ended", WITH_KEY]),
        (&[HQ, OAUTH, URL, ("MCP_SCOPE", "read")], 78, &["did you mean MCP_SCOPES?"]),
        (
            &[HQ, OAUTH, URL, ("PORT", "8000:8000")],
            78,
            &["PORT is \"8000:8000\"", "from 0 to 65535"],
        ),
    ];
    for (variables, status, said) in mistakes {
        let (ended, line) = end(variables);
        assert_eq!(ended, *status, "{variables:?}: {line}");
        for said in *said {
            assert!(line.contains(said), "{variables:?}: {said:?} is not in {line:?}");
        }
        assert!(!line.contains("a-service-account") && !line.contains("p@ssw0rd"), "{line}");
    }
}

/// A server that runs, and what it logs until it listens.
struct Running {
    child: Child,
    log: Vec<String>,
}

impl Running {
    fn start(variables: &[(&str, &str)]) -> Self {
        let mut running = Self { child: run(variables).spawn().unwrap(), log: Vec::new() };
        let lines = BufReader::new(running.child.stderr.take().unwrap()).lines();
        for line in lines.map(Result::unwrap) {
            let is_listening = line.contains("listening");
            running.log.push(line);
            if is_listening {
                return running;
            }
        }
        assert_eq!(running.log, [""; 0], "it ended");
        running
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ended_already = self.child.kill();
        let _ended_already = self.child.wait();
    }
}

/// The variables of the `docker run` line that a message states; those without a value are the
/// shell's.
fn stated(command: &str) -> Vec<(&str, &str)> {
    let words: Vec<_> = command.split_whitespace().collect();
    words
        .windows(2)
        .filter(|pair| pair[0] == "-e")
        .map(|pair| {
            let shell = [HQ, KEY, TOKEN].into_iter().find(|(name, _)| *name == pair[1]);
            pair[1].split_once('=').or(shell).unwrap()
        })
        .collect()
}

#[test]
fn the_commands_that_are_stated_do_start_a_server() {
    for command in [WITH_OAUTH, WITH_KEY] {
        // Any port: the test's machine may use 8000.
        let more = [("HOST", "127.0.0.1"), ("PORT", "0"), ("ADMIN_PORT", "0")];
        let server = Running::start(&[&stated(command)[..], &more].concat());
        assert!(!server.log.iter().any(|line| line.contains("WARN")), "{:#?}", server.log);
    }
    let mut child = run(&stated(STDIO)).stdin(Stdio::piped()).spawn().unwrap();
    std::io::Write::write_all(
        child.stdin.as_mut().unwrap(),
        b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}\n",
    )
    .unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(String::from_utf8(output.stdout).unwrap().contains("\"id\":1"));
}

#[test]
fn without_lenses_url_a_warning_says_where_hq_is_looked_for() {
    let more = [("HOST", "127.0.0.1"), ("PORT", "0"), ("ADMIN_PORT", "0")];
    let server = Running::start(&[&[KEY, TOKEN, HTTP][..], &more].concat());
    let said = "LENSES_URL is not set, so that Lenses HQ is looked for at http://localhost:9991/: \
                write LENSES_URL=https://lenses.example.com";
    assert!(server.log.iter().any(|line| line.contains(said)), "{:#?}", server.log);
}

#[test]
fn a_taken_admin_port_ends_the_start_only_if_it_was_configured() {
    // 9464 may be another program's on the test's machine too; then it is taken already.
    let taken = TcpListener::bind("127.0.0.1:9464");
    let base = [HQ, KEY, TOKEN, HTTP, ("HOST", "127.0.0.1"), ("ADMIN_HOST", "127.0.0.1")];
    let port = [("PORT", "0")];
    let server = Running::start(&[&base[..], &port].concat());
    assert!(server.log.last().unwrap().contains("listening"), "{:#?}", server.log);
    drop(taken);
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let configured = taken.local_addr().unwrap().port().to_string();
    let (status, line) = end(&[&base[..], &port, &[("ADMIN_PORT", &configured)]].concat());
    assert_eq!(status, 1);
    let said = format!("failed to listen on 127.0.0.1:{configured} (ADMIN_HOST, ADMIN_PORT)");
    assert!(line.contains(&said), "{line}");
}
