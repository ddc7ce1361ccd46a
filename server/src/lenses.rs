//! The client of Lenses HQ: every request that a tool makes goes through here.
//!
//! ```text
//! Client ── as_caller(identity) ──▶ CallerClient: one caller's credential
//!   pool, limits, trust
//! CallerClient ── topics(environment) ──▶ Endpoint ─▶ HTTP ─▶ Reply ─▶ value or Error
//!                                 encoded segments     bounded, checked
//! ```
//!
//! Operations are grouped by domain, one file each. They return HQ's own JSON, as HQ wrote it
//! (`raw.rs`): what a record looks like is HQ's contract with the model, and this server does not
//! narrow it. The client follows no redirect, and logs neither bodies nor credentials.

mod advice;
mod approvals;
mod body;
mod connectors;
mod consumer_groups;
mod datasets;
mod deployments;
mod endpoint;
mod environments;
mod error;
#[cfg(test)]
mod fuzz;
mod groups_by_lag;
mod measured;
mod metrics;
mod name;
mod origin;
mod problem;
mod processors;
mod raw;
mod reply;
pub mod sql;
mod topic_metadata;
mod topics;
mod verbs;

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use http::{
    HeaderValue, Method,
    header::{ACCEPT, AUTHORIZATION, CONTENT_LENGTH},
};
use secrecy::{ExposeSecret, SecretString};
use tracing::Instrument;
use url::Url;

pub use self::{
    advice::Intent,
    approvals::{ApprovalQuery, ApprovalSort, ApprovalStatus, TopicRequest},
    body::Tail,
    connectors::{ConnectorAction, ConnectorSettings},
    consumer_groups::{OffsetReset, ResetTo},
    datasets::DatasetQuery,
    environments::NewEnvironment,
    error::{ClientError, Error},
    groups_by_lag::{GroupQuery, GroupsByLag},
    metrics::{LensesMetrics, LensesOutcome},
    name::{Name, NameError},
    origin::Origin,
    problem::{FieldFault, Problem},
    processors::{Deployment, NewProcessor},
    raw::{RawList, RawObject, RawRecord},
    topics::{Config, Format, NewTopic, NewTypedTopic, RecordFormat},
};
use self::{
    body::{Bounds, ReadError},
    endpoint::Endpoint,
    error::chain,
    measured::Measured,
    verbs::NO_BODY,
};
use crate::{identity::Identity, limits::Held, proxies::Proxies};

/// A JSON object that this server reads or makes. What HQ says is passed on as [`RawObject`] and
/// [`RawList`].
pub type Object = serde_json::Map<String, serde_json::Value>;

/// How long a TCP connection (and a TLS handshake) to HQ may take. HQ is near: one that is not
/// there within this is down.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Idle connections kept to HQ.
const IDLE_CONNECTIONS: usize = 16;
/// How long an idle connection is kept. Less than the idle limits of common proxies.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);
/// JSON where there is a choice; some of the agent's replies are YAML or text, and it may refuse to
/// send them otherwise.
const ACCEPTED: &str = "application/json, application/yaml;q=0.9, text/plain;q=0.8, */*;q=0.1";
/// For replies that are YAML or text by nature.
const ACCEPTED_TEXT: &str = "application/yaml, text/plain;q=0.9, */*;q=0.1";
const USER_AGENT: &str = concat!("lenses-mcp-server/", env!("CARGO_PKG_VERSION"));

/// What a [`Client`] is made from.
#[derive(Debug)]
pub struct Options {
    /// `LENSES_URL`: `http` or `https`; a path is kept as a prefix of every request's path.
    pub url: Url,
    /// The same for websockets; the scheme is `ws` or `http`, `wss` or `https`.
    pub websocket_url: Url,
    /// Trust in HQ: see [`client_config`](crate::tls::client_config).
    pub tls: rustls::ClientConfig,
    /// The way to HQ.
    pub proxies: Proxies,
    /// Longest time for one request, from connecting to the reply's last byte. Queries have a limit
    /// of their own.
    pub request_timeout: Duration,
    /// Largest reply that is read, in bytes.
    pub response_max_bytes: usize,
    /// Where calls are counted.
    pub metrics: Arc<LensesMetrics>,
}

/// Lenses HQ: its address, the connections to it and the limits. One for the process; cheap to
/// clone.
#[derive(Clone)]
pub struct Client(Arc<Shared>);

struct Shared {
    url: Url,
    websocket_url: Url,
    proxies: Proxies,
    http: reqwest::Client,
    request_timeout: Duration,
    response_max_bytes: usize,
    metrics: Arc<LensesMetrics>,
}

impl Client {
    /// Makes the client. Connects to nothing.
    ///
    /// # Errors
    ///
    /// [`ClientError`], when an address or the TLS configuration can't be used.
    pub fn new(options: Options) -> Result<Self, ClientError> {
        let Options {
            url,
            websocket_url,
            tls,
            proxies,
            request_timeout,
            response_max_bytes,
            metrics,
        } = options;
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
            return Err(ClientError::Url { url: url.into() });
        }
        let http = proxies
            .apply(reqwest::Client::builder())
            .map_err(ClientError::Http)?
            .tls_backend_preconfigured(tls)
            .user_agent(USER_AGENT)
            .redirect(reqwest::redirect::Policy::none())
            .http1_only()
            .referer(false)
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(request_timeout)
            .pool_max_idle_per_host(IDLE_CONNECTIONS)
            .pool_idle_timeout(IDLE_TIMEOUT)
            .build()
            .map_err(ClientError::Http)?;
        Ok(Self(Arc::new(Shared {
            url,
            websocket_url,
            proxies,
            http,
            request_timeout,
            response_max_bytes,
            metrics,
        })))
    }

    /// HQ as `identity` may see and change it.
    ///
    /// The bytes of its replies are added to `bytes`. HQ is told `origin`.
    #[must_use]
    pub fn as_caller(&self, identity: &Identity, bytes: Arc<Held>, origin: Origin) -> CallerClient {
        CallerClient {
            client: self.clone(),
            credential: identity.lenses_credential.clone(),
            bytes,
            is_refused: Arc::default(),
            origin: Arc::new(origin),
        }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("url", &self.0.url.as_str()).finish_non_exhaustive()
    }
}

/// Lenses HQ with the credential of one caller.
#[derive(Debug, Clone)]
pub struct CallerClient {
    client: Client,
    credential: Arc<SecretString>,
    bytes: Arc<Held>,
    /// Whether HQ refused the credential; shared by all clones.
    is_refused: Arc<AtomicBool>,
    origin: Arc<Origin>,
}

impl CallerClient {
    /// Whether HQ has answered a request of this client with 401.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        self.is_refused.load(Ordering::Relaxed)
    }

    /// Starts a path under the address of HQ. `path` is fixed text; what users name is added with
    /// [`Endpoint::name`].
    fn endpoint(&self, path: &'static str) -> Endpoint {
        Endpoint::under(&self.client.0.url).path(path)
    }

    /// Starts a path of the agent behind `environment`, which HQ proxies.
    fn agent(&self, environment: &Name, path: &'static str) -> Endpoint {
        self.endpoint("api/v1/environments").name(environment).path("proxy").path(path)
    }

    /// As [`Self::agent`], for a websocket.
    fn agent_websocket(&self, environment: &Name, path: &'static str) -> Endpoint {
        let endpoint = Endpoint::under(&self.client.0.websocket_url).path("api/v1/environments");
        endpoint.name(environment).path("proxy").path(path)
    }

    /// Gets a text as it is, whatever it looks like.
    async fn text(&self, operation: &'static str, endpoint: Endpoint) -> Result<String, Error> {
        self.measured(operation, async {
            let response = self.request(Method::GET, endpoint, ACCEPTED_TEXT, NO_BODY).await?;
            body::read_text(response, &self.bounds()).await
        })
        .await
    }

    /// Gets the last `bytes` of a text of any length.
    async fn tail(
        &self,
        operation: &'static str,
        endpoint: Endpoint,
        bytes: usize,
    ) -> Result<Tail, Error> {
        self.measured(operation, async {
            let response = self.request(Method::GET, endpoint, ACCEPTED_TEXT, NO_BODY).await?;
            body::read_tail(response, bytes, &self.bounds()).await
        })
        .await
    }

    /// What bounds the body of a reply.
    fn bounds(&self) -> Bounds<'_> {
        let limit = self.client.0.response_max_bytes;
        Bounds { limit, bytes: &self.bytes, credential: &self.credential }
    }

    async fn request(
        &self,
        method: Method,
        endpoint: Endpoint,
        accepted: &'static str,
        body: Option<&impl serde::Serialize>,
    ) -> Result<reqwest::Response, ReadError> {
        let bearer = self.bearer().map_err(ReadError::Reply)?;
        let expects_body = matches!(method, Method::PUT | Method::POST | Method::PATCH);
        let mut request = self
            .client
            .0
            .http
            .request(method, endpoint.http())
            .header(AUTHORIZATION, bearer)
            .header(ACCEPT, accepted);
        if let Some(body) = body {
            request = request.json(body);
        } else if expects_body {
            // Servers may refuse one that does not say that it has no body (RFC 9110 §8.6).
            request = request.header(CONTENT_LENGTH, 0);
        }
        request.headers(self.origin.headers()).send().await.map_err(ReadError::Transport)
    }

    async fn measured<T>(
        &self,
        operation: &'static str,
        call: impl Future<Output = Result<T, ReadError>>,
    ) -> Result<T, Error> {
        let measured = self.measure(operation);
        let result = call.instrument(measured.span.clone()).await.map_err(|error| match error {
            ReadError::Reply(error) => error,
            ReadError::Transport(error) => self.transport_error(error),
        });
        if let Err(Error::Unauthorized(_)) = result {
            self.is_refused.store(true, Ordering::Relaxed);
        }
        measured.finish(result.as_ref().err());
        result
    }

    fn bearer(&self) -> Result<HeaderValue, Error> {
        let mut value =
            HeaderValue::from_str(&format!("Bearer {}", self.credential.expose_secret()))
                .map_err(|_| Error::Credential)?;
        value.set_sensitive(true);
        Ok(value)
    }

    fn transport_error(&self, error: reqwest::Error) -> Error {
        if error.is_timeout() && !error.is_connect() {
            return Error::TimedOut { after: self.client.0.request_timeout };
        }
        let is_connect = error.is_connect();
        // The address is the operator's business, not the model's.
        let reason = chain(&error.without_url());
        if is_connect { Error::Unreachable { reason } } else { Error::Interrupted { reason } }
    }

    fn measure(&self, operation: &'static str) -> Measured<'_> {
        Measured::start(&self.client.0.metrics, operation)
    }
}
