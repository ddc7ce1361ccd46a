//! The HTTP methods of HQ's API. Each takes the function that makes of the reply what the operation
//! gives.

use http::Method;

use super::{
    ACCEPTED, CallerClient, Error, body, body::ReadError, endpoint::Endpoint, reply::Reply,
};

/// For requests without a body.
pub(super) const NO_BODY: Option<&()> = None;

impl CallerClient {
    /// Asks for what `endpoint` has.
    pub(super) async fn get<T>(
        &self,
        operation: &'static str,
        endpoint: Endpoint,
        read: impl FnOnce(Reply) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.send(operation, Method::GET, endpoint, NO_BODY, read).await
    }

    /// Deletes what `endpoint` names.
    pub(super) async fn delete<T>(
        &self,
        operation: &'static str,
        endpoint: Endpoint,
        read: impl FnOnce(Reply) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.send(operation, Method::DELETE, endpoint, NO_BODY, read).await
    }

    /// Sends `body` to `endpoint`.
    pub(super) async fn post<T>(
        &self,
        operation: &'static str,
        endpoint: Endpoint,
        body: &impl serde::Serialize,
        read: impl FnOnce(Reply) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.send(operation, Method::POST, endpoint, Some(body), read).await
    }

    /// Sets what `endpoint` names.
    pub(super) async fn put<T>(
        &self,
        operation: &'static str,
        endpoint: Endpoint,
        body: Option<&impl serde::Serialize>,
        read: impl FnOnce(Reply) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.send(operation, Method::PUT, endpoint, body, read).await
    }

    /// `read` makes of the reply what the operation gives: a reply of another shape is counted as a
    /// failed call.
    async fn send<T>(
        &self,
        operation: &'static str,
        method: Method,
        endpoint: Endpoint,
        body: Option<&impl serde::Serialize>,
        read: impl FnOnce(Reply) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.measured(operation, async {
            let response = self.request(method, endpoint, ACCEPTED, body).await?;
            let reply = body::read(response, &self.bounds()).await?;
            read(reply).map_err(ReadError::Reply)
        })
        .await
    }
}
