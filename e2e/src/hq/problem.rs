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
    invalid_fields: Vec<(&'static str, String)>,
}

impl Problem {
    fn new(status: StatusCode, kind: &'static str, title: String) -> Self {
        Self { status, kind, title, invalid_fields: Vec::new() }
    }

    /// No or no good credential: 401, with the challenge that RFC 6750 §3 asks for.
    pub(crate) fn unauthorised() -> Self {
        let title = "the request has no valid credential: send a service account token or an OAuth \
                     access token as a bearer token";
        Self::new(StatusCode::UNAUTHORIZED, "unauthorised", title.to_owned())
    }

    /// HQ's IAM refuses `action` on `resource` to `user`.
    pub(crate) fn forbidden(user: &str, action: &str, resource: &str) -> Self {
        let title = format!("user {user:?} is not allowed to perform {action} on {resource:?}");
        Self::new(StatusCode::FORBIDDEN, "forbidden", title)
    }

    /// There is no such thing in HQ.
    pub(crate) fn not_found(what: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", format!("{what} not found"))
    }

    /// The environment is known but its agent is not connected to HQ, so nothing can be proxied to
    /// it.
    pub(crate) fn agent_not_connected(environment: &str) -> Self {
        let title = format!("the agent of environment {environment:?} is not connected");
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "agent_not_connected", title)
    }

    /// A request that cannot be read: a parameter or body that is not what the route takes.
    pub(crate) fn invalid_parameter(title: String) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_parameter", title)
    }

    /// Fields of a request that can be read but hold what HQ does not take, each named: 400.
    pub(crate) fn validation(fields: Vec<(&'static str, String)>) -> Self {
        let title = "the request is not valid".to_owned();
        Self {
            invalid_fields: fields,
            ..Self::new(StatusCode::BAD_REQUEST, "validation_error", title)
        }
    }

    /// What should be made is there already.
    pub(crate) fn conflict(title: String) -> Self {
        Self::new(StatusCode::CONFLICT, "conflict", title)
    }

    /// The licence does not allow it.
    pub(crate) fn licence_limitation(title: String) -> Self {
        Self::new(StatusCode::FORBIDDEN, "licence_limitation", title)
    }

    /// Any other status, as a fault that was asked for.
    pub(crate) fn of_status(status: StatusCode) -> Self {
        let title = format!("fault set on the stand-in: {status}");
        Self::new(status, "internal_server_error", title)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let invalid_fields: Vec<_> = self
            .invalid_fields
            .iter()
            .map(|(field, error)| json!({"name": field, "reason": error}))
            .collect();
        let body = json!({
            "type": self.kind,
            "title": self.title,
            "status": self.status.as_u16(),
            "invalid_fields": invalid_fields,
            "request_id": Uuid::new_v4(),
        });
        let mut response = (self.status, Json(body)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(
                header::WWW_AUTHENTICATE,
                HeaderValue::from_static("Bearer realm=\"lenses-hq\""),
            );
        }
        response
    }
}
