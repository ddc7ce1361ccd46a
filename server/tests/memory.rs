//! What queries and connections cost in memory, measured at the binary: the peak that the kernel
//! saw (`VmHWM`).

#![expect(clippy::panic, reason = "a test that fails says so by panicking")]
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test that fails says so by panicking")]

use std::{fs, net::SocketAddr, process::Stdio};

use bytes::Bytes;
use futures::{SinkExt, StreamExt};
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::handshake;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    process::{Child, Command},
};
use tokio_tungstenite::{accept_async, tungstenite::Message};

/// What a query, or 200 connections, may add to the server's memory, in KiB.
const GROWTH: u64 = 10 << 10;
/// Queries until the allocator has what it keeps.
const WARM_UP: usize = 10;
/// By how much peaks may differ that should be the same, in KiB: the allocator's doing.
const NOISE: u64 = 2 << 10;

/// An HQ whose table has as many rows as the statement's last word says. A row is made when the one
/// before it was taken.
async fn hq() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(answer(stream));
        }
    });
    address
}

async fn answer(stream: TcpStream) {
    let mut socket = accept_async(stream).await.unwrap();
    let asked: Value =
        serde_json::from_str(socket.next().await.unwrap().unwrap().to_text().unwrap()).unwrap();
    let sql = asked["sql"].as_str().unwrap();
    let rows: u64 = sql.rsplit(' ').next().unwrap().parse().unwrap();
    if sql.starts_with("SELECT PINGS") {
        return flood(socket.into_inner(), rows).await;
    }
    for row in 0..rows {
        let text = format!(
            concat!(
                r#"{{"type":"RECORD","data":{{"key":"event-{row}","#,
                r#""value":{{"kind":"created","payload":"{row:064}","sequence":{row}}},"#,
                r#""metadata":{{"timestamp":1767600000000,"partition":{partition},"#,
                r#""offset":{offset},"__keysize":12,"__valuesize":128}},"rownum":{row}}}}}"#,
            ),
            row = row,
            partition = row % 8,
            offset = row / 8,
        );
        if socket.send(Message::text(text)).await.is_err() {
            return;
        }
    }
    let _gone = socket.send(Message::text(r#"{"type":"END"}"#)).await;
}

/// Sends so many pings and one row, and reads nothing of what comes back.
async fn flood(mut stream: TcpStream, pings: u64) {
    const PING: [u8; 127] = {
        let mut ping = [b'x'; 127];
        (ping[0], ping[1]) = (0x89, 125);
        ping
    };
    let thousand = PING.repeat(1_000);
    for _ in 0..pings / 1_000 {
        stream.write_all(&thousand).await.unwrap();
    }
    for text in [r#"{"type":"RECORD","data":{"a":1}}"#, r#"{"type":"END"}"#] {
        let head = [0x81, u8::try_from(text.len()).unwrap()];
        stream.write_all(&[&head, text.as_bytes()].concat()).await.unwrap();
    }
    // Open for as long as the server likes.
    std::future::pending::<()>().await;
}

struct Server {
    process: Child,
    address: String,
    endpoint: String,
    client: reqwest::Client,
}

impl Server {
    async fn start(settings: &[(&str, &str)]) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_lenses-mcp-server"))
            .env_clear()
            .current_dir(env!("CARGO_TARGET_TMPDIR"))
            .envs([
                ("LENSES_API_KEY", "key"),
                ("MCP_CALLERS", "anyone"),
                ("TRANSPORT", "http"),
                ("LOG_FORMAT", "json"),
            ])
            .envs([
                ("HOST", "127.0.0.1"),
                ("PORT", "0"),
                ("ADMIN_HOST", "127.0.0.1"),
                ("ADMIN_PORT", "0"),
            ])
            .env("LENSES_URL", format!("http://{}", hq().await))
            .envs(settings.iter().copied())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut log = BufReader::new(process.stderr.take().unwrap()).lines();
        let address = loop {
            let line: Value =
                serde_json::from_str(&log.next_line().await.unwrap().unwrap()).unwrap();
            if line["message"] == "listening" {
                break line["address"].as_str().unwrap().to_owned();
            }
        };
        // The log goes on being read, or the server would wait on a full pipe.
        tokio::spawn(async move { while let Ok(Some(_)) = log.next_line().await {} });
        // The client wants one even for plain HTTP; another test may have installed it.
        let _installed = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { process, endpoint: format!("http://{address}/mcp"), address, client }
    }

    /// Queries a table of so many rows: how many came, and why no more.
    async fn query(&self, rows: u64) -> (usize, String) {
        let arguments =
            json!({ "environment": "dev", "sql": format!("SELECT * FROM t LIMIT {rows}") });
        let reply = self.call(json!({ "name": "execute_sql", "arguments": arguments })).await;
        let result = &reply["result"]["structuredContent"];
        let came = result["result"].as_array().unwrap_or_else(|| panic!("{reply}")).len();
        (came, result["cut"]["reason"].as_str().unwrap_or_default().to_owned())
    }

    /// Calls a tool: the reply.
    async fn call(&self, params: Value) -> Value {
        let request = self
            .client
            .post(&self.endpoint)
            .header("accept", "application/json, text/event-stream")
            .header("mcp-protocol-version", "2025-11-25")
            .json(&json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params }));
        request.send().await.unwrap().json().await.unwrap()
    }

    /// A line of `/proc/PID/status`, in KiB.
    fn memory(&self, name: &str) -> u64 {
        let status =
            fs::read_to_string(format!("/proc/{}/status", self.process.id().unwrap())).unwrap();
        let line =
            status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    /// The peak while a table of so many rows is queried. Peaks before it are forgotten.
    async fn peak_of(&self, rows: u64) -> (u64, usize, String) {
        fs::write(format!("/proc/{}/clear_refs", self.process.id().unwrap()), "5").unwrap();
        let (came, reason) = self.query(rows).await;
        (self.memory("VmHWM"), came, reason)
    }
}

#[tokio::test]
async fn a_million_rows_cost_no_more_memory_than_ten_thousand() {
    let server = Server::start(&[]).await;
    assert_eq!(server.query(10).await, (10, String::new()));
    let before = server.memory("VmRSS");
    // The allocator keeps a heap for each thread, and so grows until each has answered a query.
    for _ in 0..WARM_UP {
        assert_eq!(server.query(1_000).await, (1_000, String::new()));
    }
    let mut peaks = [0, 0];
    for _ in 0..5 {
        for (rows, highest) in [10_000, 1_000_000].into_iter().zip(&mut peaks) {
            let (peak, came, reason) = server.peak_of(rows).await;
            assert_eq!((came, reason.as_str()), (1_000, "the limit of 1000 rows was reached"));
            *highest = peak.max(*highest);
        }
    }
    let [of_ten_thousand, of_a_million] = peaks;
    assert!(of_a_million <= before + GROWTH, "from {before} to {of_a_million} KiB");
    assert!(of_a_million <= of_ten_thousand + NOISE, "{of_ten_thousand} and {of_a_million} KiB");
}

#[tokio::test]
async fn bytes_bound_a_query_whatever_number_of_rows_is_allowed() {
    let server = Server::start(&[("MCP_SQL_MAX_ROWS", "1000000")]).await;
    server.query(10).await;
    let before = server.memory("VmRSS");
    let (peak, came, reason) = server.peak_of(1_000_000).await;
    assert_eq!(reason, "the limit of 262144 bytes was reached");
    assert!(came > 1_000, "{came}");
    assert!(peak <= before + GROWTH, "{came} rows: from {before} to {peak} KiB");
}

#[tokio::test]
async fn fifty_queries_one_by_one_cost_no_more_than_one() {
    let server = Server::start(&[]).await;
    server.query(10).await;
    let before = server.memory("VmRSS");
    // Each gives a quarter of a megabyte, which is ten times that in memory.
    for _ in 0..50 {
        server.query(10_000).await;
    }
    let peak = server.memory("VmHWM");
    assert!(peak <= before + GROWTH, "from {before} to {peak} KiB");
}

#[tokio::test]
async fn a_flood_of_pings_whose_pongs_nobody_reads_costs_nothing() {
    // 64 MB of pings, and as much of pongs.
    const PINGS: u64 = 500_000;
    let server = Server::start(&[]).await;
    server.query(10).await;
    let before = server.memory("VmRSS");
    let call = json!({ "name": "execute_sql",
        "arguments": { "environment": "dev", "sql": format!("SELECT PINGS LIMIT {PINGS}") } });
    let reply = server.call(call).await;
    assert_eq!(reply["result"]["structuredContent"], json!({ "result": [{ "a": 1 }] }), "{reply}");
    let peak = server.memory("VmHWM");
    assert!(peak <= before + GROWTH, "from {before} to {peak} KiB");
}

#[tokio::test]
async fn two_hundred_connections_that_have_called_cost_at_most_ten_mebibytes() {
    let server = Server::start(&[("MCP_CONNECTIONS_PER_ADDRESS", "256")]).await;
    server.query(10).await;
    let before = server.memory("VmRSS");
    // The longest answer that there is without HQ.
    let body =
        Bytes::from(json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" }).to_string());
    let mut connections = Vec::new();
    for _ in 0..200 {
        let stream = TcpStream::connect(&server.address).await.unwrap();
        let (mut sender, connection) = handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        let request = Request::post("/mcp")
            .header("host", "localhost")
            .header("content-type", "application/json")
            .header("accept", "application/json, text/event-stream")
            .header("mcp-protocol-version", "2025-11-25");
        let response =
            sender.send_request(request.body(Full::new(body.clone())).unwrap()).await.unwrap();
        assert_eq!(response.status(), 200);
        response.into_body().collect().await.unwrap();
        connections.push(sender);
    }
    let after = server.memory("VmRSS");
    assert!(after <= before + GROWTH, "from {before} to {after} KiB");
    assert!(
        connections.iter().all(|sender| !sender.is_closed()),
        "the connections were to stay open"
    );
}
