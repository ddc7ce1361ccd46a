//! Requests that are answered at a time, and how long until a response begins.

use std::{ops::ControlFlow, sync::Arc, time::Duration};

use axum::{
    body::{Body, HttpBody},
    response::{IntoResponse, Response},
};
use http::{StatusCode, header::RETRY_AFTER};
use http_body_util::BodyExt;
use prometheus_client::metrics::gauge::Gauge;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{
    metrics::{Bound, LimitMetrics},
    users::User,
};
use crate::{json_rpc::RpcError, readiness::Saturation};

/// Requests and streams that are answered at a time, in total.
#[derive(Debug, Clone)]
pub struct Slots {
    permits: Arc<Semaphore>,
    saturation: Arc<Saturation>,
    in_flight: Gauge,
    metrics: LimitMetrics,
}

/// A place among the requests that are answered, until it is dropped.
#[derive(Debug)]
pub struct Slot {
    _permit: OwnedSemaphorePermit,
    in_flight: Gauge,
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.in_flight.dec();
    }
}

impl Slots {
    /// Lets `limit` requests be answered at a time.
    #[must_use]
    pub fn new(limit: usize, metrics: LimitMetrics) -> Self {
        let limit = limit.min(Semaphore::MAX_PERMITS);
        Self {
            permits: Arc::new(Semaphore::new(limit)),
            saturation: Arc::default(),
            in_flight: metrics.in_flight(Bound::Requests, limit),
            metrics,
        }
    }

    /// A place in total. To be taken when sign-in and the body are done: what waits for those holds
    /// no place of others.
    ///
    /// Breaks with 503 at once if all are taken, instead of a queue without bound.
    pub fn take(&self) -> ControlFlow<Response, Slot> {
        let Ok(held) = Arc::clone(&self.permits).try_acquire_owned() else {
            self.saturation.refused();
            self.metrics.refused(Bound::Requests);
            let message = "too many requests at a time; try again";
            return ControlFlow::Break(busy(StatusCode::SERVICE_UNAVAILABLE, message));
        };
        self.saturation.admitted();
        ControlFlow::Continue(Slot::new(held, self.in_flight.clone()))
    }

    /// Why no requests can be taken: all places have been taken for long, and are.
    #[must_use]
    pub fn fault(&self) -> Option<&'static str> {
        let full = self.permits.available_permits() == 0 && self.saturation.lasts();
        full.then_some("too many requests at a time (MCP_MAX_CONCURRENT_REQUESTS)")
    }

    /// A place among the requests of `user`.
    ///
    /// Breaks with 429 if the user has too many already.
    pub fn of_user(&self, user: &User) -> ControlFlow<Response, Slot> {
        if let Some(held) = user.request() {
            return ControlFlow::Continue(Slot::new(held, Gauge::default()));
        }
        self.metrics.refused(Bound::RequestsPerUser);
        ControlFlow::Break(busy(
            StatusCode::TOO_MANY_REQUESTS,
            "too many requests of one user at a time (MCP_CONCURRENT_REQUESTS_PER_USER); wait for \
             one to end",
        ))
    }
}

impl Slot {
    fn new(permit: OwnedSemaphorePermit, in_flight: Gauge) -> Self {
        in_flight.inc();
        Self { _permit: permit, in_flight }
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
