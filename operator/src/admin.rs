//! The admin port: `/livez`, `/readyz` and `/metrics`. It says nothing about any one resource.

use std::sync::Arc;

use axum::{
    Router, extract::State, http::StatusCode, http::header, response::IntoResponse, routing::get,
};
use tokio::sync::watch;

use crate::{
    context::Context,
    metrics::{Gauges, Metrics},
};

/// What the admin port can see.
#[derive(Clone)]
pub struct Admin {
    /// The counters.
    pub metrics: Arc<Metrics>,
    /// How far this process is.
    pub stage: watch::Receiver<Stage>,
}

/// How far this process is.
pub enum Stage {
    /// The API server and the Lease have not been reached.
    Starting,
    /// The Lease was read, and another process holds it.
    Standby,
    /// This process holds the Lease and works.
    Leading(Arc<Context>),
}

impl Stage {
    /// What this process waits for before it is ready. A missing CRD or a missing right shows here.
    fn awaits(&self) -> Option<String> {
        match self {
            Self::Starting => Some("the API server or the Lease was not reached yet".to_owned()),
            Self::Standby => None,
            Self::Leading(context) => {
                let unread = context.unread();
                (!unread.is_empty()).then(|| format!("not read yet: {}", unread.join(", ")))
            }
        }
    }

    fn gauges(&self) -> Gauges {
        match self {
            Self::Starting | Self::Standby => Gauges::default(),
            Self::Leading(context) => context.gauges(),
        }
    }
}

/// The routes of the admin port.
pub fn router(admin: Admin) -> Router {
    Router::new()
        .route("/livez", get(|| async { "alive\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .with_state(admin)
}

/// Ready is: on standby, or working with everything read once.
async fn ready(State(admin): State<Admin>) -> (StatusCode, String) {
    match admin.stage.borrow().awaits() {
        None => (StatusCode::OK, "ready\n".to_owned()),
        Some(awaited) => (StatusCode::SERVICE_UNAVAILABLE, format!("{awaited}\n")),
    }
}

async fn metrics(State(admin): State<Admin>) -> axum::response::Response {
    let gauges = admin.stage.borrow().gauges();
    match admin.metrics.encode(&gauges) {
        Ok(text) => (
            [(header::CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")],
            text,
        )
            .into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

#[cfg(test)]
mod tests {
    use axum::{body::Body, http::Request};
    use kube::Client;
    use tower::ServiceExt;

    use super::*;
    use crate::{controller::fixtures::defaults, watching::Caches};

    async fn ready(stage: Stage) -> StatusCode {
        let (_sender, stage) = watch::channel(stage);
        let router = router(Admin { metrics: Arc::default(), stage });
        let request = Request::get("/readyz").body(Body::empty()).unwrap();
        router.oneshot(request).await.unwrap().status()
    }

    /// Of a controller that has read nothing.
    fn context() -> Context {
        let never = tower::service_fn(|_| {
            type Answer = Result<axum::http::Response<kube::client::Body>, std::io::Error>;
            std::future::pending::<Answer>()
        });
        let (caches, _writers) = Caches::new();
        let (client, caches) = (Client::new(never, "default"), Arc::new(caches));
        Context::new(client, caches, Arc::default(), defaults(), "me".to_owned()).0
    }

    #[tokio::test]
    async fn it_is_ready_once_the_lease_was_read_or_everything_was() {
        assert_eq!(ready(Stage::Starting).await, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(ready(Stage::Standby).await, StatusCode::OK);
        let leading = Stage::Leading(Arc::new(context()));
        assert_eq!(ready(leading).await, StatusCode::SERVICE_UNAVAILABLE);
    }
}
