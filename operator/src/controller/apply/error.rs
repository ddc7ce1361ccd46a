//! Why a write failed.

use crate::api_error;

/// What can go wrong in writing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ApplyError {
    /// The API server refused or did not answer.
    #[error("failed to apply {kind} {name}: {}", api_error::message(source))]
    Apply { kind: String, name: String, source: kube::Error },
    /// The same, of something that is no longer asked for.
    #[error("failed to delete {kind} {name}: {}", api_error::message(source))]
    Remove { kind: String, name: String, source: kube::Error },
}

impl ApplyError {
    /// Whether the API server refuses what is asked for, and would refuse it again.
    pub(crate) fn is_refusal(&self) -> bool {
        matches!(self.code(), Some(400 | 422))
    }

    /// Whether it refuses that now, as a policy or a quota may. A conflict, or too many requests,
    /// is no refusal.
    pub(crate) fn is_refused_now(&self) -> bool {
        matches!(self.code(), Some(400..=499)) && !matches!(self.code(), Some(408 | 409 | 429))
    }

    fn code(&self) -> Option<u16> {
        match self {
            Self::Apply { source: kube::Error::Api(status), .. }
            | Self::Remove { source: kube::Error::Api(status), .. } => Some(status.code),
            Self::Apply { .. } | Self::Remove { .. } => None,
        }
    }
}
