//! Requests within bounds: so long, so large, never redirected, through no proxy but the spec's, on
//! connections that are not kept.

use std::{error::Error, io, time::Duration};

use reqwest::{Client, Proxy, RequestBuilder};
use url::Url;

use super::{
    answer::{Answer, NoAnswer, is_event_stream, rpc_in_events},
    dial::{DialPolicy, GuardedResolver, forbidden},
    trust::{self, Trust, TrustError},
};

/// How long one request may take, connecting included.
pub const TIMEOUT: Duration = Duration::from_secs(5);
/// The largest answer that is read, in bytes. A list of tools may be larger: [`TOOLS_MAX`].
pub const ANSWER_MAX: usize = 64 * 1024;
/// The largest page of a list of tools that is read, in bytes.
pub const TOOLS_MAX: usize = 2 * 1024 * 1024;

/// Who asks, for the logs of whoever is asked.
const USER_AGENT: &str =
    concat!("lenses-mcp-operator/", env!("CARGO_PKG_VERSION"), " (verification)");

/// Makes requests within bounds. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Http {
    client: Client,
    dial: DialPolicy,
    timeout: Duration,
}

/// Why no requests can be made.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// Trust could not be set up.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// The HTTP client could not be set up.
    #[error("the HTTP client can't be set up: {0}")]
    Client(#[from] reqwest::Error),
}

impl Http {
    /// A client for `addresses` that trusts the machine's authorities and those of `trust`, and
    /// connects where `dial` lets it. Nothing is dialled yet. If no address is encrypted, no
    /// authority is read either.
    ///
    /// # Errors
    /// When TLS or the client can't be set up.
    pub fn new<'a>(
        addresses: impl IntoIterator<Item = &'a Url>,
        trust: Trust<'_>,
        dial: &DialPolicy,
    ) -> Result<Self, HttpError> {
        Self::through(None, addresses, trust, dial)
    }

    /// As [`Self::new`], through a proxy if there is one.
    ///
    /// # Errors
    /// When TLS or the client can't be set up.
    pub(crate) fn through<'a>(
        proxy: Option<Proxy>,
        addresses: impl IntoIterator<Item = &'a Url>,
        trust: Trust<'_>,
        dial: &DialPolicy,
    ) -> Result<Self, HttpError> {
        let addresses: Vec<_> = addresses.into_iter().collect();
        let encrypted = addresses.iter().any(|address| address.scheme() == "https");
        let mut client = Client::builder()
            .tls_backend_preconfigured(trust::client_config(encrypted, trust)?)
            .dns_resolver(GuardedResolver::new(dial.clone(), addresses))
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .http1_only()
            .referer(false)
            .user_agent(USER_AGENT)
            // One visit each few minutes: a connection kept until the next would only be in the way
            // of a rollout.
            .pool_max_idle_per_host(0);
        if let Some(proxy) = proxy {
            client = client.proxy(proxy);
        }
        Ok(Self { client: client.build()?, dial: dial.clone(), timeout: TIMEOUT })
    }

    pub(super) fn get(&self, url: Url) -> RequestBuilder {
        self.client.get(url).timeout(self.timeout)
    }

    pub(super) fn post(&self, url: Url) -> RequestBuilder {
        self.client.post(url).timeout(self.timeout)
    }

    /// Sends a request that [`Self::get`] or [`Self::post`] began, and reads up to `max` bytes.
    pub(super) async fn send(
        &self,
        request: RequestBuilder,
        max: usize,
    ) -> Result<Answer, NoAnswer> {
        let request = request.build().map_err(|error| self.no_answer(&error))?;
        self.dial
            .check_number(request.url())
            .map_err(|forbidden| NoAnswer::Forbidden { cause: forbidden.to_string() })?;
        let sent = self.client.execute(request).await;
        let mut response = sent.map_err(|error| self.no_answer(&error))?;
        let (status, headers) = (response.status(), response.headers().clone());
        let streams = is_event_stream(&headers);
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.no_answer(&error))? {
            if body.len() + chunk.len() > max {
                return Ok(Answer { status, headers, body: None });
            }
            body.extend_from_slice(&chunk);
            // A stream of events need not end when the answer is there.
            if streams && rpc_in_events(&body).is_some() {
                break;
            }
        }
        Ok(Answer { status, headers, body: Some(body) })
    }

    fn no_answer(&self, error: &reqwest::Error) -> NoAnswer {
        let (cause, untrusted) = innermost(error);
        if let Some(forbidden) = forbidden(error) {
            NoAnswer::Forbidden { cause: forbidden.to_string() }
        } else if untrusted {
            NoAnswer::Untrusted { cause }
        } else if error.is_timeout() {
            NoAnswer::TimedOut { after: self.timeout }
        } else {
            NoAnswer::Unreachable { cause }
        }
    }

    /// The same client with another limit than [`TIMEOUT`] for each request.
    #[must_use]
    pub fn within(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }
}

/// The first cause of `error` (what is around it only says that a request failed), and whether it
/// is about the certificate.
fn innermost(mut error: &(dyn Error + 'static)) -> (String, bool) {
    let mut untrusted = false;
    loop {
        untrusted |= matches!(tls(error), Some(rustls::Error::InvalidCertificate(_)));
        match error.source() {
            Some(source) => error = source,
            None => return (error.to_string(), untrusted),
        }
    }
}

/// An I/O error that wraps another is not its parent in the chain: it speaks for it. So does one
/// that wraps one that wraps.
fn tls<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a rustls::Error> {
    error
        .downcast_ref::<rustls::Error>()
        .or_else(|| tls(error.downcast_ref::<io::Error>()?.get_ref()?))
}
