//! Why a token is not exchanged, and what the metrics call it.

use std::sync::Arc;

use http::StatusCode;
use url::Url;

use super::GRANT_TYPE;
use crate::{
    auth::{back_channel, server_metadata::MetadataError},
    lenses::LensesOutcome,
};

/// Why a token could not be exchanged. Unless HQ says that it is the token's fault, the caller's
/// token stays good.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ExchangeError {
    /// HQ could not be asked what it offers.
    #[error("whether Lenses HQ offers token exchange can't be told: {0}")]
    Metadata(#[from] Arc<MetadataError>),
    /// It is required and HQ does not offer it.
    #[error(
        "MCP_TOKEN_EXCHANGE=required, and Lenses HQ's metadata does not offer {GRANT_TYPE}; write \
         auto, or use an HQ that offers it"
    )]
    NotOffered,
    /// The endpoint is not HQ's: the token would go elsewhere.
    #[error(
        "the token endpoint in Lenses HQ's metadata is not below its issuer {issuer:?}; correct \
         HQ's issuerURL, or set MCP_TOKEN_EXCHANGE=off"
    )]
    ForeignEndpoint {
        /// HQ's issuer.
        issuer: String,
    },
    /// HQ does not exchange it.
    #[error(
        "Lenses HQ refuses token exchange ({status}, {code} from {url}); allow it to the client of \
         INTROSPECTION_CLIENT_ID in HQ, or set MCP_TOKEN_EXCHANGE=off"
    )]
    Refused {
        /// The status.
        status: StatusCode,
        /// The error code of RFC 6749 §5.2.
        code: String,
        /// The endpoint.
        url: Url,
    },
    /// 5xx.
    #[error("token exchange was answered with {status} by {url}; see HQ's log")]
    Failed {
        /// The status.
        status: StatusCode,
        /// The endpoint.
        url: Url,
    },
    /// 200, but no bearer token.
    #[error("token exchange at {url} was answered with something that is no bearer access token")]
    Unreadable {
        /// The endpoint.
        url: Url,
    },
    /// No reply in time.
    #[error("token exchange at {url} took longer than {} s", back_channel::TIMEOUT.as_secs())]
    TimedOut {
        /// The endpoint.
        url: Url,
    },
    /// No connection, or it broke.
    #[error("token exchange at {url} could not be reached: {cause}")]
    Unreachable {
        /// The endpoint.
        url: Url,
        /// Why, down to the system's own words.
        cause: String,
    },
}

impl ExchangeError {
    /// Whether HQ says that the caller's token is good no longer (RFC 6749 §5.2).
    pub(in crate::auth) fn is_of_the_token(&self) -> bool {
        matches!(self, Self::Refused { code, .. } if code == "invalid_grant")
    }

    pub(super) fn outcome(&self) -> LensesOutcome {
        match self {
            Self::Refused { status: StatusCode::UNAUTHORIZED, .. } => LensesOutcome::Unauthorized,
            Self::Refused { status: StatusCode::FORBIDDEN, .. } => LensesOutcome::Forbidden,
            Self::Refused { .. } | Self::NotOffered => LensesOutcome::Rejected,
            Self::Failed { .. } => LensesOutcome::ServerError,
            Self::Unreadable { .. } | Self::ForeignEndpoint { .. } => LensesOutcome::Unreadable,
            Self::TimedOut { .. } => LensesOutcome::TimedOut,
            Self::Unreachable { .. } | Self::Metadata(_) => LensesOutcome::Unreachable,
        }
    }
}
