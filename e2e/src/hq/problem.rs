//! HQ's own errors: problem documents (RFC 7807) with HQ's closed list of types.

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde_json::json;
use uuid::Uuid;

/// A refusal by HQ itself, before or instead of an environment's agent.
#[derive(Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    kind: &'static str,
    title: String,
}

impl Problem {
    /// No or no good credential: 401, with the challenge that RFC 6750 §3 asks for.
    pub(crate) fn unauthorised() -> Self {
        let title = "the request has no valid credential: send a service account token or an OAuth access token as a bearer token";
        Self { status: StatusCode::UNAUTHORIZED, kind: "unauthorised", title: title.to_owned() }
    }

    /// HQ's IAM refuses `action` on `resource` to `user`.
    pub(crate) fn forbidden(user: &str, action: &str, resource: &str) -> Self {
        let title = format!("user {user:?} is not allowed to perform {action} on {resource:?}");
        Self { status: StatusCode::FORBIDDEN, kind: "forbidden", title }
    }

    /// There is no such thing in HQ.
    pub(crate) fn not_found(what: &str) -> Self {
        Self { status: StatusCode::NOT_FOUND, kind: "not_found", title: format!("{what} not found") }
    }

    /// The environment is known but its agent is not connected to HQ, so nothing can be proxied to it.
    pub(crate) fn agent_not_connected(environment: &str) -> Self {
        let title = format!("the agent of environment {environment:?} is not connected");
        Self { status: StatusCode::SERVICE_UNAVAILABLE, kind: "agent_not_connected", title }
    }

    /// A request that cannot be read: a parameter or body that is not what the route takes.
    pub(crate) fn invalid_parameter(title: String) -> Self {
        Self { status: StatusCode::BAD_REQUEST, kind: "invalid_parameter", title }
    }

    /// Any other status, as a fault that was asked for.
    pub(crate) fn of_status(status: StatusCode) -> Self {
        let title = format!("fault set on the stand-in: {status}");
        Self { status, kind: "internal_server_error", title }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = json!({
            "type": self.kind,
            "title": self.title,
            "status": self.status.as_u16(),
            "invalid_fields": [],
            "request_id": Uuid::new_v4(),
        });
        let mut response = (self.status, Json(body)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"lenses-hq\""));
        }
        response
    }
}
