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
        matches!(self.code(), Some(400 | 422)) || self.is_unmergeable()
    }

    /// Whether it refuses that now, as a policy or a quota may. A conflict, or too many requests,
    /// is no refusal.
    pub(crate) fn is_refused_now(&self) -> bool {
        let is_refused =
            matches!(self.code(), Some(400..=499)) && !matches!(self.code(), Some(408 | 409 | 429));
        is_refused || self.is_unmergeable()
    }

    /// Whether the API server cannot merge the object, as with two items of a list that have one
    /// key. It answers with the code of an internal error.
    fn is_unmergeable(&self) -> bool {
        self.status().is_some_and(|status| {
            status.code == 500 && status.message.starts_with("failed to create typed patch object")
        })
    }

    fn code(&self) -> Option<u16> {
        self.status().map(|status| status.code)
    }

    fn status(&self) -> Option<&kube::core::Status> {
        match self {
            Self::Apply { source: kube::Error::Api(status), .. }
            | Self::Remove { source: kube::Error::Api(status), .. } => Some(status),
            Self::Apply { .. } | Self::Remove { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_be_refused_again_is_told_from_what_may_pass() {
        let unmergeable = "failed to create typed patch object (a/b; apps/v1, Kind=Deployment): \
                           .spec.template.spec.volumes: duplicate entries for key [name=\"a\"]";
        for (code, message, refusal, refused_now) in [
            (422, "is invalid", true, true),
            (403, "exceeded quota", false, true),
            (409, "conflict", false, false),
            (500, "etcdserver: request timed out", false, false),
            (500, unmergeable, true, true),
        ] {
            let status = kube::core::Status::failure(message, "").with_code(code).boxed();
            let source = kube::Error::Api(status);
            let (kind, name) = ("Deployment".to_owned(), "mcp".to_owned());
            let error = ApplyError::Apply { kind, name, source };
            let is = (error.is_refusal(), error.is_refused_now());
            assert_eq!(is, (refusal, refused_now), "{code} {message}");
        }
    }
}
