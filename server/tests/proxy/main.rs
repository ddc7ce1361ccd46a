//! `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY`: the binary, a proxy that wants credentials, and an
//! HQ that only the proxy can reach.

#![expect(clippy::unwrap_used, reason = "a test that fails says so by panicking")]

mod forward_proxy;
mod hq;

use std::process::{Output, Stdio};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, BufReader},
    process::{Child, ChildStderr, Command},
};

use crate::{forward_proxy::ForwardProxy, hq::Hq};

fn binary(settings: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lenses-mcp-server"));
    command
        .env_clear()
        .current_dir(env!("CARGO_TARGET_TMPDIR"))
        .envs([
            ("OAUTH_ENABLED", "true"),
            ("MCP_ADVERTISED_URL", "http://localhost:8000"),
            ("HOST", "127.0.0.1"),
            ("PORT", "0"),
            ("ADMIN_PORT", "0"),
            ("LOG_LEVEL", "trace"),
            ("LOG_FORMAT", "json"),
        ])
        .envs(settings.iter().copied())
        .stderr(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true);
    command
}

/// A running server and what it has logged.
struct Server {
    process: Child,
    endpoint: String,
    lines: tokio::io::Lines<BufReader<ChildStderr>>,
    log: String,
}

impl Server {
    async fn start(settings: &[(&str, &str)]) -> Self {
        let mut process = binary(settings).spawn().unwrap();
        let mut lines = BufReader::new(process.stderr.take().unwrap()).lines();
        let mut log = String::new();
        loop {
            let line = lines.next_line().await.unwrap().unwrap();
            log.push_str(&line);
            let line: Value = serde_json::from_str(&line).unwrap();
            if line["message"] == "listening" {
                let endpoint = format!("http://{}/mcp", line["address"].as_str().unwrap());
                return Self { process, endpoint, lines, log };
            }
        }
    }

    /// Calls `tool`: the status and the answer.
    async fn call(&self, tool: &str, arguments: Value) -> (u16, Value) {
        // The client wants a provider even for plain HTTP; another test may have installed it.
        let _installed = rustls::crypto::ring::default_provider().install_default();
        let params = json!({ "name": tool, "arguments": arguments });
        let response = reqwest::Client::builder()
            .no_proxy()
            .build()
            .unwrap()
            .post(&self.endpoint)
            .header("accept", "application/json, text/event-stream")
            .header("mcp-protocol-version", "2025-11-25")
            .header("authorization", "Bearer token")
            .json(&json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params }))
            .send()
            .await
            .unwrap();
        (response.status().as_u16(), response.json().await.unwrap())
    }

    /// Lists environments and runs a statement.
    async fn calls_reach_hq(&self) {
        let (status, answer) = self.call("list_environments", json!({})).await;
        let environments = &answer["result"]["structuredContent"]["result"];
        assert_eq!((status, environments), (200, &json!([{ "name": "dev" }])), "{answer}");
        let sql = json!({ "environment": "dev", "sql": "SELECT 1" });
        let (status, answer) = self.call("execute_sql", sql).await;
        assert_eq!((status, &answer["result"]["isError"]), (200, &json!(false)), "{answer}");
    }

    /// Asks it to end, which writes the lines that wait: all that it has logged.
    async fn end(mut self) -> String {
        let id = self.process.id().unwrap().to_string();
        assert!(Command::new("kill").arg("-TERM").arg(id).status().await.unwrap().success());
        self.lines.get_mut().read_to_string(&mut self.log).await.unwrap();
        self.log
    }
}

/// The settings for `hq` at `host`.
fn settings(hq: &Hq, host: &str) -> Vec<(&'static str, String)> {
    let tls = if hq.certificate.is_some() { "s" } else { "" };
    vec![
        ("LENSES_URL", format!("http{tls}://{host}:{}", hq.api)),
        ("LENSES_API_WEBSOCKET_URL", format!("ws{tls}://{host}:{}", hq.sql)),
    ]
}

fn borrowed<'a>(settings: &'a [(&'static str, String)]) -> Vec<(&'static str, &'a str)> {
    settings.iter().map(|(name, value)| (*name, value.as_str())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn sign_in_api_and_websocket_reach_an_https_hq_through_the_proxy() {
    let (proxy, hq) = (ForwardProxy::start().await, Hq::with_tls().await);
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("proxy-hq.crt");
    std::fs::write(&path, hq.certificate.as_ref().unwrap()).unwrap();
    for name in ["HTTPS_PROXY", "https_proxy"] {
        let mut settings = settings(&hq, "hq.test");
        settings.push((name, proxy.url()));
        settings.push(("LENSES_CA_FILE", path.to_str().unwrap().to_owned()));
        let server = Server::start(&borrowed(&settings)).await;
        server.calls_reach_hq().await;
        let log = server.end().await;
        assert!(!log.contains("hunter2") && !log.contains("proxy-user"), "{log}");
        let said = format!("is reached through the proxy http://{}/", proxy.address);
        assert!(log.contains(&said), "{said:?} is not in {log}");
    }
    let mut expected = [hq.api, hq.sql].map(|port| format!("CONNECT hq.test:{port}"));
    expected.sort_unstable();
    assert_eq!(proxy.asked(), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plain_hq_is_reached_by_proxy_and_its_websocket_by_connect() {
    let (proxy, hq) = (ForwardProxy::start().await, Hq::plain().await);
    let mut settings = settings(&hq, "hq.test");
    settings.push(("HTTP_PROXY", proxy.url()));
    let server = Server::start(&borrowed(&settings)).await;
    server.calls_reach_hq().await;
    let mut asked = proxy.asked();
    // One connection carries several requests: the first of them is seen.
    asked.retain(|asked| !asked.ends_with(&format!(" hq.test:{}", hq.api)));
    assert_eq!(asked, [format!("CONNECT hq.test:{}", hq.sql)]);
    assert!(proxy.asked().contains(&format!("POST hq.test:{}", hq.api)), "the sign-in");
    let log = server.end().await;
    assert!(!log.contains("hunter2") && !log.contains("proxy-user"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_may_come_from_files_of_their_own() {
    let (proxy, hq) = (ForwardProxy::start().await, Hq::plain().await);
    let directory = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"));
    let mut settings = settings(&hq, "hq.test");
    settings.push(("HTTP_PROXY", format!("http://{}", proxy.address)));
    for (name, file, text) in [
        ("MCP_PROXY_USERNAME_FILE", "proxy-username", "proxy-user"),
        ("MCP_PROXY_PASSWORD_FILE", "proxy-password", "hunter2@proxy\n"),
    ] {
        std::fs::write(directory.join(file), text).unwrap();
        settings.push((name, directory.join(file).to_str().unwrap().to_owned()));
    }
    let server = Server::start(&borrowed(&settings)).await;
    server.calls_reach_hq().await;
    assert!(proxy.asked().contains(&format!("CONNECT hq.test:{}", hq.sql)));
    let log = server.end().await;
    assert!(!log.contains("hunter2") && !log.contains("proxy-user"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn loopback_and_no_proxy_are_reached_directly() {
    let (proxy, hq) = (ForwardProxy::start().await, Hq::plain().await);
    for more in [("NO_PROXY", ""), ("NO_PROXY", "10.0.0.0/8"), ("MCP_PROXY_LOOPBACK", "false")] {
        let mut settings = settings(&hq, "127.0.0.1");
        settings.extend([("HTTP_PROXY", proxy.url()), (more.0, more.1.to_owned())]);
        Server::start(&borrowed(&settings)).await.calls_reach_hq().await;
        assert_eq!(proxy.asked(), [""; 0]);
    }
    for (name, value) in [("NO_PROXY", "127.0.0.0/8"), ("no_proxy", "*")] {
        let mut settings = settings(&hq, "127.0.0.1");
        settings.extend([("HTTP_PROXY", proxy.url()), ("MCP_PROXY_LOOPBACK", "true".to_owned())]);
        settings.push((name, value.to_owned()));
        Server::start(&borrowed(&settings)).await.calls_reach_hq().await;
        assert_eq!(proxy.asked(), [""; 0], "{name}");
    }
    let mut settings = settings(&hq, "127.0.0.1");
    settings.extend([("HTTP_PROXY", proxy.url()), ("MCP_PROXY_LOOPBACK", "true".to_owned())]);
    Server::start(&borrowed(&settings)).await.calls_reach_hq().await;
    assert!(proxy.asked().contains(&format!("CONNECT 127.0.0.1:{}", hq.sql)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusing_or_missing_proxy_is_503_and_shows_no_credentials() {
    let (proxy, hq) = (ForwardProxy::start().await, Hq::with_tls().await);
    // Nobody listens there.
    let gone = "127.0.0.1:1";
    for (address, cause) in [(proxy.address.as_str(), "proxy auth"), (gone, "refused")] {
        let mut settings = settings(&hq, "hq.test");
        settings.push(("HTTPS_PROXY", format!("http://proxy-user:hunter3@{address}")));
        let server = Server::start(&borrowed(&settings)).await;
        let (status, answer) = server.call("list_environments", json!({})).await;
        assert_eq!(status, 503, "{answer}");
        let log = server.end().await;
        assert!(log.contains(cause), "{cause:?} is not in {log}");
        for secret in ["hunter3", "proxy-user", "cHJveHktdXNlcj"] {
            assert!(!log.contains(secret), "{log}");
        }
    }
}

#[tokio::test]
async fn check_shows_which_proxy_is_used_for_what_without_credentials() {
    let settings = [
        ("LENSES_URL", "https://hq.example.com"),
        ("LENSES_ADVERTISED_URL", "https://lenses.example.com"),
        ("INTROSPECTION_URL", "http://hq.internal:9991/oauth2/introspect"),
        ("OTEL_ENABLED", "true"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:4318"),
        ("HTTPS_PROXY", "http://proxy-user:hunter2@secure.example:3128"),
        ("http_proxy", "plain.example:3129"),
        ("NO_PROXY", ".svc"),
    ];
    let Output { status, stdout, .. } = binary(&settings).arg("--check").output().await.unwrap();
    assert!(status.success());
    let stdout = String::from_utf8(stdout).unwrap();
    for line in [
        "HTTPS_PROXY='http://secure.example:3128' # environment",
        "HTTP_PROXY='http://plain.example:3129' # environment",
        "NO_PROXY='.svc' # environment",
        "# https://hq.example.com/ is reached through the proxy http://secure.example:3128/",
        "# http://hq.internal:9991/oauth2/introspect is reached through the proxy \
         http://plain.example:3129/",
        "# http://localhost:4318/v1/traces is reached without a proxy",
    ] {
        assert!(stdout.lines().any(|found| found == line), "{line:?} is not in {stdout}");
    }
    assert!(!stdout.contains("hunter2") && !stdout.contains("proxy-user"), "{stdout}");
}

#[tokio::test]
async fn a_proxy_that_cannot_be_used_is_refused_unseen() {
    for value in [
        "socks5://proxy-user:hunter2@proxy:1080",
        "https://proxy-user:hunter2@proxy",
        "http://proxy-user:hunter2@proxy/path",
        "http://",
        "http://proxy-user:hunter2@proxy:99999",
    ] {
        let output = binary(&[("HTTPS_PROXY", value)]).arg("--check").output().await.unwrap();
        assert_eq!(output.status.code(), Some(78), "{value}");
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(stderr.starts_with("HTTPS_PROXY is "), "{stderr}");
        assert!(stderr.contains("write http://proxy.example.com:3128"), "{stderr}");
        assert!(!stderr.contains("hunter2"), "{stderr}");
    }
}
