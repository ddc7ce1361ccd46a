//! The whole router. A request's way is [`router`], read from top to bottom.

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
use http::{HeaderName, HeaderValue, Method, StatusCode, header};
use tokio::sync::Semaphore;
use tower::{Service, ServiceBuilder, ServiceExt, service_fn};
use tower_http::{
    catch_panic::CatchPanicLayer,
    cors::{AllowHeaders, AllowOrigin, Any as AnyOrigin, CorsLayer},
    set_header::SetResponseHeaderLayer,
};

use crate::{
    access_log::{self, Route},
    auth::{Authenticator, metadata},
    host_check::{self, HostCheck},
    landing::{self, LandingPage},
    limits,
    message::{self, RpcError},
    metrics::Metrics,
    rate_limit::RateLimit,
    scope::ScopeSet,
    settings::{AdvertisedUrl, ENDPOINT, Http, Limits, SignIn},
};

/// Builds the router in front of `mcp`, the MCP endpoint: a service that finds the caller's
/// [`Identity`](crate::identity::Identity) in each request's extensions. Browsers get `page`.
pub fn router<S>(
    http: &Http,
    limits: &Limits,
    offered: ScopeSet,
    authenticator: Authenticator,
    metrics: &Metrics,
    page: LandingPage,
    mcp: &S,
) -> Router
where
    S: Service<Request, Error = Infallible> + Clone + Send + Sync + 'static,
    S::Response: IntoResponse,
    S::Future: Send + 'static,
{
    let host_check =
        Arc::new(HostCheck::new(http.allowed_hosts.clone(), http.allowed_origins.clone()));
    let page = Arc::new(page);
    let endpoint = Arc::new(McpEndpoint {
        slots: Arc::new(Semaphore::new(limits.max_concurrent_requests.min(Semaphore::MAX_PERMITS))),
        time: limits.request_timeout,
        host_check: host_check.clone(),
        page: page.clone(),
        authenticator,
        max_body_bytes: limits.max_body_bytes,
        rate_limit: RateLimit::new(
            limits.calls_per_minute_per_user,
            metrics.calls_rate_limited.clone(),
        ),
    });
    let nosniff = SetResponseHeaderLayer::overriding(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    let endpoint = ServiceBuilder::new()
        .layer(nosniff.clone())
        .layer(endpoint_cors(host_check.clone()))
        .service_fn({
            let mcp = mcp.clone();
            move |request| {
                let (endpoint, mcp) = (endpoint.clone(), mcp.clone());
                async move { Ok::<_, Infallible>(endpoint.answer(request, mcp).await) }
            }
        });
    let endpoint = service_fn({
        let metrics = metrics.http.clone();
        move |request| {
            let (metrics, endpoint) = (metrics.clone(), endpoint.clone());
            async {
                Ok::<_, Infallible>(
                    access_log::observe(metrics, Route::Mcp, request, |request| {
                        answer(endpoint, request)
                    })
                    .await,
                )
            }
        }
    });

    let metadata = match &http.sign_in {
        SignIn::OAuth(oauth) => metadata::routes(oauth, offered).layer(metadata_cors()),
        SignIn::ApiKey { .. } => Router::new(),
    };
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

/// What stands in front of the MCP endpoint. One service rather than a layer each: the router's layers copy and box all that
/// is below them, for each request.
struct McpEndpoint {
    slots: Arc<Semaphore>,
    time: Duration,
    host_check: Arc<HostCheck>,
    page: Arc<LandingPage>,
    authenticator: Authenticator,
    max_body_bytes: usize,
    rate_limit: RateLimit,
}

impl McpEndpoint {
    /// Answers a request within the limits on all of them.
    async fn answer<S>(&self, request: Request, mcp: S) -> Response
    where
        S: Service<Request, Error = Infallible>,
        S::Response: IntoResponse,
    {
        let method = request.method().clone();
        // Boxed, because each function that takes a future has it twice, and the router moves what comes of it.
        let steps = Box::pin(async {
            match self.handle(request, mcp).await {
                ControlFlow::Continue(answer) | ControlFlow::Break(answer) => answer,
            }
        });
        let answering =
            AssertUnwindSafe(limits::in_number(&self.slots, limits::in_time(self.time, steps)));
        let mut answer = answering.catch_unwind().await.unwrap_or_else(panicked);
        landing::vary(&method, &mut answer);
        answer
    }

    /// The way, step by step. A step that does not let the request pass answers it.
    async fn handle<S>(&self, request: Request, mcp: S) -> ControlFlow<Response, Response>
    where
        S: Service<Request, Error = Infallible>,
        S::Response: IntoResponse,
    {
        self.host_check.refuse_foreign(request.uri(), request.headers())?;
        self.page.answer_browsers(request.method(), request.headers())?;
        let request = self.authenticator.sign_in(request).await?;
        let (request, read) = message::read_message(request, self.max_body_bytes).await?;
        self.authenticator.authorize(request.extensions(), &read)?;
        self.rate_limit.per_user(request.extensions(), &read)?;
        drop(read);
        ControlFlow::Continue(answer(mcp, request).await)
    }
}

async fn answer<S>(service: S, request: Request) -> Response
where
    S: Service<Request, Error = Infallible>,
    S::Response: IntoResponse,
{
    match service.oneshot(request).await {
        Ok(answer) => answer.into_response(),
        Err(never) => match never {},
    }
}

/// `/mcp`, and below the advertised URL's path too: a proxy may pass that path on or take it off.
fn endpoint_paths(advertised_url: Option<&AdvertisedUrl>) -> Vec<String> {
    let mut paths = vec![ENDPOINT.to_owned()];
    paths.extend(advertised_url.map(AdvertisedUrl::endpoint_path).filter(|path| path != ENDPOINT));
    paths
}

/// Pages of allowed origins may call with a token and read the challenge. No cookies, so no credentials in CORS's sense.
fn endpoint_cors(host_check: Arc<HostCheck>) -> CorsLayer {
    CorsLayer::new()
        .allow_origin(AllowOrigin::predicate(move |origin, _| host_check.allows_origin(origin)))
        .allow_methods([Method::POST, Method::GET, Method::DELETE])
        // Tools may name headers of their own (`Mcp-Param-…`), so what is asked for is allowed.
        .allow_headers(AllowHeaders::mirror_request())
        .expose_headers([
            header::WWW_AUTHENTICATE,
            header::RETRY_AFTER,
            HeaderName::from_static("mcp-session-id"),
            HeaderName::from_static("mcp-protocol-version"),
            HeaderName::from_static("x-request-id"),
        ])
}

/// The metadata is public: any page may read it.
fn metadata_cors() -> CorsLayer {
    CorsLayer::new().allow_origin(AnyOrigin).allow_methods([Method::GET]).allow_headers(AnyOrigin)
}

async fn not_found() -> Response {
    (StatusCode::NOT_FOUND, "not found: the MCP endpoint is /mcp\n").into_response()
}

/// What went wrong is in the log; the caller learns that it is not the caller's doing.
fn panicked(_: Box<dyn Any + Send>) -> Response {
    RpcError::internal(StatusCode::INTERNAL_SERVER_ERROR, "internal error").into_response()
}
