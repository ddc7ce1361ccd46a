//! `TLS_CERT_FILE` and `TLS_KEY_FILE`.

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{Router, routing::get};
use lenses_mcp_server::{
    connections::{self, Options, Timeouts},
    lifecycle::Stages,
    metrics::Metrics,
    tls::{self, KeyPairFiles},
};
use rustls::pki_types::ServerName;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinHandle,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use crate::{Folder, authority::Authority, until};

const SHORT: Duration = Duration::from_millis(500);

struct Served {
    address: SocketAddr,
    metrics: Arc<Metrics>,
    stages: Stages,
    serving: JoinHandle<()>,
}

fn serve(files: &KeyPairFiles) -> Served {
    serve_within(files, Options::default().timeouts)
}

fn serve_within(files: &KeyPairFiles, timeouts: Timeouts) -> Served {
    let (metrics, stages) = (Arc::new(Metrics::new()), Stages::default());
    let acceptor = tls::listener::acceptor(files, metrics.tls.clone()).unwrap();
    let listener = connections::listen(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
    let address = listener.local_addr().unwrap();
    let router = Router::new()
        .route("/", get(async || "served"))
        .route("/long", get(async || "x".repeat(1 << 20)));
    let metrics_of_connections = metrics.connections.of("mcp");
    let options = Options {
        tls: Some(acceptor),
        timeouts,
        metrics: metrics_of_connections,
        ..Options::default()
    };
    let serving = tokio::spawn(connections::serve(listener, router, options, stages.clone()));
    Served { address, metrics, stages, serving }
}

fn files(folder: &Folder, authority: &Authority) -> KeyPairFiles {
    let issued = authority.issue();
    let certificate = folder.write("tls.crt", &issued.certificate);
    KeyPairFiles { certificate, key: folder.write("tls.key", &issued.key) }
}

async fn connect(
    address: SocketAddr,
    trusted: &Authority,
) -> std::io::Result<TlsStream<TcpStream>> {
    let stream = TcpStream::connect(address).await?;
    TlsConnector::from(Arc::new(trusted.client()))
        .connect(ServerName::try_from("localhost").unwrap(), stream)
        .await
}

async fn ask(stream: &mut TlsStream<TcpStream>) -> String {
    stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    while !answer.ends_with("served") {
        let mut part = [0; 512];
        let read = stream.read(&mut part).await.unwrap();
        assert!(read > 0, "closed after {answer:?}");
        answer.push_str(std::str::from_utf8(&part[..read]).unwrap());
    }
    answer
}

fn count(metrics: &Metrics, series: &str) -> u64 {
    let mut text = String::new();
    prometheus_client::encoding::text::encode(&mut text, metrics.registry()).unwrap();
    let value = |line: &str| line.strip_prefix(series)?.trim().parse().ok();
    text.lines().find_map(value).unwrap()
}

fn failures(metrics: &Metrics) -> u64 {
    count(metrics, r#"lenses_mcp_tls_reloads_total{files="listener",outcome="failure"}"#)
}

/// When the certificate that is shown expires, in seconds since 1970.
fn expiration(metrics: &Metrics) -> u64 {
    let name = "lenses_mcp_tls_certificate_expiration_timestamp_seconds";
    count(metrics, &format!(r#"{name}{{certificate="listener"}}"#))
}

fn closed(metrics: &Metrics, reason: &str) -> u64 {
    let labels = format!(r#"{{listener="mcp",reason="{reason}"}}"#);
    count(metrics, &format!("lenses_mcp_connections_closed_total{labels}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_certificate_serves_new_connections_and_a_bad_one_changes_nothing() {
    let folder = Folder::new();
    let (before, after) = (Authority::new("before"), Authority::until("after", 2030));
    let served = serve(&files(&folder, &before));
    // 4096-01-01, and below 2030-01-01.
    assert_eq!(expiration(&served.metrics), 67_090_118_400);
    let mut old = connect(served.address, &before).await.unwrap();
    assert!(ask(&mut old).await.starts_with("HTTP/1.1 200"));
    assert!(connect(served.address, &after).await.is_err());

    files(&folder, &after);
    until("the new certificate", async || connect(served.address, &after).await.is_ok()).await;
    assert_eq!(expiration(&served.metrics), 1_893_456_000);
    assert!(connect(served.address, &before).await.is_err());
    assert!(ask(&mut old).await.starts_with("HTTP/1.1 200"));

    // Between the two writes above the pair may have been seen torn, which counts as a failure too.
    let torn = failures(&served.metrics);
    folder.write("tls.key", "no key\n");
    until("the failure's count", async || failures(&served.metrics) > torn).await;
    let mut new = connect(served.address, &after).await.unwrap();
    assert!(ask(&mut new).await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn plain_http_is_not_answered() {
    let folder = Folder::new();
    let served = serve(&files(&folder, &Authority::new("ca")));
    let mut plain = TcpStream::connect(served.address).await.unwrap();
    plain.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    plain.read_to_end(&mut answer).await.unwrap();
    assert!(!answer.starts_with(b"HTTP"), "{answer:?}");
}

#[tokio::test]
async fn an_unfinished_handshake_times_out_and_does_not_delay_shutdown() {
    let folder = Folder::new();
    let timeouts = Timeouts { head: SHORT, ..Options::default().timeouts };
    let served = serve_within(&files(&folder, &Authority::new("ca")), timeouts);
    let mut silent = TcpStream::connect(served.address).await.unwrap();
    let begun = Instant::now();
    assert_eq!(silent.read(&mut [0]).await.unwrap(), 0);
    assert!(begun.elapsed() >= SHORT, "{:?}", begun.elapsed());
    assert_eq!(closed(&served.metrics, "handshake_timeout"), 1);

    let mut silent = TcpStream::connect(served.address).await.unwrap();
    let stopped = Instant::now();
    served.stages.stopping.cancel();
    served.serving.await.unwrap();
    assert!(stopped.elapsed() < Duration::from_secs(5), "{:?}", stopped.elapsed());
    // Reset when it was never accepted, closed when it was.
    assert!(
        silent.read(&mut [0]).await.is_ok_and(|read| read == 0)
            || TcpStream::connect(served.address).await.is_err()
    );
}

#[tokio::test]
async fn the_times_of_a_connection_hold_over_tls_too() {
    let folder = Folder::new();
    let authority = Authority::new("ca");
    let timeouts = Timeouts { head: SHORT, write: SHORT, idle: Duration::from_hours(1) };
    let served = serve_within(&files(&folder, &authority), timeouts);

    let mut slow = connect(served.address, &authority).await.unwrap();
    ask(&mut slow).await;
    slow.write_all(b"GET / HTTP/1.1\r\n").await.unwrap();
    let _without_a_farewell = slow.read(&mut [0]).await;
    assert_eq!(closed(&served.metrics, "head_timeout"), 1);

    let mut deaf = connect(served.address, &authority).await.unwrap();
    let requests = "GET /long HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(1_000);
    while deaf.write_all(requests.as_bytes()).await.is_ok() {}
    assert_eq!(closed(&served.metrics, "write_timeout"), 1);
}
