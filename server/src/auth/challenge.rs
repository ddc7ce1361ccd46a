//! Why a request is refused, and the answer that tells a client what to do about it.

use std::{num::NonZeroU32, time::Duration};

use axum::response::{IntoResponse, Response};
use http::{
    HeaderValue, StatusCode,
    header::{CACHE_CONTROL, RETRY_AFTER, WWW_AUTHENTICATE},
};
use serde::Serialize;

use super::{SignIn as Outcome, bearer::TOKEN_MAX, rejection::Rejection};
use crate::scope::ScopeSet;

/// When a client should try again after HQ could not be asked.
const RETRY_UNAVAILABLE: Duration = Duration::from_secs(5);
/// When a client should try again after HQ was asked too much at a time for its address.
const RETRY_BUSY: Duration = Duration::from_secs(1);

/// Why a request is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AuthError {
    /// No credential: the start of each sign-in.
    #[error("sign in: this server takes an access token in the Authorization header, as Bearer")]
    Missing,
    /// No credential, where callers share a token and there is nothing to sign in to.
    #[error(
        "this server has no sign-in of its own: ask its operator for the token that callers share, \
         and send it in the Authorization header, as Bearer"
    )]
    MissingShared,
    /// The `Authorization` header is not one credential.
    #[error("the Authorization header is malformed: {0}")]
    Malformed(&'static str),
    /// The token is longer than any that this server reads.
    #[error("the access token is longer than {TOKEN_MAX} bytes; ask HQ for a shorter one")]
    TokenTooLong,
    /// The token is not taken.
    #[error(transparent)]
    Invalid(Rejection),
    /// The token is good, but not for this call.
    #[error("this call needs the scope \"{needed}\"; the token holds \"{held}\"")]
    InsufficientScope {
        /// All scopes that the call needs.
        needed: ScopeSet,
        /// Those that the token holds.
        held: ScopeSet,
    },
    /// The token is good, but its application may not call here.
    #[error(
        "this server takes calls of listed applications only, and client id \"{client_id}\" is not \
         among them (MCP_ALLOWED_CLIENTS); ask whoever runs this server to add it"
    )]
    ClientNotAllowed {
        /// The application's client id, cut; empty if the token has none.
        client_id: String,
    },
    /// HQ could not be asked about the token, which may well be good.
    #[error("Lenses HQ can't be asked about the token at the moment; keep the token and try again")]
    Unavailable,
    /// The client's address showed too many tokens that HQ refused. HQ was not asked about this
    /// one.
    #[error(
        "too many failed sign-ins from this address: this server takes {per_minute} a minute; \
         keep the token and try again in {} s",
        seconds(*.wait)
    )]
    TooManyFailures {
        /// Failed sign-ins that are allowed in a minute.
        per_minute: NonZeroU32,
        /// When HQ is asked again for the address.
        wait: Duration,
    },
    /// HQ is asked about too many tokens of the client's address at a time.
    #[error(
        "too many tokens from this address are being checked at a time; keep the token and try \
         again"
    )]
    AddressBusy,
}

impl AuthError {
    pub(super) fn outcome(&self) -> Outcome {
        match self {
            Self::Missing | Self::MissingShared => Outcome::Missing,
            Self::Malformed(_) => Outcome::Malformed,
            Self::Invalid(_) => Outcome::Invalid,
            Self::InsufficientScope { .. } => Outcome::InsufficientScope,
            Self::ClientNotAllowed { .. } => Outcome::ClientNotAllowed,
            Self::Unavailable => Outcome::Unavailable,
            Self::TokenTooLong => Outcome::TokenTooLong,
            Self::TooManyFailures { .. } => Outcome::TooManyFailures,
            Self::AddressBusy => Outcome::AddressBusy,
        }
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::Missing | Self::MissingShared | Self::Invalid(_) => StatusCode::UNAUTHORIZED,
            Self::Malformed(_) => StatusCode::BAD_REQUEST,
            Self::InsufficientScope { .. } | Self::ClientNotAllowed { .. } => StatusCode::FORBIDDEN,
            Self::Unavailable | Self::AddressBusy => StatusCode::SERVICE_UNAVAILABLE,
            Self::TokenTooLong => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Self::TooManyFailures { .. } => StatusCode::TOO_MANY_REQUESTS,
        }
    }

    /// The error code of RFC 6750 §3.1, which a challenge holds only where a credential was tried,
    /// or of RFC 6749 §4.1.2.1.
    fn code(&self) -> &'static str {
        match self {
            Self::Missing | Self::MissingShared => "authentication_required",
            Self::Malformed(_) | Self::TokenTooLong => "invalid_request",
            Self::Invalid(_) => "invalid_token",
            Self::InsufficientScope { .. } => "insufficient_scope",
            Self::ClientNotAllowed { .. } => "access_denied",
            Self::Unavailable | Self::TooManyFailures { .. } | Self::AddressBusy => {
                "temporarily_unavailable"
            }
        }
    }

    /// When to try again with the same token, if that helps.
    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Unavailable => Some(RETRY_UNAVAILABLE),
            Self::AddressBusy => Some(RETRY_BUSY),
            Self::TooManyFailures { wait, .. } => Some(*wait),
            _ => None,
        }
    }

    /// The whole answer. With `metadata_url` a client can find the authorization server (RFC 9728
    /// §5.1) and is told which scopes to ask for: all that are `offered` at first, because the user
    /// narrows them on HQ's consent page and not every client can step up; and for a call that
    /// needs more than the token holds, both together, so that no scope is lost by stepping up.
    pub(super) fn respond(&self, metadata_url: Option<&str>, offered: ScopeSet) -> Response {
        #[derive(Serialize)]
        struct Body<'a> {
            error: &'a str,
            error_description: String,
        }
        let body = Body { error: self.code(), error_description: self.to_string() };
        let mut response = (self.status(), axum::Json(body)).into_response();
        let headers = response.headers_mut();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(wait) = self.retry_after() {
            headers.insert(RETRY_AFTER, seconds(wait).into());
        } else if matches!(self, Self::TokenTooLong | Self::ClientNotAllowed { .. }) {
            // No challenge: to sign in again would lead to the same.
        } else if let Ok(challenge) = HeaderValue::try_from(self.challenge(metadata_url, offered)) {
            headers.insert(WWW_AUTHENTICATE, challenge);
        }
        response
    }

    /// `WWW-Authenticate`. Nothing in it needs escaping: the URL was checked for quotes, and what a
    /// rejection quotes of HQ's reply holds none.
    fn challenge(&self, metadata_url: Option<&str>, offered: ScopeSet) -> String {
        let mut parameters = Vec::new();
        if !matches!(self, Self::Missing | Self::MissingShared) {
            let description = self.to_string().replace('"', "'");
            parameters
                .push(format!("error=\"{}\", error_description=\"{description}\"", self.code()));
        }
        match (metadata_url, self) {
            (Some(url), Self::InsufficientScope { needed, held }) => {
                parameters.push(format!(
                    "scope=\"{}\", resource_metadata=\"{url}\"",
                    needed.union(*held)
                ));
            }
            (Some(url), _) => {
                parameters.push(format!("resource_metadata=\"{url}\", scope=\"{offered}\""));
            }
            (None, _) => parameters.push("realm=\"lenses-mcp\"".to_owned()),
        }
        format!("Bearer {}", parameters.join(", "))
    }
}

/// Whole seconds, at least one: `Retry-After` has no fractions (RFC 9110 §10.2.3).
fn seconds(wait: Duration) -> u64 {
    (wait.as_secs() + u64::from(wait.subsec_nanos() > 0)).max(1)
}
