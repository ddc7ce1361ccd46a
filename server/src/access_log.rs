//! One line, one count and one id for each request. The path is the route's and never the caller's text; the query, the
//! headers and the body are not logged at all.

use std::{sync::Arc, time::Instant};

use axum::{
    extract::{MatchedPath, Request, State},
    middleware::Next,
    response::Response,
};
use http::HeaderValue;
use tracing::{Instrument, field::Empty};
use uuid::Uuid;

use crate::{
    metrics::{Metrics, Route},
    settings::ENDPOINT,
};

/// Stands for the status where the client went away before there was one, as in other servers' logs.
const CLIENT_GONE: u16 = 499;
const REQUEST_ID: &str = "x-request-id";
const REQUEST_ID_MAX: usize = 64;

/// Middleware: runs the request in a span that sign-in and the message reader add to, and logs how it was answered.
pub async fn observe(State(metrics): State<Arc<Metrics>>, request: Request, next: Next) -> Response {
    let _in_flight = metrics.request_started();
    let started = Instant::now();
    let path = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    let route = route(path.as_deref());
    let id = request_id(&request);
    let span = tracing::info_span!(
        "request",
        id = id.to_str().unwrap_or_default(),
        method = %request.method(),
        path = path.as_deref().unwrap_or("(none)"),
        sign_in = Empty,
        token = Empty,
        subject = Empty,
        client_id = Empty,
        rpc = Empty,
        tool = Empty,
    );
    async {
        let mut line = Line { metrics, route, started, status: CLIENT_GONE };
        let mut response = next.run(request).await;
        line.status = response.status().as_u16();
        drop(line);
        response.headers_mut().insert(REQUEST_ID, id);
        response
    }
    .instrument(span)
    .await
}

/// What is logged and counted when a request ends, in whatever way.
struct Line {
    metrics: Arc<Metrics>,
    route: Route,
    started: Instant,
    status: u16,
}

impl Drop for Line {
    fn drop(&mut self) {
        let elapsed = self.started.elapsed();
        self.metrics.request_answered(self.route, self.status, elapsed);
        let elapsed_ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
        tracing::info!(status = self.status, elapsed_ms, "answered");
    }
}

fn route(path: Option<&str>) -> Route {
    match path {
        Some(path) if path.starts_with("/.well-known/") => Route::Metadata,
        Some(path) if path.ends_with(ENDPOINT) => Route::Mcp,
        _ => Route::Other,
    }
}

/// The id that a proxy in front gave, if it is one, else a new one.
fn request_id(request: &Request) -> HeaderValue {
    let given = request.headers().get(REQUEST_ID).filter(|id| {
        let id = id.as_bytes();
        (1..=REQUEST_ID_MAX).contains(&id.len())
            && id.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(byte))
    });
    given.cloned().unwrap_or_else(|| {
        let mut buffer = Uuid::encode_buffer();
        let id: &str = Uuid::now_v7().hyphenated().encode_lower(&mut buffer);
        HeaderValue::from_str(id).unwrap_or_else(|_| HeaderValue::from_static("unknown"))
    })
}
