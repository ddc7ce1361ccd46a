//! Why a call to Lenses HQ did not give what was asked, and what to do next.

use std::time::Duration;

use http::StatusCode;

use super::{LensesOutcome, problem::Problem};

/// One failed call. The message says what happened; [`Error::advice`] says what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// 401: HQ does not take the caller's credential, or takes it no longer.
    #[error("Lenses HQ does not accept the credential: {0}")]
    Unauthorized(Problem),
    /// 403: the user's IAM permissions do not allow it.
    #[error("Lenses HQ does not allow this: {0}")]
    Forbidden(Problem),
    /// 404.
    #[error("not found: {0}")]
    NotFound(Problem),
    /// 409.
    #[error("conflict with what is there: {0}")]
    Conflict(Problem),
    /// The environment is there but its agent is not connected to HQ.
    #[error("the environment's agent can't be used: {0}")]
    Agent(Problem),
    /// The agent is connected, and HQ's call to it failed.
    #[error("the environment's agent failed: {0}")]
    AgentFailed(Problem),
    /// The agent is connected, and too old for the request.
    #[error("the environment's agent is too old for this: {0}")]
    AgentTooOld(Problem),
    /// 402: the licence does not cover it.
    #[error("the Lenses licence does not cover this: {0}")]
    Licence(Problem),
    /// 400, 422 and every other 4xx: the request itself is wrong.
    #[error("Lenses refused the request ({status}): {problem}")]
    Rejected {
        /// The status.
        status: StatusCode,
        /// In HQ's or the agent's words.
        problem: Problem,
    },
    /// 429.
    #[error("Lenses is asked too often: {0}")]
    TooManyRequests(Problem),
    /// 5xx.
    #[error("Lenses failed ({status}): {problem}")]
    Failed {
        /// The status.
        status: StatusCode,
        /// In HQ's or the agent's words.
        problem: Problem,
    },
    /// An INVALIDREQUEST frame: the query is wrong and was not run.
    #[error("the query failed: {0}")]
    InvalidQuery(Problem),
    /// An ERROR frame: the query is wrong, or broke off when it had done a part of its work.
    #[error("the query failed: {0}")]
    Query(Problem),
    /// No connection to HQ: nothing was sent.
    #[error("Lenses HQ can't be reached: {reason}")]
    Unreachable {
        /// Which step failed, without the address.
        reason: String,
    },
    /// The connection broke when the request had been sent, or a part of it.
    #[error("the connection to Lenses HQ broke: {reason}")]
    Interrupted {
        /// Where it broke.
        reason: String,
    },
    /// HQ did not answer in time.
    #[error("Lenses HQ did not answer within {} s", after.as_secs_f32())]
    TimedOut {
        /// The limit.
        after: Duration,
    },
    /// The reply is larger than this server reads.
    #[error("the reply is larger than the limit of {limit} bytes")]
    TooLarge {
        /// The limit, in bytes.
        limit: usize,
    },
    /// HQ answered with something that can't be a reply to this request.
    #[error("Lenses HQ answered with {what}")]
    Unreadable {
        /// What came, as a noun phrase.
        what: &'static str,
    },
    /// This server works on too many bytes already (`MCP_MEMORY_BUDGET_BYTES`).
    #[error("this server is working on too many and too large replies at the moment")]
    Overloaded,
    /// The credential can't be put into an HTTP header.
    #[error("the credential for Lenses HQ holds characters that an HTTP header can't carry")]
    Credential,
}

impl Error {
    /// The same with each text of HQ's or an agent's put through `change`.
    #[must_use]
    pub fn map_reasons(mut self, change: impl Fn(&str) -> String) -> Self {
        if let Some(problem) = self.problem_mut() {
            problem.map_reasons(change);
        }
        self
    }

    /// What HQ or an agent said.
    fn problem_mut(&mut self) -> Option<&mut Problem> {
        match self {
            Self::Unauthorized(problem)
            | Self::Forbidden(problem)
            | Self::NotFound(problem)
            | Self::Conflict(problem)
            | Self::Agent(problem)
            | Self::AgentFailed(problem)
            | Self::AgentTooOld(problem)
            | Self::Licence(problem)
            | Self::Rejected { problem, .. }
            | Self::TooManyRequests(problem)
            | Self::Failed { problem, .. }
            | Self::InvalidQuery(problem)
            | Self::Query(problem) => Some(problem),
            Self::Unreachable { .. }
            | Self::Interrupted { .. }
            | Self::TimedOut { .. }
            | Self::TooLarge { .. }
            | Self::Unreadable { .. }
            | Self::Overloaded
            | Self::Credential => None,
        }
    }

    /// The error for a reply that is not 2xx.
    pub(super) fn from_reply(status: StatusCode, problem: Problem) -> Self {
        match (status, problem.kind.as_deref()) {
            (StatusCode::UNAUTHORIZED, _) => Self::Unauthorized(problem),
            (_, Some("agent_not_connected")) => Self::Agent(problem),
            (_, Some("agent_rpc_error")) => Self::AgentFailed(problem),
            (_, Some("missing_agent_capabilities")) => Self::AgentTooOld(problem),
            (StatusCode::PAYMENT_REQUIRED, _) | (_, Some("licence_limitation")) => {
                Self::Licence(problem)
            }
            (StatusCode::FORBIDDEN, _) | (StatusCode::BAD_REQUEST, Some("forbidden")) => {
                Self::Forbidden(problem)
            }
            (StatusCode::NOT_FOUND, _) | (StatusCode::BAD_REQUEST, Some("not_found")) => {
                Self::NotFound(problem)
            }
            (StatusCode::CONFLICT, _) | (StatusCode::BAD_REQUEST, Some("conflict")) => {
                Self::Conflict(problem)
            }
            (StatusCode::TOO_MANY_REQUESTS, _) => Self::TooManyRequests(problem),
            _ if status.is_client_error() => Self::Rejected { status, problem },
            _ if status.is_server_error() => Self::Failed { status, problem },
            _ if status.is_redirection() => Self::Unreadable { what: "a redirect" },
            _ => Self::Unreadable { what: "an unexpected status" },
        }
    }

    /// The label under which the call is counted.
    pub(super) fn outcome(&self) -> LensesOutcome {
        match self {
            Self::Unauthorized(_) | Self::Credential => LensesOutcome::Unauthorized,
            Self::Forbidden(_) => LensesOutcome::Forbidden,
            Self::NotFound(_)
            | Self::Conflict(_)
            | Self::Rejected { .. }
            | Self::Licence(_)
            | Self::TooManyRequests(_)
            | Self::InvalidQuery(_)
            | Self::Query(_) => LensesOutcome::Rejected,
            Self::Agent(_) | Self::AgentFailed(_) | Self::AgentTooOld(_) | Self::Failed { .. } => {
                LensesOutcome::ServerError
            }
            Self::Unreachable { .. } | Self::Interrupted { .. } => LensesOutcome::Unreachable,
            Self::TimedOut { .. } => LensesOutcome::TimedOut,
            Self::TooLarge { .. } | Self::Overloaded | Self::Unreadable { .. } => {
                LensesOutcome::Unreadable
            }
        }
    }
}

/// Why a [`Client`](super::Client) could not be made.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The address is not `http` or `https` with a host.
    #[error("{url:?} can't be the address of Lenses HQ; write http:// or https:// and a host")]
    Url {
        /// What was given.
        url: String,
    },
    /// The HTTP client could not be set up.
    #[error("failed to set up the HTTP client for Lenses HQ: {0}")]
    Http(#[source] reqwest::Error),
}

/// An error and its causes, innermost last.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let message = error.to_string();
        // Some layers repeat their cause in their own message.
        if !text.contains(&message) {
            text.push_str(": ");
            text.push_str(&message);
        }
        cause = error.source();
    }
    text
}
