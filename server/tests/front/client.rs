//! Requests into the router, and what came back.

#[path = "../captured_audit/mod.rs"]
mod captured_audit;

use std::{
    collections::BTreeMap,
    net::{IpAddr, SocketAddr},
    path::Path,
    sync::Arc,
};

use axum::{Router, body::Body};
use http::{HeaderMap, Method, Request, StatusCode, header};
use http_body_util::BodyExt;
use lenses_mcp_server::{
    client_address::ClientAddress,
    lifecycle::Stages,
    metrics::Metrics,
    settings::{Http, Settings, SettingsErrors, Transport, Variables},
    start,
};
use serde_json::{Value, json};
use tower::ServiceExt;

pub(crate) use self::captured_audit::CapturedAudit;
use crate::hq::Hq;

pub(crate) const READ: &str = "list_environments";
pub(crate) const DELETE: &str = "delete_consumer_group";

/// The server under test.
#[derive(Clone)]
pub(crate) struct Server {
    pub(crate) router: Router,
    pub(crate) admin: Router,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) audit: Arc<CapturedAudit>,
}

pub(crate) fn settings(variables: &[(&str, &str)]) -> Settings {
    try_settings(variables).unwrap()
}

pub(crate) fn try_settings(variables: &[(&str, &str)]) -> Result<Settings, SettingsErrors> {
    let environment: BTreeMap<_, _> =
        variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let no_files = |_: &Path| Err(std::io::ErrorKind::NotFound.into());
    Settings::read(&Variables::load(environment, &no_files)?)
}

pub(crate) fn http(settings: &Settings) -> &Http {
    let Transport::Http(http) = &settings.transport else { panic!("not HTTP") };
    http
}

impl Server {
    pub(crate) fn new(variables: &[(&str, &str)]) -> Self {
        Self::staged(variables, &Stages::default())
    }

    /// A server that stops as `stages` say.
    pub(crate) fn staged(variables: &[(&str, &str)], stages: &Stages) -> Self {
        let settings = settings(variables);
        let metrics = Arc::new(Metrics::new());
        let audit = Arc::new(CapturedAudit::new());
        let routers = start::http_routers(
            &settings,
            http(&settings),
            metrics.clone(),
            audit.log.clone(),
            stages,
            Arc::new,
        )
        .unwrap();
        Self { router: routers.endpoint, admin: routers.admin, metrics, audit }
    }

    /// With OAuth against `hq`, and with `more` settings.
    pub(crate) fn with_oauth(hq: &Hq, more: &[(&str, &str)]) -> Self {
        let oauth = [
            ("OAUTH_ENABLED", "true"),
            ("LENSES_URL", hq.url.as_str()),
            ("LENSES_ADVERTISED_URL", "https://lenses.example.com"),
            ("MCP_ADVERTISED_URL", "https://mcp.example.com"),
        ];
        Self::new(&[&oauth, more].concat())
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        Self::answer(self.router.clone(), request).await
    }

    /// Gets `path` of the admin port.
    pub(crate) async fn admin(&self, path: &str) -> Answer {
        self.admin_at("localhost", path).await
    }

    /// Gets `path` of the admin port as `host`.
    pub(crate) async fn admin_at(&self, host: &str, path: &str) -> Answer {
        let request = get(path).without_header("host").with_header("host", host);
        Self::answer(self.admin.clone(), request).await
    }

    async fn answer(router: Router, request: Request<Body>) -> Answer {
        let response = router.oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Answer {
            status: parts.status,
            headers: parts.headers,
            body: String::from_utf8(body.to_vec()).unwrap(),
        }
    }

    /// Calls `tool` with `token`.
    pub(crate) async fn call(&self, token: &str, tool: &str) -> Answer {
        self.send(call(tool).with_header("authorization", &format!("Bearer {token}"))).await
    }

    pub(crate) fn exposition(&self) -> String {
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, self.metrics.registry()).unwrap();
        text
    }
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    pub(crate) fn challenge(&self) -> Option<&str> {
        self.header("www-authenticate")
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// A call of `tool`, as clients of the 2025-11-25 revision send it, to the advertised host.
pub(crate) fn call(tool: &str) -> Request<Body> {
    let arguments =
        if tool == DELETE { json!({"environment": "dev", "group_id": "g"}) } else { json!({}) };
    post(
        &json!({
            "jsonrpc": "2.0", "id": 1, "method": "tools/call",
            "params": {"name": tool, "arguments": arguments}
        })
        .to_string(),
    )
}

pub(crate) fn post(body: &str) -> Request<Body> {
    Request::builder()
        .method(Method::POST)
        .uri("/mcp")
        .header(header::HOST, "mcp.example.com")
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::ACCEPT, "application/json, text/event-stream")
        .header("mcp-protocol-version", "2025-11-25")
        .body(Body::from(body.to_owned()))
        .unwrap()
}

pub(crate) fn get(path: &str) -> Request<Body> {
    Request::builder()
        .uri(path)
        .header(header::HOST, "mcp.example.com")
        .body(Body::empty())
        .unwrap()
}

pub(crate) trait With {
    fn with_header(self, name: &'static str, value: &str) -> Self;
    fn without_header(self, name: &str) -> Self;
    /// As if it had come over a socket from `address`.
    fn from(self, address: IpAddr) -> Self;
}

impl With for Request<Body> {
    fn with_header(mut self, name: &'static str, value: &str) -> Self {
        self.headers_mut().append(name, http::HeaderValue::from_bytes(value.as_bytes()).unwrap());
        self
    }

    fn without_header(mut self, name: &str) -> Self {
        self.headers_mut().remove(name);
        self
    }

    fn from(mut self, address: IpAddr) -> Self {
        let peer = SocketAddr::new(address, 50_000);
        self.extensions_mut().insert(ClientAddress {
            peer,
            client: address,
            own: None,
            is_proxied: false,
        });
        self
    }
}
