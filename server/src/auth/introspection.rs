//! Asking HQ about a token: RFC 7662, on the inside address, within bounds.

mod reply;

use std::{sync::Arc, time::Instant};

use http::{HeaderValue, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

pub(super) use self::reply::IntrospectionResponse;
use super::{
    AuthMetrics, Introspection as Outcome,
    back_channel::{self, BackChannel, NoReply},
};
use crate::settings::{ClientCredentials, Introspection};

/// Why HQ's word on a token could not be had. None of these says anything about the token.
#[derive(Debug, thiserror::Error)]
pub enum IntrospectionError {
    /// HQ wants client authentication and none is configured.
    #[error(
        "Lenses HQ refuses introspection without client authentication ({status} from {url}); set \
         auth.oauth2.authorizationServer.unauthenticatedIntrospection: true in HQ, or \
         INTROSPECTION_CLIENT_ID and INTROSPECTION_CLIENT_SECRET here"
    )]
    Unauthenticated {
        /// 401 or 403.
        status: StatusCode,
        /// The endpoint.
        url: Url,
    },
    /// HQ does not take the configured client.
    #[error(
        "Lenses HQ refuses introspection to the client of INTROSPECTION_CLIENT_ID ({status} from \
         {url}); correct it and its secret, or set \
         auth.oauth2.authorizationServer.unauthenticatedIntrospection: true in HQ and leave them \
         out"
    )]
    ClientRefused {
        /// 401 or 403.
        status: StatusCode,
        /// The endpoint.
        url: Url,
    },
    /// Another status than 200. A redirect is one: it is not followed, because it would carry the
    /// token elsewhere.
    #[error(
        "introspection was answered with {status} by {url}; check INTROSPECTION_URL (LENSES_URL) \
         and HQ's log"
    )]
    Status {
        /// The status.
        status: StatusCode,
        /// The endpoint.
        url: Url,
    },
    /// 200, but no introspection reply.
    #[error(
        "introspection at {url} was answered with something that is no RFC 7662 reply; check \
         INTROSPECTION_URL"
    )]
    Unreadable {
        /// The endpoint.
        url: Url,
    },
    /// No reply in time.
    #[error("introspection at {url} took longer than {} s", back_channel::TIMEOUT.as_secs())]
    TimedOut {
        /// The endpoint.
        url: Url,
    },
    /// No connection, or it broke.
    #[error("introspection at {url} could not be reached: {cause}")]
    Unreachable {
        /// The endpoint.
        url: Url,
        /// Why, down to the system's own words.
        cause: String,
    },
}

impl IntrospectionError {
    fn outcome(&self) -> Outcome {
        match self {
            Self::Unauthenticated { .. } | Self::ClientRefused { .. } => Outcome::Refused,
            Self::Status { .. } => Outcome::Error,
            Self::Unreadable { .. } => Outcome::Unreadable,
            Self::TimedOut { .. } => Outcome::TimedOut,
            Self::Unreachable { .. } => Outcome::Unreachable,
        }
    }
}

/// The client of the introspection endpoint.
#[derive(Debug)]
pub(super) struct Introspector {
    back_channel: BackChannel,
    url: Url,
    authorization: Option<HeaderValue>,
    metrics: Arc<AuthMetrics>,
}

impl Introspector {
    /// Asks as `settings` say.
    pub(super) fn new(
        settings: &Introspection,
        back_channel: BackChannel,
        metrics: Arc<AuthMetrics>,
    ) -> Self {
        let authorization = settings.client.as_ref().and_then(ClientCredentials::basic);
        Self { back_channel, url: settings.url.clone(), authorization, metrics }
    }

    /// HQ's word on `token`.
    ///
    /// # Errors
    ///
    /// [`IntrospectionError`], when there is none.
    pub(super) async fn introspect(
        &self,
        token: &SecretString,
    ) -> Result<IntrospectionResponse, IntrospectionError> {
        let started = Instant::now();
        let result = self.ask(token).await;
        let outcome = match &result {
            Ok(reply) if reply.active => Outcome::Active,
            Ok(_) => Outcome::Inactive,
            Err(error) => error.outcome(),
        };
        self.metrics.introspected(outcome, started.elapsed());
        result
    }

    async fn ask(&self, token: &SecretString) -> Result<IntrospectionResponse, IntrospectionError> {
        let form = [("token", token.expose_secret()), ("token_type_hint", "access_token")];
        let reply = self.back_channel.post(&self.url, &form, self.authorization.as_ref()).await;
        let url = self.url.clone();
        let reply = match reply {
            Ok(reply) => reply,
            Err(NoReply::TimedOut) => return Err(IntrospectionError::TimedOut { url }),
            Err(NoReply::Untrusted { cause } | NoReply::Unreachable { cause }) => {
                return Err(IntrospectionError::Unreachable { url, cause });
            }
        };
        match (reply.status, &self.authorization) {
            (StatusCode::OK, _) => reply.json().ok_or(IntrospectionError::Unreadable { url }),
            (status @ (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN), None) => {
                Err(IntrospectionError::Unauthenticated { status, url })
            }
            (status @ (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN), Some(_)) => {
                Err(IntrospectionError::ClientRefused { status, url })
            }
            (status, _) => Err(IntrospectionError::Status { status, url }),
        }
    }
}
