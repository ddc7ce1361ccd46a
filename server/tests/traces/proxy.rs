//! The collector behind a proxy.

use serde_json::json;

use crate::{collector::Collector, forward_proxy::ForwardProxy, server::Server, settings};

#[tokio::test]
async fn spans_reach_a_collector_through_the_proxy_over_http_and_over_grpc() {
    let proxy = ForwardProxy::start().await;
    for (protocol, method) in [("grpc", "CONNECT"), ("http/protobuf", "POST")] {
        let (collector, endpoint) = if protocol == "grpc" {
            Collector::over_grpc().await
        } else {
            Collector::over_http().await
        };
        // Only the proxy knows this name.
        let endpoint = endpoint.replace("127.0.0.1", "otel.test");
        let url = proxy.url();
        let more = [("OTEL_EXPORTER_OTLP_PROTOCOL", protocol), ("HTTP_PROXY", url.as_str())];
        let mut server = Server::start(&settings(&endpoint, &more)).await;
        server.send("tools/list", json!({}), None).await;
        server.end().await;
        let spans = collector.spans();
        assert_eq!(spans.iter().map(|span| &span.name).collect::<Vec<_>>(), ["tools/list"]);
        let asked = format!("{method} {}", endpoint.strip_prefix("http://").unwrap());
        assert!(proxy.asked().contains(&asked), "{asked} is not in {:?}", proxy.asked());
        let log = format!("{:?}", server.lines);
        assert!(!log.contains("hunter2@") && !log.contains("proxy-user"), "{log}");
    }
}
