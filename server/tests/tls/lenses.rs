//! `LENSES_CA_FILE`, `LENSES_CLIENT_CERT_FILE` and `LENSES_CLIENT_KEY_FILE`: for the API, the SQL
//! websocket and introspection.

use std::{path::Path, sync::Arc};

use axum::{
    Json, Router,
    body::Body,
    routing::{get, post},
};
use futures::{SinkExt, StreamExt};
use http::Request;
use http_body_util::BodyExt;
use lenses_mcp_server::{
    audit::AuditLog,
    connections,
    lifecycle::Stages,
    metrics::Metrics,
    settings::{Settings, Transport, Variables},
    start,
};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_tungstenite::tungstenite::Message;
use tower::ServiceExt;

use crate::{Folder, authority::Authority, until};

/// HQ behind TLS: the API and introspection at one port, the SQL websocket at another.
struct Hq {
    http: String,
    websocket: String,
}

impl Hq {
    async fn start(tls: TlsAcceptor) -> Self {
        let router = Router::new()
            .route(
                "/oauth2/introspect",
                post(async || Json(json!({ "active": true, "scope": "read write delete" }))),
            )
            .route(
                "/api/v1/environments",
                get(async || Json(json!({ "items": [{ "name": "dev" }] }))),
            );
        let (api, sql) = (
            TcpListener::bind("127.0.0.1:0").await.unwrap(),
            TcpListener::bind("127.0.0.1:0").await.unwrap(),
        );
        let http = format!("https://localhost:{}", api.local_addr().unwrap().port());
        let websocket = format!("wss://localhost:{}", sql.local_addr().unwrap().port());
        let options = connections::Options { tls: Some(tls.clone()), ..Default::default() };
        tokio::spawn(connections::serve(api, router, options, Stages::default()));
        tokio::spawn(async move {
            while let Ok((stream, _)) = sql.accept().await {
                let tls = tls.clone();
                tokio::spawn(async move {
                    let Ok(stream) = tls.accept(stream).await else { return };
                    let mut socket = tokio_tungstenite::accept_async(stream).await.unwrap();
                    let _statement = socket.next().await;
                    for frame in [
                        json!({ "type": "RECORD", "data": { "value": 1 } }),
                        json!({ "type": "END" }),
                    ] {
                        socket.send(Message::text(frame.to_string())).await.unwrap();
                    }
                });
            }
        });
        Self { http, websocket }
    }

    /// The server in front of it, with `more` settings.
    fn server(&self, more: &[(&str, &Path)]) -> Router {
        let more =
            more.iter().map(|(name, path)| ((*name).to_owned(), path.to_str().unwrap().to_owned()));
        let environment = [
            ("OAUTH_ENABLED", "true"),
            ("MCP_ADVERTISED_URL", "https://mcp.example.com"),
            ("LENSES_URL", &self.http),
            ("LENSES_API_WEBSOCKET_URL", &self.websocket),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
        let read_file = |path: &Path| std::fs::read_to_string(path);
        let variables = Variables::load(environment.into_iter().chain(more), &read_file).unwrap();
        let settings = Settings::read(&variables).unwrap();
        let Transport::Http(http) = &settings.transport else { panic!("not HTTP") };
        start::http_routers(
            &settings,
            http,
            Arc::new(Metrics::new()),
            AuditLog::default(),
            &Stages::default(),
            Arc::new,
        )
        .unwrap()
        .endpoint
    }
}

/// Calls `tool`: the status and the answer.
async fn call(server: &Router, tool: &str, arguments: Value) -> (u16, Value) {
    let params = json!({ "name": tool, "arguments": arguments });
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params });
    let request = Request::post("/mcp")
        .header("host", "mcp.example.com")
        .header("content-type", "application/json")
        .header("accept", "application/json, text/event-stream")
        .header("mcp-protocol-version", "2025-11-25")
        .header("authorization", "Bearer token")
        .body(Body::from(body.to_string()))
        .unwrap();
    let response = server.clone().oneshot(request).await.unwrap();
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&body).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn api_websocket_and_introspection_use_the_private_ca_and_client_certificate() {
    let (folder, authority) = (Folder::new(), Authority::new("hq"));
    let hq = Hq::start(authority.mutual_acceptor()).await;
    let issued = authority.issue();
    let ca = folder.write("ca.crt", &authority.pem());
    let certificate = folder.write("tls.crt", &issued.certificate);
    let key = folder.write("tls.key", &issued.key);
    let server = hq.server(&[
        ("LENSES_CA_FILE", &ca),
        ("LENSES_CLIENT_CERT_FILE", &certificate),
        ("LENSES_CLIENT_KEY_FILE", &key),
    ]);
    let (status, answer) = call(&server, "list_environments", json!({})).await;
    assert_eq!(
        (status, &answer["result"]["structuredContent"]["result"]),
        (200, &json!([{ "name": "dev" }]))
    );
    let (status, answer) =
        call(&server, "execute_sql", json!({ "environment": "dev", "sql": "SELECT 1" })).await;
    assert_eq!((status, &answer["result"]["isError"]), (200, &json!(false)), "{answer}");

    // Without the CA, and without the certificate, HQ can't be asked about the token.
    for trust in [&[][..], &[("LENSES_CA_FILE", ca.as_path())]] {
        assert_eq!(call(&hq.server(trust), "list_environments", json!({})).await.0, 503);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ca_that_is_replaced_is_trusted_without_a_restart() {
    let (folder, authority) = (Folder::new(), Authority::new("hq"));
    let hq = Hq::start(authority.mutual_acceptor()).await;
    let issued = authority.issue();
    let ca = folder.write("ca.crt", &Authority::new("former").pem());
    let certificate = folder.write("tls.crt", &issued.certificate);
    let key = folder.write("tls.key", &issued.key);
    let server = hq.server(&[
        ("LENSES_CA_FILE", &ca),
        ("LENSES_CLIENT_CERT_FILE", &certificate),
        ("LENSES_CLIENT_KEY_FILE", &key),
    ]);
    assert_eq!(call(&server, "list_environments", json!({})).await.0, 503);
    folder.write("ca.crt", &authority.pem());
    until("trust in the new CA", async || {
        call(&server, "list_environments", json!({})).await.0 == 200
    })
    .await;
}
