//! Why a call gives no result.

use super::{arguments::ArgumentError, outcome::Outcome};
use crate::{
    identity::SignInMode,
    lenses::{self, Intent},
};

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
        /// What the model should do next; empty until [`Self::advised`].
        advice: Box<str>,
    },
    /// Lenses did it, and what it says of it can't be shown.
    #[error("{0}")]
    Hidden(&'static str),
}

impl From<lenses::Error> for ToolError {
    fn from(error: lenses::Error) -> Self {
        Self::Lenses { error, advice: Box::default() }
    }
}

impl ToolError {
    /// The same with what to do next, for a caller who signed in by `sign_in` after a call that was
    /// to do `intent`. `when_forbidden` is the tool's own advice for users whom Lenses does not
    /// allow it.
    pub(super) fn advised(
        self,
        sign_in: SignInMode,
        intent: Intent,
        when_forbidden: Option<&str>,
    ) -> Self {
        let Self::Lenses { error, .. } = self else { return self };
        let advice = match (&error, when_forbidden) {
            (lenses::Error::Forbidden(_), Some(advice)) => advice.to_owned(),
            _ => error.advice(sign_in, intent),
        };
        Self::Lenses { error, advice: advice.into() }
    }

    /// The label under which the call is counted.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::Lenses { error, .. } => Outcome::of(error),
            Self::Arguments(_) | Self::Hidden(_) => Outcome::Error,
        }
    }
}
