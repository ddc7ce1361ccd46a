//! Requests to HQ with the credential of one caller.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use http::{
    HeaderValue, Method,
    header::{ACCEPT, AUTHORIZATION, CONTENT_LENGTH},
};
use secrecy::{ExposeSecret, SecretString};
use tracing::Instrument;

use super::{
    ACCEPTED_TEXT, Client, Error, Name, Origin, Tail,
    body::{self, Bounds, ReadError},
    endpoint::Endpoint,
    error::chain,
    measured::Measured,
    verbs::NO_BODY,
};
use crate::limits::Held;

/// Lenses HQ with the credential of one caller.
#[derive(Debug, Clone)]
pub struct CallerClient {
    pub(super) client: Client,
    pub(super) credential: Arc<SecretString>,
    pub(super) bytes: Arc<Held>,
    /// Whether HQ refused the credential; shared by all clones.
    pub(super) is_refused: Arc<AtomicBool>,
    pub(super) origin: Arc<Origin>,
}

impl CallerClient {
    /// Whether HQ has answered a request of this client with 401.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        self.is_refused.load(Ordering::Relaxed)
    }

    /// Starts a path under the address of HQ. `path` is fixed text; what users name is added with
    /// [`Endpoint::name`].
    pub(super) fn endpoint(&self, path: &'static str) -> Endpoint {
        Endpoint::under(&self.client.0.url).path(path)
    }

    /// Starts a path of the agent behind `environment`, which HQ proxies.
    pub(super) fn agent(&self, environment: &Name, path: &'static str) -> Endpoint {
        self.endpoint("api/v1/environments").name(environment).path("proxy").path(path)
    }

    /// As [`Self::agent`], for a websocket.
    pub(super) fn agent_websocket(&self, environment: &Name, path: &'static str) -> Endpoint {
        let endpoint = Endpoint::under(&self.client.0.websocket_url).path("api/v1/environments");
        endpoint.name(environment).path("proxy").path(path)
    }

    /// Gets a text as it is, whatever it looks like.
    pub(super) async fn text(
        &self,
        operation: &'static str,
        endpoint: Endpoint,
    ) -> Result<String, Error> {
        self.measured(operation, async {
            let response = self.request(Method::GET, endpoint, ACCEPTED_TEXT, NO_BODY).await?;
            body::read_text(response, &self.bounds()).await
        })
        .await
    }

    /// Gets the last `bytes` of a text of any length.
    pub(super) async fn tail(
        &self,
        operation: &'static str,
        endpoint: Endpoint,
        bytes: usize,
    ) -> Result<Tail, Error> {
        self.measured(operation, async {
            let response = self.request(Method::GET, endpoint, ACCEPTED_TEXT, NO_BODY).await?;
            body::read_tail(response, bytes, &self.bounds()).await
        })
        .await
    }

    /// What bounds the body of a reply.
    pub(super) fn bounds(&self) -> Bounds<'_> {
        let limit = self.client.0.response_max_bytes;
        Bounds { limit, bytes: &self.bytes, credential: &self.credential }
    }

    pub(super) async fn request(
        &self,
        method: Method,
        endpoint: Endpoint,
        accepted: &'static str,
        body: Option<&impl serde::Serialize>,
    ) -> Result<reqwest::Response, ReadError> {
        let bearer = self.bearer().map_err(ReadError::Reply)?;
        let expects_body = matches!(method, Method::PUT | Method::POST | Method::PATCH);
        let mut request = self
            .client
            .0
            .http
            .request(method, endpoint.http())
            .header(AUTHORIZATION, bearer)
            .header(ACCEPT, accepted);
        if let Some(body) = body {
            request = request.json(body);
        } else if expects_body {
            // Servers may refuse one that does not say that it has no body (RFC 9110 §8.6).
            request = request.header(CONTENT_LENGTH, 0);
        }
        request.headers(self.origin.headers()).send().await.map_err(ReadError::Transport)
    }

    pub(super) async fn measured<T>(
        &self,
        operation: &'static str,
        call: impl Future<Output = Result<T, ReadError>>,
    ) -> Result<T, Error> {
        let measured = self.measure(operation);
        let result = call.instrument(measured.span.clone()).await.map_err(|error| match error {
            ReadError::Reply(error) => error,
            ReadError::Transport(error) => self.transport_error(error),
        });
        if let Err(Error::Unauthorized(_)) = result {
            self.is_refused.store(true, Ordering::Relaxed);
        }
        measured.finish(result.as_ref().err());
        result
    }

    pub(super) fn bearer(&self) -> Result<HeaderValue, Error> {
        let mut value =
            HeaderValue::from_str(&format!("Bearer {}", self.credential.expose_secret()))
                .map_err(|_| Error::Credential)?;
        value.set_sensitive(true);
        Ok(value)
    }

    pub(super) fn transport_error(&self, error: reqwest::Error) -> Error {
        if error.is_timeout() && !error.is_connect() {
            return Error::TimedOut { after: self.client.0.request_timeout };
        }
        let is_connect = error.is_connect();
        // The address is the operator's business, not the model's.
        let reason = chain(&error.without_url());
        if is_connect { Error::Unreachable { reason } } else { Error::Interrupted { reason } }
    }

    pub(super) fn measure(&self, operation: &'static str) -> Measured<'_> {
        Measured::start(&self.client.0.metrics, operation)
    }
}
