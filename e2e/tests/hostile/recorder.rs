//! A listener that claims to be whatever it is asked for, and records every request.

use std::sync::{Arc, Mutex, PoisonError};

use axum::{
    Json, Router,
    body::to_bytes,
    extract::Request,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use lenses_mcp_e2e::{
    bed::{Bed, Trouble},
    cluster::NODE_ADDRESS,
};
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinHandle};

/// The name of its Service.
const NAME: &str = "listener";
/// The longest body that is recorded, in bytes.
const BODY_MAX: usize = 64 * 1024;

/// The listener, until it is dropped.
pub(crate) struct Recorder {
    url: String,
    requests: Arc<Mutex<Vec<String>>>,
    serving: JoinHandle<()>,
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Recorder {
    /// Starts it behind a Service of the test's namespace. It sends clients to sign in at `issuer`.
    pub(crate) async fn start(bed: &Bed, issuer: String) -> Result<Self, Trouble> {
        let listener = TcpListener::bind((NODE_ADDRESS, 0)).await?;
        let port = listener.local_addr()?.port();
        for object in service(port) {
            bed.apply(&object).await?;
        }
        let url = format!("http://{}:{port}", bed.host(NAME));
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (own, seen) = (url.clone(), Arc::clone(&requests));
        let app = Router::new().fallback(async move |request: Request| {
            let path = request.uri().path().to_owned();
            let recorded = text(request).await;
            seen.lock().unwrap_or_else(PoisonError::into_inner).push(recorded);
            answer(&own, &issuer, &path)
        });
        let serving = tokio::spawn(async move { drop(axum::serve(listener, app).await) });
        Ok(Self { url, requests, serving })
    }

    /// Its address, as an author would write it.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Each request so far: its first line, its headers and its body.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// A Service that leads to the listener.
fn service(port: u16) -> [Value; 2] {
    let ports = json!([{"name": "http", "port": port}]);
    [
        json!({
            "apiVersion": "v1", "kind": "Service", "metadata": {"name": NAME},
            "spec": {"clusterIP": "None", "ports": ports},
        }),
        json!({
            "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
            "metadata": {"name": NAME, "labels": {"kubernetes.io/service-name": NAME}},
            "ports": ports, "endpoints": [{"addresses": [NODE_ADDRESS]}],
        }),
    ]
}

async fn text(request: Request) -> String {
    let (head, body) = request.into_parts();
    let body = to_bytes(body, BODY_MAX).await.unwrap_or_default();
    let first = format!("{} {}", head.method, head.uri);
    let headers = head
        .headers
        .iter()
        .map(|(name, value)| format!("{name}: {}", String::from_utf8_lossy(value.as_bytes())));
    let last = [String::new(), String::from_utf8_lossy(&body).into_owned()];
    std::iter::once(first).chain(headers).chain(last).collect::<Vec<_>>().join("\n")
}

/// All that makes a client go on to the step at which it would show a credential.
fn answer(own: &str, issuer: &str, path: &str) -> Response {
    if path.ends_with("/mcp") && !path.contains(".well-known") {
        let challenge =
            format!("Bearer resource_metadata=\"{own}/.well-known/oauth-protected-resource/mcp\"");
        return (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, challenge)]).into_response();
    }
    if path.contains("introspect") {
        return Json(json!({"active": false})).into_response();
    }
    Json(json!({
        "resource": format!("{own}/mcp"),
        "authorization_servers": [issuer],
        "issuer": own,
        "registration_endpoint": format!("{own}/register"),
        "code_challenge_methods_supported": ["S256"],
    }))
    .into_response()
}
