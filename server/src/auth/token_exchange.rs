//! A token of HQ's own for a caller's token (RFC 8693), where HQ offers that: so that what callers
//! show here opens nothing else, and what opens HQ never was in a client's hands.

mod error;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use http::{HeaderValue, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use url::Url;

pub(crate) use self::error::ExchangeError;
use super::{
    back_channel::{BackChannel, NoReply},
    server_metadata::{MetadataError, MetadataReader, ServerMetadata},
};
use crate::{
    lenses::{LensesMetrics, LensesOutcome},
    scope::ScopeSet,
    settings::{ClientCredentials, OAuth, TokenExchange},
};

/// The grant type (RFC 8693 §2.1).
const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
/// The kind of both tokens (RFC 8693 §3).
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
/// Longest error code of HQ's that is logged, in bytes.
const CODE_MAX: usize = 64;
/// Exchanges, in the metrics.
const OPERATION: &str = "token_exchange";

/// A token that HQ issued to this server for a caller.
#[derive(Debug)]
pub(super) struct Exchanged {
    pub(super) token: Arc<SecretString>,
    /// How long it is good, where HQ says so.
    pub(super) expires_in: Option<Duration>,
}

/// Whether and how tokens are exchanged.
#[derive(Debug)]
pub(super) struct Exchanger {
    back_channel: BackChannel,
    lenses_url: Url,
    /// HQ's issuer, which stands for its API.
    issuer: String,
    authorization: HeaderValue,
    required: bool,
    metrics: Arc<LensesMetrics>,
}

impl Exchanger {
    /// The exchanger that `oauth` asks for: none when it is off, or when there is no client to
    /// authenticate as.
    pub(super) fn new(
        oauth: &OAuth,
        lenses_url: &Url,
        back_channel: BackChannel,
        metrics: Arc<LensesMetrics>,
    ) -> Option<Self> {
        let required = match oauth.token_exchange {
            TokenExchange::Off => return None,
            TokenExchange::Auto => false,
            TokenExchange::Required => true,
        };
        let authorization =
            oauth.introspection.client.as_ref().and_then(ClientCredentials::basic)?;
        let (lenses_url, issuer) = (lenses_url.clone(), oauth.issuer.clone());
        Some(Self { back_channel, lenses_url, issuer, authorization, required, metrics })
    }

    /// Where tokens are exchanged; `None` where HQ offers no exchange and none is required.
    pub(super) fn endpoint(
        &self,
        found: Result<&ServerMetadata, &Arc<MetadataError>>,
    ) -> Result<Option<Url>, ExchangeError> {
        let offered = match found {
            Ok(metadata) => metadata.offers_token_exchange().map(|endpoint| (metadata, endpoint)),
            Err(error) if error.is_an_answer() => None,
            Err(error) => return Err(error.clone().into()),
        };
        match offered {
            Some((metadata, endpoint)) => {
                match inside(endpoint, &metadata.issuer, &self.lenses_url) {
                    Some(url) => Ok(Some(url)),
                    None => Err(ExchangeError::ForeignEndpoint { issuer: metadata.issuer.clone() }),
                }
            }
            None if self.required => Err(ExchangeError::NotOffered),
            None => Ok(None),
        }
    }

    /// A token with `scopes` for the API of HQ, in place of `token`; `None` where tokens are not
    /// exchanged.
    ///
    /// # Errors
    ///
    /// [`ExchangeError`]: the token is then not passed on either.
    pub(super) async fn exchange(
        &self,
        token: &SecretString,
        scopes: ScopeSet,
        metadata: &MetadataReader,
    ) -> Result<Option<Exchanged>, ExchangeError> {
        let found = metadata.get().await;
        let Some(url) = self.endpoint(found.as_deref())? else { return Ok(None) };
        let started = Instant::now();
        let result = self.ask(url, token, scopes).await;
        let outcome =
            result.as_ref().map_or_else(ExchangeError::outcome, |_| LensesOutcome::Success);
        self.metrics.lenses_called(OPERATION, outcome, started.elapsed(), None);
        result.map(Some)
    }

    async fn ask(
        &self,
        url: Url,
        token: &SecretString,
        scopes: ScopeSet,
    ) -> Result<Exchanged, ExchangeError> {
        #[derive(Deserialize)]
        struct Issued {
            access_token: String,
            token_type: String,
            expires_in: Option<u64>,
        }
        #[derive(Deserialize)]
        struct Refused {
            error: String,
        }
        let scope = scopes.to_string();
        let mut form = vec![
            ("grant_type", GRANT_TYPE),
            ("subject_token", token.expose_secret()),
            ("subject_token_type", ACCESS_TOKEN),
            ("requested_token_type", ACCESS_TOKEN),
            ("resource", &self.issuer),
        ];
        if !scopes.is_empty() {
            form.push(("scope", &scope));
        }
        let reply = match self.back_channel.post(&url, &form, Some(&self.authorization)).await {
            Ok(reply) => reply,
            Err(NoReply::TimedOut) => return Err(ExchangeError::TimedOut { url }),
            Err(NoReply::Untrusted { cause } | NoReply::Unreachable { cause }) => {
                return Err(ExchangeError::Unreachable { url, cause });
            }
        };
        match reply.status {
            StatusCode::OK => match reply.json::<Issued>() {
                // What can't stand in a header is no token.
                Some(issued)
                    if issued.token_type.eq_ignore_ascii_case("bearer")
                        && is_sendable(&issued.access_token) =>
                {
                    Ok(Exchanged {
                        token: Arc::new(SecretString::from(issued.access_token)),
                        expires_in: issued.expires_in.map(Duration::from_secs),
                    })
                }
                _ => Err(ExchangeError::Unreadable { url }),
            },
            status if status.is_server_error() => Err(ExchangeError::Failed { status, url }),
            status => {
                let code = reply
                    .json::<Refused>()
                    .map(|refused| refused.error)
                    .filter(|code| is_code(code));
                Err(ExchangeError::Refused {
                    status,
                    code: code.unwrap_or_else(|| "no error code".to_owned()),
                    url,
                })
            }
        }
    }
}

impl ServerMetadata {
    /// The token endpoint, if tokens can be exchanged there.
    pub(crate) fn offers_token_exchange(&self) -> Option<&str> {
        let offered = self.grant_types_supported.iter().any(|grant| grant == GRANT_TYPE);
        self.token_endpoint.as_deref().filter(|_| offered)
    }
}

/// `endpoint` on the inside address: metadata names the outside one. `None` for what is not below
/// `issuer`.
fn inside(endpoint: &str, issuer: &str, lenses_url: &Url) -> Option<Url> {
    let path =
        endpoint.strip_prefix(issuer.trim_end_matches('/')).filter(|path| path.starts_with('/'))?;
    Url::parse(&format!("{}{path}", lenses_url.as_str().trim_end_matches('/'))).ok()
}

fn is_sendable(token: &str) -> bool {
    !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic())
}

/// An error code (RFC 6749 §5.2) that may be logged: a word, so that it can hold nothing else.
fn is_code(text: &str) -> bool {
    (1..=CODE_MAX).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_endpoint_uses_the_internal_address_only_if_it_is_hqs() {
        for (endpoint, issuer, lenses_url, expected) in [
            (
                "https://l.example.com/oauth2/token",
                "https://l.example.com",
                "http://hq:9991",
                "http://hq:9991/oauth2/token",
            ),
            (
                "https://l.example.com/oauth2/token",
                "https://l.example.com/",
                "http://hq/x/",
                "http://hq/x/oauth2/token",
            ),
            (
                "https://l.example.com/hq/t?a=b",
                "https://l.example.com/hq",
                "https://in:1",
                "https://in:1/t?a=b",
            ),
            ("https://evil.example.com/oauth2/token", "https://l.example.com", "http://hq", ""),
            ("https://l.example.com.evil.example/t", "https://l.example.com", "http://hq", ""),
            ("https://l.example.com@evil.example/t", "https://l.example.com", "http://hq", ""),
            ("https://l.example.com", "https://l.example.com", "http://hq", ""),
            ("/oauth2/token", "https://l.example.com", "http://hq", ""),
        ] {
            let url = inside(endpoint, issuer, &lenses_url.parse().unwrap());
            assert_eq!(url.as_ref().map_or("", Url::as_str), expected, "{endpoint}");
        }
    }
}
