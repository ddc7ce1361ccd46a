//! One line, one count and one id for each request. The path is the route's and never the caller's
//! text; the query, the headers and the body are not logged at all.
//!
//! A request that came as far as a tool, a prompt or a resource leaves an audit line, which says
//! more. Where it was answered with 200 too, the line here would repeat it, and is written at DEBUG
//! only: writing two lines cost as much as all of sign-in.
//!
//! What the line says besides is noted on the request's way. It does not stand in the span, which
//! holds the id alone: a span that learns another field is parsed and written anew, and that six
//! times over cost more than all of sign-in.

mod metrics;

use std::{cell::RefCell, sync::Arc, time::Instant};

use axum::{
    extract::{MatchedPath, Request, State},
    middleware::Next,
    response::Response,
};
use http::{Method, StatusCode};
use tracing::{Instrument, Level};

pub use self::metrics::{HttpMetrics, InFlight, Route};
use crate::{
    client_address::ClientAddress,
    identity::Fingerprint,
    request_id::{X_REQUEST_ID, XRequestId},
};

/// Stands for the status where the client went away before there was one, as in other servers'
/// logs.
const CLIENT_GONE: u16 = 499;

/// What is learnt of a request on its way, for its line.
#[derive(Debug, Default)]
pub(crate) struct RequestFields {
    /// What sign-in decided.
    pub(crate) sign_in: Option<&'static str>,
    /// The fingerprint of the token that was shown.
    pub(crate) token: Option<Fingerprint>,
    /// Who called.
    pub(crate) subject: Option<Arc<str>>,
    /// With which application.
    pub(crate) client_id: Option<Arc<str>>,
    /// The method of MCP, if this server has it.
    pub(crate) rpc: Option<&'static str>,
    /// The tool, likewise.
    pub(crate) tool: Option<&'static str>,
    /// Whether a line was written that says more.
    pub(crate) audited: bool,
    /// Whether the request took longer than it may.
    pub(crate) timed_out: bool,
}

tokio::task_local! {
    static FIELDS: RefCell<RequestFields>;
}

/// Notes something about the request that is being answered. Elsewhere it does nothing.
pub(crate) fn note(write: impl FnOnce(&mut RequestFields)) {
    let _not_in_a_request = FIELDS.try_with(|fields| write(&mut fields.borrow_mut()));
}

/// [`observe`] as middleware, for requests that are not for the MCP endpoint.
pub async fn observed(
    State(metrics): State<Arc<HttpMetrics>>,
    request: Request,
    next: Next,
) -> Response {
    let route = match request.extensions().get::<MatchedPath>() {
        Some(path) if path.as_str().starts_with("/.well-known/") => Route::Metadata,
        _ => Route::Other,
    };
    observe(metrics, route, request, |request| next.run(request)).await
}

/// Runs the request in a span with its id, and logs how it was answered.
pub async fn observe<F>(
    metrics: Arc<HttpMetrics>,
    route: Route,
    mut request: Request,
    answer: impl FnOnce(Request) -> F,
) -> Response
where
    F: Future<Output = Response>,
{
    let _in_flight = metrics.request_started();
    let started = Instant::now();
    let path = request.extensions().get::<MatchedPath>().cloned();
    let address = request.extensions().get::<ClientAddress>();
    // Of somebody else, an id could be that of another's request.
    let is_proxied = address.is_none_or(|address| address.is_proxied);
    let id = if is_proxied { XRequestId::of(request.headers()) } else { XRequestId::random() };
    request.extensions_mut().insert(id.clone());
    let span = tracing::info_span!("request", id = id.as_str());
    let method = request.method().clone();
    // Not given a name: what is moved out of a variable takes up its room in the future until the
    // end, and that is copied.
    FIELDS
        .scope(RefCell::default(), async {
            let mut line = Line { metrics, route, method, path, started, status: CLIENT_GONE };
            let mut response = answer(request).await;
            line.status = response.status().as_u16();
            drop(line);
            response.headers_mut().insert(X_REQUEST_ID, id.header());
            response
        })
        .instrument(span)
        .await
}

/// What is logged and counted when a request ends, in whatever way.
struct Line {
    metrics: Arc<HttpMetrics>,
    route: Route,
    method: Method,
    path: Option<MatchedPath>,
    started: Instant,
    status: u16,
}

impl Drop for Line {
    fn drop(&mut self) {
        let elapsed = self.started.elapsed();
        self.metrics.request_answered(self.route, self.status, elapsed);
        let elapsed_ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
        macro_rules! write_at {
            ($level:expr) => {
                note(|fields| {
                    tracing::event!(
                        $level,
                        method = self.method.as_str(),
                        path = self.path.as_ref().map_or("(none)", MatchedPath::as_str),
                        status = self.status,
                        elapsed_ms,
                        sign_in = fields.sign_in,
                        token = fields.token.map(tracing::field::display),
                        subject = fields.subject.as_deref(),
                        client_id = fields.client_id.as_deref(),
                        rpc = fields.rpc,
                        tool = fields.tool,
                        "answered"
                    );
                })
            };
        }
        let mut audited = false;
        note(|fields| audited = fields.audited);
        if audited && self.status == StatusCode::OK.as_u16() {
            write_at!(Level::DEBUG);
        } else {
            write_at!(Level::INFO);
        }
    }
}
