//! What a client is told when it does not get what it asked for.

use std::error::Error;

use rmcp::{
    ServiceError,
    service::ClientInitializeError,
    transport::{
        auth::{AuthError, WWWAuthenticateParams},
        streamable_http_client::{HttpStatusError, StreamableHttpError},
    },
};

use super::BrowserError;

/// Why a client did not get in or did not get its answer, told apart as a real client tells it
/// apart: by what to do next.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// 401: sign in (again). Holds the `WWW-Authenticate` value.
    #[error("the server asks for sign-in: {0}")]
    Challenge(String),
    /// 403 `insufficient_scope`: step up.
    #[error("the token lacks scope: the server asks for {scope:?}")]
    InsufficientScope {
        /// The challenge's `scope`: all that the call needs.
        scope: String,
        /// The whole `WWW-Authenticate` value.
        challenge: String,
    },
    /// Any other HTTP status that carries no MCP message.
    #[error("HTTP {status}, Retry-After {retry_after:?}")]
    Status {
        /// The status.
        status: u16,
        /// The `Retry-After` value as it came.
        retry_after: Option<String>,
    },
    /// A caller without a token was let in.
    #[error("the server let a caller without a token in")]
    TooOpen,
    /// The session holds no OAuth sign-in.
    #[error("this session was not made by signing in")]
    NotSignedIn,
    /// The person could not get through the forms.
    #[error(transparent)]
    Browser(#[from] BrowserError),
    /// An OAuth step failed.
    #[error("OAuth: {0}")]
    OAuth(#[from] AuthError),
    /// The connection could not be made.
    #[error("connecting: {}", chain(.0.as_ref()))]
    Connect(Box<ClientInitializeError>),
    /// An MCP call failed.
    #[error("call: {}", chain(.0.as_ref()))]
    Call(Box<ServiceError>),
    /// No HTTP client could be made.
    #[error("HTTP client: {0}")]
    HttpClient(#[source] reqwest::Error),
}

impl From<ClientInitializeError> for Refusal {
    fn from(error: ClientInitializeError) -> Self {
        match (error.auth_challenge().map(challenge), status(&error)) {
            (Some(refusal), _) | (None, Some(refusal)) => refusal,
            (None, None) => Self::Connect(Box::new(error)),
        }
    }
}

impl From<ServiceError> for Refusal {
    fn from(error: ServiceError) -> Self {
        match (error.auth_challenge().map(challenge), status(&error)) {
            (Some(refusal), _) | (None, Some(refusal)) => refusal,
            (None, None) => Self::Call(Box::new(error)),
        }
    }
}

fn challenge(header: &str) -> Refusal {
    let base = url::Url::parse("http://unused.invalid").ok();
    let parameters = base.map(|base| WWWAuthenticateParams::parse(header, &base));
    match parameters.filter(WWWAuthenticateParams::is_insufficient_scope) {
        Some(parameters) => Refusal::InsufficientScope {
            scope: parameters.scope.unwrap_or_default(),
            challenge: header.to_owned(),
        },
        None => Refusal::Challenge(header.to_owned()),
    }
}

/// The error with all that caused it: rmcp's own text names the transport, not the fault.
fn chain(error: &(dyn Error + 'static)) -> String {
    let causes =
        std::iter::successors(Some(beneath(error).unwrap_or(error)), |error| (*error).source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// The HTTP status at the root of `error`, if that is why it failed.
fn status(error: &(dyn Error + 'static)) -> Option<Refusal> {
    match beneath(error)?.downcast_ref::<StreamableHttpError<reqwest::Error>>()? {
        StreamableHttpError::HttpStatus(HttpStatusError { status, retry_after, .. }) => {
            Some(Refusal::Status { status: *status, retry_after: retry_after.clone() })
        }
        _ => None,
    }
}

/// What rmcp wraps without naming it as the source.
fn beneath<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    let transport = match (error.downcast_ref(), error.downcast_ref()) {
        (Some(ServiceError::TransportSend(transport)), _) => transport,
        (_, Some(ClientInitializeError::TransportError { error, .. })) => error,
        _ => return None,
    };
    Some(transport.error.as_ref())
}
