//! Requests that are answered at a time, and how long until a response begins.

use std::{pin::pin, sync::Arc, time::Duration};

use axum::{
    body::{Body, HttpBody},
    response::Response,
};
use http::{HeaderValue, StatusCode, header::RETRY_AFTER};
use http_body_util::BodyExt;
use prometheus_client::metrics::gauge::Gauge;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, timeout_at},
};

use super::{
    metrics::{Bound, LimitMetrics},
    users::User,
};
use crate::{
    access_log,
    json_rpc::{RequestId, RpcError},
    readiness::Saturation,
};

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
    /// # Errors
    ///
    /// 503 at once if all are taken, instead of a queue without bound.
    pub fn take(&self) -> Result<Slot, Refused> {
        let Ok(held) = Arc::clone(&self.permits).try_acquire_owned() else {
            self.saturation.refused();
            self.metrics.refused(Bound::Requests);
            let message = "too many requests at a time; try again";
            return Err(Refused {
                setting: "MCP_MAX_CONCURRENT_REQUESTS",
                error: RpcError::overloaded(StatusCode::SERVICE_UNAVAILABLE, message),
            });
        };
        self.saturation.admitted();
        Ok(Slot::new(held, self.in_flight.clone()))
    }

    /// Why no requests can be taken: all places have been taken for long, and are.
    #[must_use]
    pub fn fault(&self) -> Option<&'static str> {
        let full = self.permits.available_permits() == 0 && self.saturation.lasts();
        full.then_some("too many requests at a time (MCP_MAX_CONCURRENT_REQUESTS)")
    }

    /// A place among the requests of `user`.
    ///
    /// # Errors
    ///
    /// 429 if the user has too many already.
    pub fn of_user(&self, user: &User) -> Result<Slot, Refused> {
        if let Some(held) = user.request() {
            return Ok(Slot::new(held, Gauge::default()));
        }
        self.metrics.refused(Bound::RequestsPerUser);
        let message = "too many requests of one user at a time (MCP_CONCURRENT_REQUESTS_PER_USER); \
                       wait for one to end";
        Err(Refused {
            setting: "MCP_CONCURRENT_REQUESTS_PER_USER",
            error: RpcError::overloaded(StatusCode::TOO_MANY_REQUESTS, message),
        })
    }
}

impl Slot {
    fn new(permit: OwnedSemaphorePermit, in_flight: Gauge) -> Self {
        in_flight.inc();
        Self { _permit: permit, in_flight }
    }
}

/// No place is free.
#[derive(Debug)]
pub struct Refused {
    /// The variable that sets the bound.
    pub setting: &'static str,
    error: RpcError,
}

impl Refused {
    /// The response to the request with `id`, which says when to try again.
    #[must_use]
    pub fn respond(&self, id: &RequestId) -> Response {
        let mut response = self.error.respond(id);
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
        response
    }
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

/// The time until a response's head must be there. Reading the request, sign-in and a tool that
/// answers in one piece are within it; a stream that began is not cut, because a client sees it
/// progress.
#[derive(Debug, Clone, Copy)]
pub struct Deadline {
    limit: Duration,
    at: Instant,
}

impl Deadline {
    /// `limit` from now.
    #[must_use]
    pub fn after(limit: Duration) -> Self {
        Self { limit, at: Instant::now() + limit }
    }

    /// Answers 504 for the request with `id` if `answering` takes longer.
    pub async fn hold(self, id: &RequestId, answering: impl Future<Output = Response>) -> Response {
        // Dropped after the note, so that its audit line knows why it ends.
        let mut answering = pin!(answering);
        timeout_at(self.at, answering.as_mut()).await.unwrap_or_else(|_| {
            access_log::note(|noted| noted.timed_out = true);
            let limit = humantime::format_duration(self.limit);
            let message = format!(
                "the call took longer than {limit} and was stopped; its outcome is not known"
            );
            RpcError::internal(StatusCode::GATEWAY_TIMEOUT, message).respond(id)
        })
    }
}
