//! Whose a request is.

use std::sync::Arc;

use lenses_mcp_server::{client_address::TrustedProxies, connections::Options};
use tokio::{io::AsyncWriteExt, net::TcpStream};

use crate::{Server, response};

async fn client(mut stream: TcpStream, forwarded_for: &str) -> String {
    let request = format!(
        "GET /client HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: {forwarded_for}\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let response = response(&mut stream).await;
    let (_, body) = response.split_once("\r\n\r\n").unwrap();
    body.strip_suffix(" served").unwrap().to_owned()
}

#[tokio::test]
async fn a_request_has_the_address_that_a_trusted_proxy_reports() {
    let trusted = vec!["127.0.0.2".parse().unwrap()];
    let trusted_proxies = Arc::new(TrustedProxies::new(trusted));
    let server = Server::start(Options { trusted_proxies, ..Options::default() });
    let (proxy, other) = ("127.0.0.2", "127.0.0.3");
    for (from, forwarded_for, expected) in [
        (proxy, "6.6.6.6, 192.0.2.7", "192.0.2.7"),
        (proxy, "unknown", proxy),
        (other, "192.0.2.7", other),
    ] {
        let stream = server.connect_from(from).await;
        assert_eq!(client(stream, forwarded_for).await, expected, "{from}: {forwarded_for}");
    }
}
