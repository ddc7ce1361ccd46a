//! HQ's metadata as authorization server (RFC 8414): read on the inside address when it is first
//! needed, never at start.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::StatusCode;
use lenses_mcp_oauth::locations;
use moka::{Expiry, future::Cache};
use serde::Deserialize;
use url::Url;

use super::back_channel::{self, BackChannel, NoReply};
use crate::lenses::{LensesMetrics, LensesOutcome};

/// How long metadata is believed, and that there is none. Short, so that a change in HQ arrives
/// within minutes.
const KEPT: Duration = Duration::from_mins(5);
/// How long a failure is told again without asking.
const FAILURE_KEPT: Duration = Duration::from_secs(1);
/// Requests for metadata, in the metrics.
const OPERATION: &str = "authorization_server_metadata";

/// The metadata (RFC 8414 §2): what is read of it, and all of it as HQ wrote it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct ServerMetadata {
    /// Clients refuse any other than the one that they were told.
    pub(crate) issuer: String,
    /// Where tokens are exchanged.
    #[serde(default)]
    pub(crate) token_endpoint: Option<String>,
    /// Where clients register themselves (RFC 7591).
    #[serde(default)]
    pub(crate) registration_endpoint: Option<String>,
    /// Whether a client may be named by the URL of its own metadata (Client ID Metadata Documents),
    /// and so need not be registered.
    #[serde(default)]
    pub(crate) client_id_metadata_document_supported: Option<bool>,
    /// PKCE methods (RFC 7636).
    #[serde(default)]
    pub(crate) code_challenge_methods_supported: Vec<String>,
    /// Grants.
    #[serde(default)]
    pub(crate) grant_types_supported: Vec<String>,
    /// The whole document, at most 64 KiB, for those who ask for it here.
    #[serde(skip)]
    pub(crate) document: Bytes,
}

/// Why there is no metadata.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum MetadataError {
    /// 404, 410: HQ's authorization server is off.
    #[error(
        "Lenses HQ has no authorization server metadata at {url}; set \
         auth.oauth2.authorizationServer.enabled: true in HQ"
    )]
    Absent {
        /// Where it was looked for last.
        url: Url,
    },
    /// An answer that is no metadata.
    #[error(
        "{url} was answered with {status} and no authorization server metadata; check LENSES_URL"
    )]
    Unreadable {
        /// The status.
        status: StatusCode,
        /// Where it was looked for.
        url: Url,
    },
    /// 5xx.
    #[error("{url} was answered with {status}; see HQ's log")]
    Failed {
        /// The status.
        status: StatusCode,
        /// Where it was looked for.
        url: Url,
    },
    /// No reply in time.
    #[error("{url} took longer than {} s", back_channel::TIMEOUT.as_secs())]
    TimedOut {
        /// Where it was looked for.
        url: Url,
    },
    /// No connection, or it broke.
    #[error("{url} could not be reached: {cause}")]
    Unreachable {
        /// Where it was looked for.
        url: Url,
        /// Why, down to the system's own words.
        cause: String,
    },
}

impl MetadataError {
    /// Whether HQ has said that there is none, rather than nothing.
    pub(super) fn is_an_answer(&self) -> bool {
        matches!(self, Self::Absent { .. } | Self::Unreadable { .. })
    }

    fn outcome(&self) -> LensesOutcome {
        match self {
            Self::Absent { .. } => LensesOutcome::Rejected,
            Self::Unreadable { .. } => LensesOutcome::Unreadable,
            Self::Failed { .. } => LensesOutcome::ServerError,
            Self::TimedOut { .. } => LensesOutcome::TimedOut,
            Self::Unreachable { .. } => LensesOutcome::Unreachable,
        }
    }
}

/// What was found.
pub(crate) type Found = Result<Arc<ServerMetadata>, Arc<MetadataError>>;

/// Reads HQ's metadata and keeps it for a while.
#[derive(Debug)]
pub(crate) struct MetadataReader {
    back_channel: BackChannel,
    url: Url,
    /// Where it is looked for when it is not at `url`.
    other_urls: Vec<Url>,
    /// One entry. moka, because it lets one of many callers ask for all.
    kept: Cache<(), Found>,
    metrics: Arc<LensesMetrics>,
}

impl MetadataReader {
    /// Reads below `lenses_url` the metadata of `issuer`.
    pub(super) fn new(
        lenses_url: &Url,
        issuer: &str,
        back_channel: BackChannel,
        metrics: Arc<LensesMetrics>,
    ) -> Self {
        let kept = Cache::builder().max_capacity(1).expire_after(MetadataLifetime).build();
        let (url, other_urls) = locations(lenses_url, issuer);
        Self { back_channel, url, other_urls, kept, metrics }
    }

    /// The metadata, from memory or from HQ.
    pub(super) async fn get(&self) -> Found {
        let read = async {
            let found = self.read().await;
            if let Err(error) = &found {
                tracing::warn!(%error, "there is no authorization server metadata");
            }
            found
        };
        self.kept.get_with((), read).await
    }

    /// The metadata as it is now.
    pub(crate) async fn refresh(&self) -> Found {
        let found = self.read().await;
        self.kept.insert((), found.clone()).await;
        found
    }

    async fn read(&self) -> Found {
        let started = Instant::now();
        let found = self.read_first().await;
        let outcome =
            found.as_ref().map_or_else(MetadataError::outcome, |_| LensesOutcome::Success);
        self.metrics.lenses_called(OPERATION, outcome, started.elapsed(), None);
        found.map(Arc::new).map_err(Arc::new)
    }

    async fn read_first(&self) -> Result<ServerMetadata, MetadataError> {
        let mut found = self.read_at(&self.url).await;
        for url in &self.other_urls {
            if !matches!(found, Err(MetadataError::Absent { .. })) {
                break;
            }
            found = self.read_at(url).await;
        }
        found
    }

    async fn read_at(&self, url: &Url) -> Result<ServerMetadata, MetadataError> {
        let url = url.clone();
        let reply = match self.back_channel.get(&url, None).await {
            Ok(reply) => reply,
            Err(NoReply::TimedOut) => return Err(MetadataError::TimedOut { url }),
            Err(NoReply::Untrusted { cause } | NoReply::Unreachable { cause }) => {
                return Err(MetadataError::Unreachable { url, cause });
            }
        };
        match reply.status {
            StatusCode::NOT_FOUND | StatusCode::GONE => Err(MetadataError::Absent { url }),
            status if status.is_server_error() => Err(MetadataError::Failed { status, url }),
            StatusCode::OK => match reply.json() {
                Some(metadata) => Ok(ServerMetadata { document: reply.body.into(), ..metadata }),
                None => Err(MetadataError::Unreadable { status: StatusCode::OK, url }),
            },
            status => Err(MetadataError::Unreadable { status, url }),
        }
    }
}

/// How long each finding is kept.
struct MetadataLifetime;

impl Expiry<(), Found> for MetadataLifetime {
    fn expire_after_create(&self, (): &(), found: &Found, _: Instant) -> Option<Duration> {
        Some(match found {
            Err(error) if !error.is_an_answer() => FAILURE_KEPT,
            _ => KEPT,
        })
    }

    fn expire_after_update(
        &self,
        (): &(),
        found: &Found,
        now: Instant,
        _: Option<Duration>,
    ) -> Option<Duration> {
        self.expire_after_create(&(), found, now)
    }
}
