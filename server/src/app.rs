//! The whole router. A request's way is [`McpEndpoint::handle`], read from top to bottom.

mod cors;

use std::{
    any::Any, convert::Infallible, ops::ControlFlow, panic::AssertUnwindSafe, sync::Arc,
    time::Duration,
};

use axum::{
    Router,
    extract::Request,
    middleware::from_fn_with_state,
    response::{IntoResponse, Response},
};
use futures::FutureExt;
use http::{HeaderValue, StatusCode, header};
use prometheus_client::metrics::counter::Counter;
use tower::{ServiceBuilder, ServiceExt, service_fn};
use tower_http::{catch_panic::CatchPanicLayer, set_header::SetResponseHeaderLayer};

use self::cors::{endpoint_cors, is_of_page, metadata_cors};
use crate::{
    access_log::{self, Route},
    audit::{DecidedBy, Source},
    auth::{Authenticator, no_authorization_server_routes},
    connections::ConnectionHandle,
    host_check::{self, HostCheck},
    json_rpc::{RequestId, RpcError},
    landing::{self, LandingPage},
    limits::{self, Bodies, Deadline, Limited, Slots, Users},
    mcp::{Endpoint, Handler, Incoming, Parsed, Rejected},
    metrics::Metrics,
    scope::ScopeSet,
    settings::{AdvertisedUrl, Callers, ENDPOINT, Http, SignIn},
};

const NOSNIFF: HeaderValue = HeaderValue::from_static("nosniff");

/// What bounds the requests to the MCP endpoint.
#[derive(Debug)]
pub struct Bounds {
    /// Requests at a time, in total.
    pub slots: Slots,
    /// What each user can take.
    pub users: Users,
    /// The body of each request.
    pub bodies: Bodies,
    /// Longest time from a request to its response's head.
    pub request_timeout: Duration,
}

/// Builds the router in front of `mcp`, the MCP endpoint. Browsers get `page`.
pub fn router<H: Handler>(
    http: &Http,
    bounds: Bounds,
    offered: ScopeSet,
    authenticator: Authenticator,
    metrics: &Metrics,
    page: LandingPage,
    mcp: Endpoint<H>,
) -> Router {
    let host_check =
        Arc::new(HostCheck::new(http.allowed_hosts.clone(), http.allowed_origins.clone()));
    let page = Arc::new(page);
    let metadata = match &http.sign_in {
        SignIn::OAuth(oauth) => {
            authenticator.metadata_routes(oauth, offered).layer(metadata_cors())
        }
        SignIn::ApiKey { callers: Callers::Token(_), .. } => {
            no_authorization_server_routes(http.advertised_url.as_ref()).layer(metadata_cors())
        }
        SignIn::ApiKey { callers: Callers::Anyone, .. } => Router::new(),
    };
    let endpoint = Arc::new(McpEndpoint {
        host_check: host_check.clone(),
        page: page.clone(),
        authenticator,
        bounds,
        rate_limited: metrics.calls_rate_limited.clone(),
        mcp,
    });
    let nosniff = SetResponseHeaderLayer::overriding(header::X_CONTENT_TYPE_OPTIONS, NOSNIFF);
    let for_pages = {
        let endpoint = endpoint.clone();
        ServiceBuilder::new().layer(endpoint_cors(host_check.clone())).service_fn(move |request| {
            let endpoint = endpoint.clone();
            async move { Ok::<_, Infallible>(endpoint.answer(request).await) }
        })
    };
    let endpoint = service_fn({
        let metrics = metrics.http.clone();
        move |request| {
            let (metrics, endpoint) = (metrics.clone(), endpoint.clone());
            let for_pages = is_of_page(&request).then(|| for_pages.clone());
            async move {
                Ok::<_, Infallible>(
                    access_log::observe(metrics, Route::Mcp, request, async |request| {
                        let Some(for_pages) = for_pages else {
                            return endpoint.answer(request).await;
                        };
                        match Box::pin(for_pages.oneshot(request)).await {
                            Ok(response) => response,
                            Err(never) => match never {},
                        }
                    })
                    .await,
                )
            }
        }
    });

    let page = landing::routes(page, http.advertised_url.as_ref())
        .layer(from_fn_with_state(host_check, host_check::refuse_foreign));
    let beside = metadata.merge(page).fallback(not_found).layer(
        ServiceBuilder::new()
            .layer(from_fn_with_state(metrics.http.clone(), access_log::observed))
            .layer(nosniff)
            .layer(CatchPanicLayer::custom(panicked)),
    );

    endpoint_paths(http.advertised_url.as_ref())
        .into_iter()
        .fold(beside, |router, path| router.route_service(&path, endpoint.clone()))
}

/// What stands in front of the MCP endpoint. One service rather than a layer each: the router's
/// layers copy and box all that is below them, for each request.
struct McpEndpoint<H> {
    host_check: Arc<HostCheck>,
    page: Arc<LandingPage>,
    authenticator: Authenticator,
    bounds: Bounds,
    /// Calls that came too soon.
    rate_limited: Counter,
    mcp: Endpoint<H>,
}

impl<H: Handler> McpEndpoint<H> {
    /// Answers a request within the time that all have.
    async fn answer(&self, request: Request) -> Response {
        let method = request.method().clone();
        let deadline = Deadline::after(self.bounds.request_timeout);
        // Boxed, because each function that takes a future has it twice, and the router moves what
        // comes of it.
        let handling = Box::pin(async {
            match self.handle(request, deadline).await {
                ControlFlow::Continue(response) | ControlFlow::Break(response) => response,
            }
        });
        let answering = AssertUnwindSafe(deadline.hold(&RequestId::NULL, handling));
        let mut response = answering.catch_unwind().await.unwrap_or_else(panicked);
        landing::vary(&method, &mut response);
        response.headers_mut().insert(header::X_CONTENT_TYPE_OPTIONS, NOSNIFF);
        response
    }

    /// A request's way, step by step. A step that does not let the request pass answers it.
    async fn handle(
        &self,
        request: Request,
        deadline: Deadline,
    ) -> ControlFlow<Response, Response> {
        self.host_check.refuse_foreign(request.uri(), request.headers())?;
        self.page.answer_browsers(request.method(), request.headers())?;
        let (parts, body) = request.into_parts();
        let source = Source::of(&parts.extensions);
        let address = source.block();
        let connection = ConnectionHandle::of(&parts.extensions);
        let identity = match self.authenticator.sign_in(&parts.headers, &source).await {
            ControlFlow::Continue(identity) => identity,
            ControlFlow::Break(challenge) => {
                limits::discard(body, &connection).await;
                return ControlFlow::Break(challenge);
            }
        };
        let user = self.bounds.users.user(&identity, address);
        // HQ may have been asked about the token: a request counts, whatever comes of it.
        let counted = user.call();
        let incoming = match Incoming::new(parts, source) {
            ControlFlow::Continue(incoming) => incoming,
            ControlFlow::Break(response) => {
                limits::discard(body, &connection).await;
                self.in_turn(&counted, &RequestId::NULL)?;
                return ControlFlow::Break(response);
            }
        };
        let budget = self.bounds.users.budget(Arc::clone(&user));
        let read = self.bounds.bodies.read(body, &budget, &connection).await?;
        let parsed = self.mcp.parse(incoming, &read.body);
        if let (Err(_), Ok(parsed)) = (&counted, &parsed) {
            let limit = "MCP_CALLS_PER_MINUTE_PER_USER";
            self.mcp.refused(parsed, &identity, DecidedBy::Limit, limit);
        }
        self.in_turn(&counted, parsed.as_ref().map_or_else(|rejected| &rejected.id, Parsed::id))?;
        let parsed = match parsed {
            Ok(parsed) => parsed,
            Err(Rejected { id, error }) => return ControlFlow::Break(error.respond(&id)),
        };
        note(&parsed);
        let authorized = self.authenticator.authorize(&identity, self.mcp.required_scopes(&parsed));
        if authorized.is_break() {
            self.mcp.refused(&parsed, &identity, DecidedBy::Scope, "insufficient_scope");
        }
        authorized?;
        // What a client answers to a question must not wait for the calls that wait for it.
        let slots = &self.bounds.slots;
        let places = if parsed.is_request() {
            let of_user = slots.of_user(&user);
            Some(of_user.and_then(|of_user| Ok((of_user, slots.take()?))))
        } else {
            None
        };
        let places = match places.transpose() {
            Ok(places) => places,
            Err(refused) => {
                self.mcp.refused(&parsed, &identity, DecidedBy::Limit, refused.setting);
                return ControlFlow::Break(refused.respond(parsed.id()));
            }
        };
        let id = parsed.id().clone();
        let responding = self.mcp.respond(parsed, identity, budget);
        let response = deadline.hold(&id, responding).await;
        ControlFlow::Continue(limits::hold((places, read.reserved), response))
    }

    /// Breaks with 429 (RFC 6585 §4) and the time at which to try again if the request with `id`
    /// came too soon.
    fn in_turn(&self, counted: &Result<(), Limited>, id: &RequestId) -> ControlFlow<Response> {
        let Err(Limited { per_minute, wait }) = counted else { return ControlFlow::Continue(()) };
        self.rate_limited.inc();
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        let error = RpcError::overloaded(
            StatusCode::TOO_MANY_REQUESTS,
            format!(
                "too many calls: this server takes {per_minute} a minute from one user; nothing \
                 was done, try again in {seconds} s"
            ),
        );
        let mut response = error.respond(id);
        response.headers_mut().insert(header::RETRY_AFTER, seconds.max(1).into());
        ControlFlow::Break(response)
    }
}

fn note(parsed: &Parsed) {
    access_log::note(|fields| {
        fields.rpc = parsed.known_method();
        fields.tool = parsed.known_tool();
    });
}

/// `/mcp`, and below the advertised URL's path too: a proxy may pass that path on or take it off.
/// Each with a slash at its end too: the Python server redirected to that, so clients have it.
fn endpoint_paths(advertised_url: Option<&AdvertisedUrl>) -> Vec<String> {
    let mut paths = vec![ENDPOINT.to_owned()];
    paths.extend(advertised_url.map(AdvertisedUrl::endpoint_path).filter(|path| path != ENDPOINT));
    let with_slash: Vec<_> = paths.iter().map(|path| format!("{path}/")).collect();
    [paths, with_slash].concat()
}

async fn not_found() -> Response {
    (StatusCode::NOT_FOUND, "not found: the MCP endpoint is /mcp\n").into_response()
}

/// What went wrong is in the log; the caller learns that it is not the caller's doing.
fn panicked(_: Box<dyn Any + Send>) -> Response {
    RpcError::internal(StatusCode::INTERNAL_SERVER_ERROR, "internal error").into_response()
}
