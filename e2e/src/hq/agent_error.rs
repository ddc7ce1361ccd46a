//! The agent's errors: what an environment's agent answers through HQ's proxy, in its own shape.

use std::fmt;

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde_json::json;

use super::problem::Problem;

/// A refusal by an environment's agent: `{error, fields:
/// [{field, error, lineNumber, columnNumber}], errorType}`.
#[derive(Debug)]
pub(crate) struct AgentError {
    status: StatusCode,
    error_type: &'static str,
    error: String,
    fields: Vec<(&'static str, String)>,
}

impl AgentError {
    pub(crate) fn new(status: StatusCode, error_type: &'static str, error: String) -> Self {
        Self { status, error_type, error, fields: Vec::new() }
    }

    /// One or more fields of the request are wrong: 400, each named.
    pub(crate) fn invalid(fields: Vec<(&'static str, String)>) -> Self {
        let error = "the request is not valid".to_owned();
        Self { status: StatusCode::BAD_REQUEST, error_type: "ValidationError", error, fields }
    }

    pub(crate) fn topic_not_found(name: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "TopicNotFound", format!("topic [{name}] not found"))
    }
}

/// As a sentence, for where only text fits.
impl fmt::Display for AgentError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.error)?;
        self.fields.iter().try_for_each(|(field, error)| write!(formatter, "; {field} {error}"))
    }
}

/// Either way in which a request that is proxied to an agent can be refused.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// By HQ.
    Hq(Problem),
    /// By the agent.
    Agent(AgentError),
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self::Hq(problem)
    }
}

impl From<AgentError> for Refusal {
    fn from(error: AgentError) -> Self {
        Self::Agent(error)
    }
}

impl IntoResponse for AgentError {
    fn into_response(self) -> Response {
        let fields: Vec<_> = self
            .fields
            .iter()
            .map(|(field, error)| {
                json!({
                    "field": field, "error": error, "lineNumber": null, "columnNumber": null
                })
            })
            .collect();
        let body = json!({"error": self.error, "fields": fields, "errorType": self.error_type});
        (self.status, Json(body)).into_response()
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        match self {
            Self::Hq(problem) => problem.into_response(),
            Self::Agent(error) => error.into_response(),
        }
    }
}
