//! Why a call gives no result.

use super::{arguments::ArgumentError, outcome::Outcome};
use crate::lenses;

/// Why a call failed, in words for the model: what happened and what to do.
#[derive(Debug, thiserror::Error)]
pub enum ToolError {
    /// The arguments are wrong; nothing was sent to Lenses.
    #[error("{0}. Nothing was sent to Lenses: correct the call and try again.")]
    Arguments(#[from] ArgumentError),
    /// Lenses did not do it.
    #[error("{error}. {advice}")]
    Lenses {
        /// What the client of Lenses says.
        error: lenses::Error,
        /// What the model should do next.
        advice: Box<str>,
    },
    /// Lenses did it, and what it says of it can't be shown.
    #[error("{0}")]
    Hidden(&'static str),
}

impl From<lenses::Error> for ToolError {
    fn from(error: lenses::Error) -> Self {
        let advice = error.advice().into();
        Self::Lenses { error, advice }
    }
}

/// What the model is told where a change may have been made though the call failed.
const LOOK_FIRST: &str = "A change may have been made: look before repeating it.";

impl ToolError {
    /// The same after a call that would change something.
    pub(super) fn after_change(self) -> Self {
        match self {
            Self::Lenses { error, advice } if error.may_have_changed() => {
                Self::Lenses { error, advice: format!("{LOOK_FIRST} {advice}").into() }
            }
            other => other,
        }
    }

    /// The label under which the call is counted.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::Lenses { error, .. } => match error {
                lenses::Error::Unauthorized(_) | lenses::Error::Forbidden(_) => Outcome::Denied,
                lenses::Error::TimedOut { .. } => Outcome::TimedOut,
                lenses::Error::Unreachable { .. }
                | lenses::Error::Interrupted { .. }
                | lenses::Error::Failed { .. }
                | lenses::Error::Overloaded
                | lenses::Error::Unreadable { .. } => Outcome::Unavailable,
                _ => Outcome::Error,
            },
            Self::Arguments(_) | Self::Hidden(_) => Outcome::Error,
        }
    }
}
