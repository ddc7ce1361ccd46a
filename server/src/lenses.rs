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
mod caller_client;
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

use std::{fmt, sync::Arc, time::Duration};

use url::Url;

pub use self::{
    advice::Intent,
    approvals::{ApprovalQuery, ApprovalSort, ApprovalStatus, TopicRequest},
    body::Tail,
    caller_client::CallerClient,
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
