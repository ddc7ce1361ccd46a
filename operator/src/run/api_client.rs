//! The client for the API server, which counts its requests.

use std::{
    sync::Arc,
    task::{self, Poll},
    time::Duration,
};

use axum::http::{Method, Request, Response, Uri};
use futures::{FutureExt, future::BoxFuture};
use kube::{Client, Config, client::ClientBuilder};
use tower::{Service, layer::layer_fn};

use super::RunError;
use crate::metrics::Metrics;

/// A client that counts its requests. Watches stay open, so there is no read timeout here; each
/// reconcile has its own.
pub(super) fn client(mut config: Config, metrics: &Arc<Metrics>) -> Result<Client, RunError> {
    config.connect_timeout = Some(Duration::from_secs(5));
    let metrics = Arc::clone(metrics);
    let count = layer_fn(move |inner| Counting { inner, metrics: Arc::clone(&metrics) });
    Ok(ClientBuilder::try_from(config)?.with_layer(&count).build())
}

/// Counts the requests to `inner`.
#[derive(Clone)]
struct Counting<S> {
    inner: S,
    metrics: Arc<Metrics>,
}

impl<S, B, R> Service<Request<B>> for Counting<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<S::Response, S::Error>>;

    fn poll_ready(&mut self, context: &mut task::Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let metrics = Arc::clone(&self.metrics);
        let mut sent = Sent { verb: verb(request.method(), request.uri()), code: None, metrics };
        let response = self.inner.call(request);
        async move {
            let response = response.await;
            sent.ended(response.as_ref().ok().map(|response| response.status().as_u16()));
            response
        }
        .boxed()
    }
}

/// A request, which is counted when it ends, also if nobody waits for its response any more.
struct Sent {
    verb: &'static str,
    code: Option<u16>,
    metrics: Arc<Metrics>,
}

impl Sent {
    fn ended(&mut self, code: Option<u16>) {
        self.code = code;
    }
}

impl Drop for Sent {
    fn drop(&mut self) {
        self.metrics.requested(self.verb, self.code);
    }
}

fn verb(method: &Method, uri: &Uri) -> &'static str {
    let watches =
        uri.query().is_some_and(|query| query.split('&').any(|pair| pair == "watch=true"));
    match method.as_str() {
        "GET" if watches => "watch",
        "GET" => "get",
        "POST" => "create",
        "PATCH" => "patch",
        "PUT" => "update",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use tower::{ServiceExt, service_fn};

    use super::*;
    use crate::metrics::Gauges;

    fn request(method: &str, uri: &str) -> Request<()> {
        Request::builder().method(method).uri(uri).body(()).unwrap()
    }

    #[tokio::test]
    async fn each_request_is_counted_with_its_verb_and_code() {
        let metrics = Arc::new(Metrics::default());
        let answer = service_fn(|request: Request<()>| async move {
            if request.uri().path() == "/never" {
                std::future::pending::<()>().await;
            }
            let code = if request.uri().path() == "/taken" { 409 } else { 200 };
            Ok::<_, Infallible>(Response::builder().status(code).body(()).unwrap())
        });
        let client = Counting { inner: answer, metrics: Arc::clone(&metrics) };
        for (method, uri) in
            [("GET", "/a"), ("GET", "/a"), ("GET", "/a?watch=true"), ("POST", "/taken")]
        {
            client.clone().oneshot(request(method, uri)).await.unwrap();
        }
        assert!(client.oneshot(request("PUT", "/never")).now_or_never().is_none());
        let text = metrics.encode(&Gauges::default()).unwrap();
        for line in [
            r#"verb="get",code="200"} 2"#,
            r#"verb="watch",code="200"} 1"#,
            r#"verb="create",code="409"} 1"#,
            r#"verb="update",code="error"} 1"#,
        ] {
            let line = format!("lenses_mcp_operator_api_requests_total{{{line}");
            assert!(text.contains(&line), "{line} is not in {text}");
        }
    }
}
