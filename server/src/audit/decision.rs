//! Who decided what about a call.

use schemars::JsonSchema;
use serde::Serialize;

use crate::tools::Unavailable;

/// What a line is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// A call of a tool, a prompt or a resource, a list of resources or a completion.
    Call,
    /// A token that was not accepted.
    SignIn,
}

/// When in an event a line is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Before a change or a deletion is sent to Lenses HQ.
    Started,
    /// At the end.
    Finished,
}

/// Whether a call may run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It may.
    Allowed,
    /// It may not; nothing was done.
    Denied,
    /// The user is asked first; nothing was done yet.
    Pending,
}

/// Who makes a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DecidedBy {
    /// Sign-in: the token is not good.
    SignIn,
    /// The scopes that the token holds.
    Scope,
    /// The settings of this server.
    Policy,
    /// A bound on the number of calls.
    Limit,
    /// The user, who was asked.
    User,
    /// Lenses HQ, which refused or could not be asked.
    Hq,
}

/// A decision, who made it, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decision {
    /// What it is.
    pub verdict: Verdict,
    /// Who made it.
    pub decided_by: DecidedBy,
    /// Why, in one word.
    pub reason: Option<&'static str>,
}

impl Decision {
    /// The policy lets the call run.
    pub const ALLOWED: Self =
        Self { verdict: Verdict::Allowed, decided_by: DecidedBy::Policy, reason: None };

    /// `decided_by` does not let it run, because of `reason`.
    #[must_use]
    pub const fn denied(decided_by: DecidedBy, reason: &'static str) -> Self {
        Self { verdict: Verdict::Denied, decided_by, reason: Some(reason) }
    }
}

impl From<Unavailable> for Decision {
    fn from(why: Unavailable) -> Self {
        match why {
            Unavailable::Denied(denied) => Self::denied(DecidedBy::Policy, denied.variable()),
            Unavailable::Scopes(_) => Self::denied(DecidedBy::Scope, "insufficient_scope"),
        }
    }
}
