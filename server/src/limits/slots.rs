//! Requests that are answered at a time, and how long until a response begins.

use std::{sync::Arc, time::Duration};

use axum::{
    body::{Body, HttpBody},
    response::{IntoResponse, Response},
};
use http::{StatusCode, header::RETRY_AFTER};
use http_body_util::BodyExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::users::User;
use crate::json_rpc::RpcError;

/// Requests and streams that are answered at a time, in total.
#[derive(Debug, Clone)]
pub struct Slots {
    slots: Arc<Semaphore>,
    limit: usize,
}

/// A place among the requests that are answered, until it is dropped.
#[derive(Debug)]
pub struct Slot {
    _held: OwnedSemaphorePermit,
}

impl Slots {
    /// Lets `limit` requests be answered at a time.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        let limit = limit.min(Semaphore::MAX_PERMITS);
        Self { slots: Arc::new(Semaphore::new(limit)), limit }
    }

    /// A place in total. To be taken when sign-in and the body are done: what waits for those holds
    /// no place of others.
    ///
    /// # Errors
    ///
    /// The response: 503 at once if all are taken, instead of a queue without bound.
    pub fn take(&self) -> Result<Slot, Response> {
        let held = Arc::clone(&self.slots).try_acquire_owned();
        held.map(|held| Slot { _held: held }).map_err(|_| {
            busy(StatusCode::SERVICE_UNAVAILABLE, "too many requests at a time; try again")
        })
    }

    /// A place among the requests of `user`.
    ///
    /// # Errors
    ///
    /// The response: 429 if the user has too many already.
    pub fn of_user(user: &User) -> Result<Slot, Response> {
        user.request().map(|held| Slot { _held: held }).ok_or_else(|| {
            busy(
                StatusCode::TOO_MANY_REQUESTS,
                "too many requests of one user at a time (MCP_CONCURRENT_REQUESTS_PER_USER); wait \
                 for one to end",
            )
        })
    }

    /// Requests that are answered now.
    #[must_use]
    pub fn taken(&self) -> usize {
        self.limit.saturating_sub(self.slots.available_permits())
    }
}

/// A response that says when to try again.
fn busy(status: StatusCode, message: &'static str) -> Response {
    ([(RETRY_AFTER, "1")], RpcError::overloaded(status, message)).into_response()
}

/// Holds `held` until the last byte of `response`, so that streams count too.
pub fn hold<T: Send + 'static>(held: T, response: Response) -> Response {
    if response.body().size_hint().exact().is_some() {
        // All of it is in memory: nothing is left to do.
        return response;
    }
    response.map(|body| {
        Body::new(body.map_frame(move |frame| {
            let _held = &held;
            frame
        }))
    })
}

/// Answers 504 if the response's head takes longer than `limit`. Reading the request, sign-in and a
/// tool that answers in one piece are within it; a stream that began is not cut, because a client
/// sees it progress.
pub async fn in_time(limit: Duration, answering: impl Future<Output = Response>) -> Response {
    tokio::time::timeout(limit, answering).await.unwrap_or_else(|_| {
        RpcError::internal(
            StatusCode::GATEWAY_TIMEOUT,
            format!(
                "the call took longer than {} and was stopped; its outcome is not known",
                humantime::format_duration(limit)
            ),
        )
        .into_response()
    })
}
