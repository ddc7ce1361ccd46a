//! How a call ended.

use crate::{instruments::label_values, lenses};

label_values! {
    /// How a tool call ended.
    Outcome {
        /// The tool did what was asked.
        Success = "success",
        /// The tool answered with an error that the model is told.
        Error = "error",
        /// The user is being asked whether to go on.
        Asked = "asked",
        /// The user said no.
        Declined = "declined",
        /// The caller lacks a scope, or HQ said that the user may not.
        Denied = "denied",
        /// HQ could not be reached or failed.
        Unavailable = "unavailable",
        /// The call ran into one of the server's own time limits.
        TimedOut = "timed_out",
        /// The client went away or cancelled.
        Cancelled = "cancelled",
    }
}

impl Outcome {
    /// The outcome of what HQ answered with `error`.
    #[must_use]
    pub fn of(error: &lenses::Error) -> Self {
        match error {
            lenses::Error::Unauthorized(_) | lenses::Error::Forbidden(_) => Self::Denied,
            lenses::Error::TimedOut { .. } => Self::TimedOut,
            lenses::Error::Unreachable { .. }
            | lenses::Error::Interrupted { .. }
            | lenses::Error::Failed { .. }
            | lenses::Error::Overloaded
            | lenses::Error::Unreadable { .. } => Self::Unavailable,
            _ => Self::Error,
        }
    }

    /// The outcome if the call failed. A question to the user is no failure.
    #[must_use]
    pub fn failure(self) -> Option<&'static str> {
        (!matches!(self, Self::Success | Self::Asked)).then(|| self.as_str())
    }
}
