//! The requests that HQ saw, for tests that compare them with what should have been sent. No
//! credential is kept.

use std::collections::VecDeque;
use std::sync::Arc;

use axum::Json;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode, header};
use serde::Serialize;
use serde_json::Value;

use super::problem::Problem;
use super::{Hq, lock};

/// Entries kept; the oldest goes first.
const ENTRIES: usize = 1_000;
/// The largest body that is kept, in bytes.
const KEPT_BODY: usize = 8 * 1024;
/// The largest body that HQ takes, in bytes.
const MAX_BODY: usize = 1024 * 1024;
/// Form fields whose values are not kept.
const SECRET_FIELDS: [&str; 7] =
    ["token", "code", "code_verifier", "client_secret", "refresh_token", "password", "request"];

/// A request as HQ saw it.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Seen {
    /// Counts up from 1 and goes on when the log is cleared.
    id: u64,
    /// The HTTP method, or `WEBSOCKET` for the first frame of a SQL query.
    method: String,
    /// Path and query exactly as received, nothing decoded.
    target: String,
    /// Scheme of the `Authorization` header, in lower case.
    authorization: Option<String>,
    /// A small JSON body as it is; a form as an object, its secrets masked.
    body: Option<Value>,
}

/// The latest requests.
#[derive(Debug, Default)]
pub(crate) struct RequestLog {
    last_id: u64,
    entries: VecDeque<Seen>,
}

impl RequestLog {
    pub(crate) fn push(
        &mut self,
        method: &str,
        target: &str,
        authorization: Option<String>,
        body: Option<Value>,
    ) {
        self.last_id += 1;
        if self.entries.len() == ENTRIES {
            self.entries.pop_front();
        }
        let (method, target) = (method.to_owned(), target.to_owned());
        self.entries.push_back(Seen { id: self.last_id, method, target, authorization, body });
    }
}

/// Middleware: bounds the body and, when there is a log, writes the request down.
pub(crate) async fn record(State(hq): State<Arc<Hq>>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, MAX_BODY).await else {
        return (StatusCode::PAYLOAD_TOO_LARGE, "the body is larger than 1 MiB\n").into_response();
    };
    if let Some(log) = &hq.requests {
        let target = parts.uri.path_and_query().map_or("/", |target| target.as_str());
        lock(log).push(
            parts.method.as_str(),
            target,
            scheme(&parts.headers),
            kept(&parts.headers, &body),
        );
    }
    next.run(Request::from_parts(parts, Body::from(body))).await
}

/// `GET /requests` on the control listener, oldest first.
pub(crate) async fn list(State(hq): State<Arc<Hq>>) -> Result<Json<Vec<Seen>>, Problem> {
    let log = hq.requests.as_ref().ok_or_else(|| Problem::not_found("request log"))?;
    Ok(Json(lock(log).entries.iter().cloned().collect()))
}

/// `DELETE /requests` on the control listener.
pub(crate) async fn clear(State(hq): State<Arc<Hq>>) -> StatusCode {
    if let Some(log) = &hq.requests {
        lock(log).entries.clear();
    }
    StatusCode::NO_CONTENT
}

fn scheme(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    value.split(' ').next().map(str::to_lowercase)
}

fn kept(headers: &HeaderMap, body: &Bytes) -> Option<Value> {
    if body.is_empty() || body.len() > KEPT_BODY {
        return None;
    }
    let content_type = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    if content_type.starts_with("application/x-www-form-urlencoded") {
        let fields = url::form_urlencoded::parse(body).map(|(name, value)| {
            let value = if SECRET_FIELDS.contains(&name.as_ref()) { "***".into() } else { value };
            (name.into_owned(), Value::from(value))
        });
        return Some(Value::Object(fields.collect()));
    }
    serde_json::from_slice(body).ok().filter(|_| content_type.starts_with("application/json"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_kept_without_its_secrets() {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, "application/x-www-form-urlencoded".parse().unwrap());
        let body = Bytes::from_static(b"token=at_secret&token_type_hint=access_token");
        assert_eq!(
            kept(&headers, &body),
            Some(serde_json::json!({"token": "***", "token_type_hint": "access_token"}))
        );
    }

    #[test]
    fn the_log_is_bounded_and_keeps_the_latest() {
        let mut log = RequestLog::default();
        for number in 0..=ENTRIES {
            log.push("GET", &format!("/{number}"), None, None);
        }
        assert_eq!(log.entries.len(), ENTRIES);
        assert_eq!(log.entries.front().unwrap().id, 2);
        assert_eq!(log.entries.back().unwrap().target, format!("/{ENTRIES}"));
    }
}
