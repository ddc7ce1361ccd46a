//! Asking HQ about a token: RFC 7662, on the inside address, within bounds.

mod reply;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use http::{
    HeaderValue, StatusCode,
    header::{ACCEPT, AUTHORIZATION},
};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

pub(super) use self::reply::Reply;
use crate::{
    metrics::{Introspection as Outcome, Metrics},
    settings::{ClientCredentials, Introspection},
};

/// Longest time that HQ may take, connecting included. A caller waits for it with each call.
const TIMEOUT: Duration = Duration::from_secs(5);
/// How long an idle connection is kept: less than the idle limits of common proxies and servers.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);
/// Largest reply that is read, in bytes.
const REPLY_MAX: usize = 64 * 1024;

/// Why HQ's word on a token could not be had. None of these says anything about the token.
#[derive(Debug, thiserror::Error)]
pub enum IntrospectionError {
    /// HQ wants client authentication and none is configured.
    #[error(
        "Lenses HQ refuses introspection without client authentication ({status} from {url}); set \
         auth.oauth2.authorizationServer.unauthenticatedIntrospection: true in HQ, or INTROSPECTION_CLIENT_ID and \
         INTROSPECTION_CLIENT_SECRET here"
    )]
    Unauthenticated {
        /// 401 or 403.
        status: StatusCode,
        /// The endpoint.
        url: Url,
    },
    /// HQ does not take the configured client.
    #[error(
        "Lenses HQ refuses introspection to the client of INTROSPECTION_CLIENT_ID ({status} from {url}); correct it and \
         its secret, or set auth.oauth2.authorizationServer.unauthenticatedIntrospection: true in HQ and leave them out"
    )]
    ClientRefused {
        /// 401 or 403.
        status: StatusCode,
        /// The endpoint.
        url: Url,
    },
    /// Another status than 200. A redirect is one: it is not followed, because it would carry the token elsewhere.
    #[error("introspection was answered with {status} by {url}; check INTROSPECTION_URL (LENSES_URL) and HQ's log")]
    Status {
        /// The status.
        status: StatusCode,
        /// The endpoint.
        url: Url,
    },
    /// 200, but no introspection reply.
    #[error("introspection at {url} was answered with something that is no RFC 7662 reply; check INTROSPECTION_URL")]
    Unreadable {
        /// The endpoint.
        url: Url,
    },
    /// No reply in time.
    #[error("introspection at {url} took longer than {} s", TIMEOUT.as_secs())]
    TimedOut {
        /// The endpoint.
        url: Url,
    },
    /// The process is stopping, or the task that asked failed.
    #[error("introspection was abandoned")]
    Abandoned,
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
            Self::Unreachable { .. } | Self::Abandoned => Outcome::Unreachable,
        }
    }
}

/// The client of the introspection endpoint.
#[derive(Debug)]
pub struct Introspector {
    http: reqwest::Client,
    url: Url,
    authorization: Option<HeaderValue>,
    metrics: Arc<Metrics>,
}

impl Introspector {
    /// Makes the client. Connects to nothing.
    ///
    /// # Errors
    ///
    /// When the HTTP client can't be set up.
    pub fn new(
        settings: &Introspection,
        tls: rustls::ClientConfig,
        metrics: Arc<Metrics>,
    ) -> Result<Self, reqwest::Error> {
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .http1_only()
            .referer(false)
            .timeout(TIMEOUT)
            .pool_idle_timeout(IDLE_TIMEOUT)
            .build()?;
        let authorization = settings.client.as_ref().and_then(basic);
        Ok(Self { http, url: settings.url.clone(), authorization, metrics })
    }

    /// HQ's word on `token`.
    ///
    /// # Errors
    ///
    /// [`IntrospectionError`], when there is none.
    pub(super) async fn introspect(&self, token: &SecretString) -> Result<Reply, IntrospectionError> {
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

    async fn ask(&self, token: &SecretString) -> Result<Reply, IntrospectionError> {
        let form = [("token", token.expose_secret()), ("token_type_hint", "access_token")];
        let mut request = self.http.post(self.url.clone()).header(ACCEPT, "application/json").form(&form);
        if let Some(authorization) = &self.authorization {
            request = request.header(AUTHORIZATION, authorization.clone());
        }
        let mut response = request.send().await.map_err(|error| self.broken(&error))?;
        let (status, url) = (response.status(), self.url.clone());
        match (status, &self.authorization) {
            (StatusCode::OK, _) => {}
            (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN, None) => {
                return Err(IntrospectionError::Unauthenticated { status, url });
            }
            (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN, Some(_)) => {
                return Err(IntrospectionError::ClientRefused { status, url });
            }
            _ => return Err(IntrospectionError::Status { status, url }),
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.broken(&error))? {
            if body.len() + chunk.len() > REPLY_MAX {
                return Err(IntrospectionError::Unreadable { url });
            }
            body.extend_from_slice(&chunk);
        }
        // The parser's error may quote the reply, which is about the user: it is not passed on.
        serde_json::from_slice(&body).map_err(|_| IntrospectionError::Unreadable { url })
    }

    fn broken(&self, error: &reqwest::Error) -> IntrospectionError {
        let url = self.url.clone();
        if error.is_timeout() {
            IntrospectionError::TimedOut { url }
        } else {
            IntrospectionError::Unreachable { url, cause: innermost(error).to_string() }
        }
    }
}

/// The first cause of `error`: what is around it only says that a request failed.
fn innermost<'a>(error: &'a (dyn std::error::Error + 'static)) -> &'a (dyn std::error::Error + 'static) {
    error.source().map_or(error, innermost)
}

/// HTTP Basic with both halves form-encoded first, as RFC 6749 §2.3.1 has it.
fn basic(client: &ClientCredentials) -> Option<HeaderValue> {
    let encoded = |secret: &SecretString| {
        url::form_urlencoded::byte_serialize(secret.expose_secret().as_bytes()).collect::<String>()
    };
    let credentials = BASE64_STANDARD.encode(format!("{}:{}", encoded(&client.id), encoded(&client.secret)));
    let mut header = HeaderValue::try_from(format!("Basic {credentials}")).ok()?;
    header.set_sensitive(true);
    Some(header)
}
