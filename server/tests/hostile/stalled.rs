//! Clients that send half of a request, or read none of the answers.

use std::time::{Duration, Instant};

use futures::future::join_all;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{sleep, timeout},
};

use crate::{
    client::Caller,
    hq::Hq,
    process::Server,
    watch::{P99, Watch},
};

const CLIENTS: u8 = 255;

fn head(authorization: &str, length: usize) -> String {
    format!(
        "POST /mcp HTTP/1.1\r\nHost: mcp.example.com\r\n{authorization}Content-Type: \
         application/json\r\n\
         Content-Length: {length}\r\n\r\n"
    )
}

/// Opens a connection for each client and sends what the client's `Authorization` makes of it.
async fn halves(server: &Server, authorization: fn(&Caller) -> String) -> Vec<TcpStream> {
    join_all((0..CLIENTS).map(|number| async move {
        let caller = Caller::number(number);
        let mut stream = caller.connect(server.endpoint).await;
        let half = head(&authorization(&caller), 1 << 20) + "{\"jsonrpc\"";
        stream.write_all(half.as_bytes()).await.unwrap();
        stream
    }))
    .await
}

/// The value of a metric without labels.
async fn metric(server: &Server, name: &str) -> u64 {
    let mut stream = TcpStream::connect(server.admin).await.unwrap();
    let request = "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    value.unwrap_or_else(|| panic!("{name} is not in {text}")).parse().unwrap()
}

/// Waits until so many requests wait for their bodies: the attack has begun.
async fn until_in_flight(server: &Server, requests: u64) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while metric(server, "lenses_mcp_http_requests_in_flight").await < requests {
        assert!(Instant::now() < deadline, "the requests did not arrive");
        sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_that_never_come_take_no_place_of_others() {
    let hq = Hq::start(0).await;
    let mut server = Server::start(&hq, &[("MCP_BODY_TIMEOUT", "3s")]).await;
    let watch = Watch::start(&server).await;
    server.remember_memory().await;
    let with_token = |caller: &Caller| format!("Authorization: Bearer {}\r\n", caller.token);
    let streams = halves(&server, with_token).await;
    until_in_flight(&server, u64::from(CLIENTS) / 2).await;
    // Each is told that it took too long.
    for mut stream in streams {
        let mut answer = String::new();
        let reading = timeout(Duration::from_secs(30), stream.read_to_string(&mut answer));
        reading.await.unwrap().unwrap();
        assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    }
    watch.end(P99).await;
    server.assert_memory().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_without_a_token_that_never_come_take_no_place_of_others() {
    let hq = Hq::start(0).await;
    let mut server = Server::start(&hq, &[]).await;
    let watch = Watch::start(&server).await;
    server.remember_memory().await;
    for mut stream in halves(&server, |_| String::new()).await {
        let mut answer = vec![0; 12];
        let reading = timeout(Duration::from_secs(30), stream.read_exact(&mut answer));
        reading.await.unwrap().unwrap();
        assert_eq!(String::from_utf8_lossy(&answer), "HTTP/1.1 401");
    }
    watch.end(P99).await;
    server.assert_memory().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_that_nobody_reads_take_neither_memory_nor_places() {
    // 44 kB come back for each request of 300 bytes.
    nobody_reads(r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn long_answers_that_nobody_reads_take_neither_memory_nor_places() {
    // 2 MB come back for each.
    nobody_reads(concat!(
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_topic","#,
        r#""arguments":{"environment":"dev","topic_name":"long"}}}"#,
    ))
    .await;
}

async fn nobody_reads(message: &str) {
    let hq = Hq::start(0).await;
    let mut server = Server::start(&hq, &[("MCP_WRITE_TIMEOUT", "2s")]).await;
    let watch = Watch::start(&server).await;
    server.remember_memory().await;
    let deaf = (0..64).map(|number| {
        let server = &server;
        async move {
            let caller = Caller::number(number);
            let mut stream = caller.connect(server.endpoint).await;
            let authorization = format!("Authorization: Bearer {}\r\n", caller.token);
            let requests = (head(&authorization, message.len()) + message).repeat(100);
            let sending = async { while stream.write_all(requests.as_bytes()).await.is_ok() {} };
            // The server closes the connection, so that sending fails.
            timeout(Duration::from_mins(1), sending).await.unwrap();
        }
    });
    join_all(deaf).await;
    watch.end(P99).await;
    server.assert_memory().await;
}
