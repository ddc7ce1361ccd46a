//! Requests to HQ's OAuth endpoints: on the inside address, within bounds, never redirected.

use std::{io, time::Duration};

use http::{
    HeaderValue, StatusCode,
    header::{ACCEPT, AUTHORIZATION},
};
use serde::de::DeserializeOwned;
use url::Url;

use crate::proxies::Proxies;

/// Longest time that HQ may take, connecting included. A caller waits for it with each call.
pub(super) const TIMEOUT: Duration = Duration::from_secs(5);
/// Idle connections kept to HQ: each costs memory, and a flood of tokens opens hundreds.
const IDLE_CONNECTIONS: usize = 16;
/// How long an idle connection is kept: less than the idle limits of common proxies and servers.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);
/// Largest reply that is read, in bytes.
const REPLY_MAX: usize = 64 * 1024;

/// The HTTP client of HQ's OAuth endpoints. Cheap to clone.
#[derive(Debug, Clone)]
pub struct BackChannel(reqwest::Client);

/// A reply, whatever its status.
#[derive(Debug)]
pub(crate) struct Reply {
    /// A redirect is one too: it is not followed, because it would carry a token elsewhere.
    pub(crate) status: StatusCode,
    /// At most [`REPLY_MAX`]; empty if there was more.
    pub(super) body: Vec<u8>,
}

/// Why there is no reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NoReply {
    /// Not within [`TIMEOUT`].
    TimedOut,
    /// HQ's certificate is not trusted here.
    Untrusted {
        /// In the TLS library's words.
        cause: String,
    },
    /// No connection, or it broke.
    Unreachable {
        /// Why, down to the system's own words.
        cause: String,
    },
}

impl BackChannel {
    /// Makes the client. Connects to nothing.
    ///
    /// # Errors
    ///
    /// When the HTTP client can't be set up.
    pub fn new(tls: rustls::ClientConfig, proxies: &Proxies) -> Result<Self, reqwest::Error> {
        let http = proxies
            .apply(reqwest::Client::builder())?
            .tls_backend_preconfigured(tls)
            .redirect(reqwest::redirect::Policy::none())
            .http1_only()
            .referer(false)
            .timeout(TIMEOUT)
            .pool_max_idle_per_host(IDLE_CONNECTIONS)
            .pool_idle_timeout(IDLE_TIMEOUT)
            .build()?;
        Ok(Self(http))
    }

    /// Gets `url`, with `authorization` where there is one.
    pub(crate) async fn get(
        &self,
        url: &Url,
        authorization: Option<&HeaderValue>,
    ) -> Result<Reply, NoReply> {
        send(self.0.get(url.clone()), authorization).await
    }

    /// Posts `form` to `url`.
    pub(super) async fn post(
        &self,
        url: &Url,
        form: &[(&str, &str)],
        authorization: Option<&HeaderValue>,
    ) -> Result<Reply, NoReply> {
        send(self.0.post(url.clone()).form(form), authorization).await
    }
}

impl Reply {
    /// The body as JSON. The parser's error is not passed on: it may quote the reply, which is
    /// about a user or holds a token. A body over the limit was cut, so that it is no JSON either.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_slice(&self.body).ok()
    }
}

async fn send(
    mut request: reqwest::RequestBuilder,
    authorization: Option<&HeaderValue>,
) -> Result<Reply, NoReply> {
    if let Some(authorization) = authorization {
        request = request.header(AUTHORIZATION, authorization.clone());
    }
    let mut response = request
        .header(ACCEPT, "application/json")
        .send()
        .await
        .map_err(|error| no_reply(&error))?;
    let status = response.status();
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| no_reply(&error))? {
        if body.len() + chunk.len() > REPLY_MAX {
            body.clear();
            break;
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Reply { status, body })
}

fn no_reply(error: &reqwest::Error) -> NoReply {
    let (cause, untrusted) = innermost(error);
    if untrusted {
        NoReply::Untrusted { cause }
    } else if error.is_timeout() {
        NoReply::TimedOut
    } else {
        NoReply::Unreachable { cause }
    }
}

/// The first cause of `error` (what is around it only says that a request failed), and whether it
/// is about the certificate.
fn innermost(mut error: &(dyn std::error::Error + 'static)) -> (String, bool) {
    let mut untrusted = false;
    loop {
        // An I/O error that wraps another is not its parent in the chain: it speaks for it.
        let wrapped = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        let tls = wrapped.and_then(|error| error.downcast_ref::<rustls::Error>());
        untrusted |= matches!(tls, Some(rustls::Error::InvalidCertificate(_)));
        match error.source() {
            Some(source) => error = source,
            None => return (error.to_string(), untrusted),
        }
    }
}
