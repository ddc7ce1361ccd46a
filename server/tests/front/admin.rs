//! The admin port: for probes and scrapers, and what they are told stays small whatever callers
//! send.

use std::{collections::BTreeSet, convert::Infallible};

use axum::body::{Body, Bytes};
use http::{Method, Request, StatusCode};
use lenses_mcp_server::lifecycle::Stages;
use serde_json::json;
use tower::ServiceExt;

use crate::{
    client::{READ, Server, With, post},
    hq::{Hq, Introspection},
};

#[tokio::test]
async fn there_are_health_readiness_and_metrics() {
    let stages = Stages::default();
    let server = Server::staged(
        &[("LENSES_API_KEY", "key"), ("TRANSPORT", "http"), ("MCP_CALLERS", "anyone")],
        &stages,
    );
    for path in ["/livez", "/readyz"] {
        let answer = server.admin(path).await;
        assert_eq!((answer.status, answer.body.as_str()), (StatusCode::OK, "ok\n"), "{path}");
    }
    let metrics = server.admin("/metrics").await;
    assert_eq!(
        metrics.header("content-type"),
        Some("application/openmetrics-text; version=1.0.0; charset=utf-8"),
        "what Prometheus asks for"
    );
    assert!(
        metrics.body.contains("lenses_mcp_sign_ins_total{outcome=\"accepted\"} 0"),
        "{metrics:?}"
    );
    assert!(metrics.body.ends_with("# EOF\n"));

    stages.stopping.cancel();
    let statuses = [server.admin("/livez").await.status, server.admin("/readyz").await.status];
    assert_eq!(statuses, [StatusCode::OK, StatusCode::SERVICE_UNAVAILABLE]);
}

#[tokio::test]
async fn the_health_of_hq_is_not_the_servers() {
    let hq = Hq::start().await;
    hq.introspection(Introspection::Says(StatusCode::BAD_GATEWAY, String::new()));
    hq.answer_metadata(None);
    let server = Server::with_oauth(&hq, &[]);
    assert_eq!(server.call("token", READ).await.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(server.admin("/readyz").await.status, StatusCode::OK);
}

#[tokio::test]
async fn the_admin_port_has_no_mcp_and_the_mcp_port_no_admin() {
    let server = Server::with_oauth(&Hq::start().await, &[]);
    assert_eq!(server.admin("/mcp").await.status, StatusCode::NOT_FOUND);
    for path in ["/livez", "/readyz", "/metrics", "/diagnostics"] {
        assert_eq!(
            server.send(crate::client::get(path)).await.status,
            StatusCode::NOT_FOUND,
            "{path}"
        );
    }
}

#[tokio::test]
async fn the_admin_port_answers_to_the_servers_own_names_and_no_others() {
    let hosts = ("MCP_ALLOWED_HOSTS", "lenses-mcp.tools.svc, lenses-mcp:80");
    let server = Server::with_oauth(&Hq::start().await, &[hosts]);
    for host in [
        "localhost:9464",
        "127.0.0.1:9464",
        "[::1]",
        "lenses-mcp.tools.svc:9464",
        // A port of the MCP endpoint says nothing about this one.
        "lenses-mcp:9464",
        "mcp.example.com",
    ] {
        assert_eq!(server.admin_at(host, "/metrics").await.status, StatusCode::OK, "{host}");
    }
    for host in ["rebound.example:9464", "10.0.0.1:9464", "lenses-mcp.other.svc"] {
        for path in ["/livez", "/readyz", "/metrics", "/diagnostics", "/elicitation"] {
            let answer = server.admin_at(host, path).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{host} {path}");
            assert!(answer.body.contains("MCP_ALLOWED_HOSTS"), "{answer:?}");
        }
    }
}

/// The series of the exposition, without their values.
fn series(server: &Server) -> BTreeSet<String> {
    let text = server.exposition();
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| line.rsplit_once(' ').unwrap().0.to_owned()).collect()
}

/// One request of each odd kind, told apart by `number`.
async fn odd_requests(server: &Server, token: &str, number: usize) {
    let authorization = format!("Bearer {token}");
    let name = format!("odd\"}}_tool\n{number}");
    for body in [
        json!({
            "jsonrpc": "2.0", "id": 1, "method": "tools/call",
            "params": {"name": name, "arguments": {}}
        }),
        json!({"jsonrpc": "2.0", "id": 1, "method": name}),
        json!({
            "jsonrpc": "2.0", "id": 1, "method": "tools/call",
            "params": {"name": READ, "arguments": {name.as_str(): 1}}
        }),
        json!({
            "jsonrpc": "2.0", "id": 1, "method": "resources/read",
            "params": {"uri": format!("lenses://{number}")}
        }),
        json!({"jsonrpc": "2.0", "id": 1, "method": "prompts/get", "params": {"name": name}}),
    ] {
        server.send(post(&body.to_string()).with_header("authorization", &authorization)).await;
    }
    server.call(&format!("odd-token-{number}"), READ).await;
    let method: Method = format!("ODD{number}").parse().unwrap();
    for path in [
        format!("/mcp/{number}"),
        format!("/{number}/mcp"),
        format!("/.well-known/{number}"),
        "/mcp".to_owned(),
    ] {
        let request =
            Request::builder().method(method.clone()).uri(path).header("host", "mcp.example.com");
        server.send(request.body(Body::empty()).unwrap()).await;
    }
    let host = format!("odd{number}.example");
    server.send(post("{}").without_header("host").with_header("host", &host)).await;
    server.send(post("{}").with_header("mcp-protocol-version", &format!("20{number}-01-01"))).await;
}

#[tokio::test]
async fn nothing_that_callers_send_makes_a_new_series() {
    let hq = Hq::start().await;
    let server = Server::with_oauth(&hq, &[("MCP_CALLS_PER_MINUTE_PER_USER", "0")]);
    let token = hq.issue_to_alice();
    odd_requests(&server, token, 0).await;
    let before = series(&server);
    for number in 1..20 {
        hq.issue(
            "another",
            json!({
                "scope": "read", "sub": format!("user-{number}"),
                "client_id": format!("app-{number}")
            }),
        );
        odd_requests(&server, "another", number).await;
    }
    let after = series(&server);
    assert_eq!(after.difference(&before).collect::<Vec<_>>(), Vec::<&String>::new());
    assert!(!after.iter().any(|series| series.contains("odd")), "{after:?}");
}

#[tokio::test(start_paused = true)]
async fn an_answer_of_another_replica_that_does_not_end_is_given_up() {
    let never = Body::from_stream(futures::stream::pending::<Result<Bytes, Infallible>>());
    let request = Request::post("/elicitation").header("host", "localhost").body(never).unwrap();
    let server =
        Server::new(&[("LENSES_API_KEY", "key"), ("TRANSPORT", "http"), ("MCP_CALLERS", "anyone")]);
    let response = server.admin.oneshot(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::REQUEST_TIMEOUT);
    assert_eq!(response.headers()["connection"], "close");
}
