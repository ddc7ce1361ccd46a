//! The condition types and reasons of a `LensesMcpServer`: all the words that `status.conditions` can hold.

use std::fmt;

/// The type of a condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ConditionType {
    /// All of the others that apply are true. This is what `kubectl wait` waits on.
    Ready,
    /// The spec is valid, what it refers to exists, and no name is taken.
    Accepted,
    /// The Deployment serves what the spec asks for with all its replicas.
    Available,
    /// kstatus: work is under way. Present only while true.
    Reconciling,
    /// kstatus: nothing will move until somebody acts. Present only while true.
    Stalled,
}

/// Why a condition is as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// Ready: nothing holds the server back.
    Ready,
    /// Accepted: nothing to say.
    Accepted,
    /// Accepted, with a warning: `auth.apiKey.callers.anyone` is true.
    AnyoneMayCall,
    /// The spec contradicts itself, or this operator cannot read it.
    InvalidSpec,
    /// A Secret, a Service or a port of one that the spec names is not there.
    ReferenceNotFound,
    /// An object of a name that this resource needs belongs to someone else.
    NameTaken,
    /// The API server refused a change, or did not answer.
    ApplyFailed,
    /// The Deployment serves.
    Available,
    /// Pods are being made or replaced.
    RolloutInProgress,
    /// Pods were to be made or replaced, and that has not succeeded in the Deployment's deadline.
    RolloutStalled,
    /// `spec.paused` is true and there is nothing that runs.
    Paused,
}

impl ConditionType {
    /// The type as it stands in `status.conditions`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "Ready",
            Self::Accepted => "Accepted",
            Self::Available => "Available",
            Self::Reconciling => "Reconciling",
            Self::Stalled => "Stalled",
        }
    }
}

impl Reason {
    /// The reason as it stands in `status.conditions`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "Ready",
            Self::Accepted => "Accepted",
            Self::AnyoneMayCall => "AnyoneMayCall",
            Self::InvalidSpec => "InvalidSpec",
            Self::ReferenceNotFound => "ReferenceNotFound",
            Self::NameTaken => "NameTaken",
            Self::ApplyFailed => "ApplyFailed",
            Self::Available => "Available",
            Self::RolloutInProgress => "RolloutInProgress",
            Self::RolloutStalled => "RolloutStalled",
            Self::Paused => "Paused",
        }
    }
}

impl fmt::Display for ConditionType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
