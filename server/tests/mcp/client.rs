//! Requests to the endpoint, and what comes back.

#[path = "../captured_audit/mod.rs"]
mod captured_audit;
mod events;

use std::{
    ops::ControlFlow,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::response::Response;
use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use lenses_mcp_server::{
    audit::Source,
    auth::BackChannel,
    diagnostics::Diagnostics,
    identity::{Fingerprint, Identity, SignInMode},
    lenses,
    limits::{Budget, LimitMetrics, PerUser, Users},
    mcp::{self, Incoming, Rejected},
    metrics::Metrics,
    policy::{self, ToolPolicy},
    proxies::Proxies,
    scope::ScopeSet,
    settings::Confirm,
    tls::{self, Trust},
};
use secrecy::SecretSlice;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use url::Url;

pub(crate) use self::captured_audit::CapturedAudit;
pub(crate) use self::events::Events;

/// A token that must turn up in no answer and no log.
pub(crate) const TOKEN: &str = "alice-s3cret-token";
/// The revisions under test: the latest, and the one that most clients speak.
pub(crate) const MODERN: &str = "2026-07-28";
/// See [`MODERN`].
pub(crate) const LEGACY: &str = "2025-11-25";

/// The endpoint with one caller.
pub(crate) struct Endpoint {
    mcp: mcp::Endpoint<mcp::Server>,
    /// Who calls.
    pub(crate) identity: Identity,
    budget: Budget,
    /// Fingerprints of the callers whose credential HQ did not take.
    pub(crate) forgotten: Arc<Mutex<Vec<String>>>,
    /// What was counted.
    pub(crate) metrics: Arc<Metrics>,
    /// What was recorded.
    pub(crate) audit: CapturedAudit,
}

/// The limits of the endpoint under test.
#[derive(Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) request: Duration,
    pub(crate) sql: Duration,
    pub(crate) rows: usize,
    pub(crate) bytes: usize,
    /// Where a result is cut; `None`: where a reply is.
    pub(crate) result_bytes: Option<usize>,
    pub(crate) offered: ScopeSet,
}

impl Default for Limits {
    fn default() -> Self {
        let time = Duration::from_secs(20);
        Self {
            request: time,
            sql: time,
            rows: 1_000,
            bytes: 4 << 20,
            result_bytes: None,
            offered: ScopeSet::ALL,
        }
    }
}

impl Endpoint {
    /// In front of the HQ at `url`, for a caller with every scope.
    pub(crate) fn new(url: &Url) -> Self {
        Self::limited(url, Limits::default())
    }

    /// The same with limits.
    pub(crate) fn limited(url: &Url, limits: Limits) -> Self {
        Self::with(url, limits, Confirm::Destructive, None)
    }

    /// A replica that seals with `key`.
    pub(crate) fn sealing(url: &Url, key: &[u8]) -> Self {
        Self::built(
            url,
            &nobody(),
            Limits::default(),
            Confirm::Destructive,
            None,
            Some(key.to_vec().into()),
        )
    }

    /// With an offer of its own.
    pub(crate) fn with(
        url: &Url,
        limits: Limits,
        confirm: Confirm,
        policy: Option<policy::Options>,
    ) -> Self {
        Self::built(url, &nobody(), limits, confirm, policy, None)
    }

    /// With results that are cut after other bytes than are read of HQ's replies.
    pub(crate) fn cutting(url: &Url, limits: Limits, result_bytes: usize) -> Self {
        let limits = Limits { result_bytes: Some(result_bytes), ..limits };
        Self::built(url, &nobody(), limits, Confirm::Destructive, None, None)
    }

    /// With the HQ at `diagnosed` looked at in diagnoses, and otherwise one of its own.
    pub(crate) fn diagnosing(url: &Url, diagnosed: &Url) -> Self {
        Self::built(url, diagnosed, Limits::default(), Confirm::Destructive, None, None)
    }

    fn built(
        url: &Url,
        diagnosed: &Url,
        limits: Limits,
        confirm: Confirm,
        policy: Option<policy::Options>,
        sealing_key: Option<SecretSlice<u8>>,
    ) -> Self {
        let metrics = Arc::new(Metrics::new());
        let audit = CapturedAudit::new();
        let lenses = lenses::Client::new(lenses::Options {
            url: url.clone(),
            websocket_url: url.clone(),
            tls: tls::client_config(&Trust::default(), [url], metrics.tls.clone()).unwrap(),
            proxies: Proxies::default(),
            request_timeout: limits.request,
            response_max_bytes: limits.bytes,
            metrics: metrics.lenses.clone(),
        })
        .unwrap();
        let tls = tls::client_config(&Trust::default(), [diagnosed], metrics.tls.clone()).unwrap();
        let diagnostics = Diagnostics::of_api_key(
            diagnosed,
            &TOKEN.into(),
            BackChannel::new(tls, &Proxies::default()).unwrap(),
        );
        let forgotten = Arc::new(Mutex::new(Vec::new()));
        let server = mcp::Server::new(mcp::Options {
            lenses,
            policy: Arc::new(ToolPolicy::new(policy.unwrap_or(policy::Options {
                scopes: limits.offered,
                ..policy::Options::default()
            }))),
            diagnostics: Arc::new(diagnostics),
            confirm,
            sealing_key,
            sql_max_rows: limits.rows,
            sql_timeout: limits.sql,
            result_max_bytes: limits.result_bytes.unwrap_or(limits.bytes),
            metrics: metrics.mcp.clone(),
            audit: audit.log.clone(),
            replica: None,
            on_unauthorized: Arc::new({
                let forgotten = Arc::clone(&forgotten);
                move |identity| {
                    forgotten.lock().unwrap().push(identity.fingerprint.unwrap().to_string());
                }
            }),
        })
        .unwrap();
        let elicitation = server.elicitation();
        let mcp = mcp::Endpoint::new(Arc::new(server), elicitation, CancellationToken::new());
        let identity = caller(ScopeSet::ALL);
        let per_user = PerUser { concurrent_requests: 1, calls_per_minute: None };
        let users = Users::new(per_user, 64 << 20, LimitMetrics::default());
        let budget = users.budget(users.user(&identity, None));
        Self { mcp, identity, budget, forgotten, metrics, audit }
    }

    /// For a caller with other scopes.
    pub(crate) fn with_scopes(mut self, scopes: ScopeSet) -> Self {
        self.identity = caller(scopes);
        self
    }

    /// Sends a request as it stands, behind sign-in and bounds.
    pub(crate) async fn send(&self, request: Request<Full<Bytes>>) -> Response {
        let (parts, body) = request.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let source = Source::of(&parts.extensions);
        let incoming = match Incoming::new(parts, source) {
            ControlFlow::Continue(incoming) => incoming,
            ControlFlow::Break(response) => return response,
        };
        match self.mcp.parse(incoming, &body) {
            Ok(parsed) => {
                self.mcp.respond(parsed, self.identity.clone(), self.budget.clone()).await
            }
            Err(Rejected { id, error }) => error.respond(&id),
        }
    }

    /// Sends `method` in `revision`: the status and the JSON that came back.
    pub(crate) async fn request(
        &self,
        revision: &str,
        method: &str,
        params: Value,
    ) -> (u16, Value) {
        read(self.send(request(revision, method, params)).await).await
    }

    /// Calls a tool in the older revision: the result.
    pub(crate) async fn call(&self, tool: &str, arguments: Value) -> Value {
        let (status, reply) = self
            .request(LEGACY, "tools/call", json!({ "name": tool, "arguments": arguments }))
            .await;
        assert_eq!(status, 200, "{reply}");
        reply["result"].clone()
    }

    /// Calls a tool that must fail: the text that the model reads.
    pub(crate) async fn failure(&self, tool: &str, arguments: Value) -> String {
        let result = self.call(tool, arguments).await;
        assert_eq!(result["isError"], true, "{result}");
        assert!(!result.to_string().contains(TOKEN), "{result}");
        result["content"][0]["text"].as_str().unwrap().to_owned()
    }
}

/// An HQ that nobody answers for.
fn nobody() -> Url {
    "http://127.0.0.1:1".parse().unwrap()
}

/// A caller called alice.
pub(crate) fn caller(scopes: ScopeSet) -> Identity {
    Identity {
        subject: Some("alice".into()),
        client_id: Some("client-1".into()),
        scopes,
        sign_in: SignInMode::OAuth,
        lenses_credential: Arc::new(TOKEN.into()),
        fingerprint: Some(Fingerprint::of(TOKEN)),
    }
}

/// A request that is right in every respect.
pub(crate) fn request(revision: &str, method: &str, mut params: Value) -> Request<Full<Bytes>> {
    let name = params["name"].as_str().or(params["uri"].as_str()).map(str::to_owned);
    if revision == MODERN {
        params["_meta"]["io.modelcontextprotocol/protocolVersion"] = json!(revision);
        let meta = params["_meta"].as_object_mut().unwrap();
        meta.entry("io.modelcontextprotocol/clientCapabilities").or_insert_with(|| json!({}));
    }
    let body = json!({ "jsonrpc": "2.0", "id": 7, "method": method, "params": params });
    let mut request = raw(&body.to_string());
    let headers = request.headers_mut();
    headers.insert("mcp-protocol-version", revision.parse().unwrap());
    headers.insert("mcp-method", method.parse().unwrap());
    if let Some(name) = name {
        headers.insert("mcp-name", name.parse().unwrap());
    }
    request
}

/// A `POST` of any body, without a protocol version.
pub(crate) fn raw(body: &str) -> Request<Full<Bytes>> {
    Request::post("http://mcp.test/mcp")
        .header("host", "mcp.test")
        .header("content-type", "application/json")
        .header("accept", "application/json, text/event-stream")
        .body(Full::new(Bytes::copy_from_slice(body.as_bytes())))
        .unwrap()
}

/// Status and JSON of a response; a body that is not JSON is a text.
pub(crate) async fn read(response: Response) -> (u16, Value) {
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    let text = String::from_utf8(body.to_vec()).unwrap();
    (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
}
