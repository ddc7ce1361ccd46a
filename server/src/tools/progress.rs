//! How far a call is, for clients that asked to be told.

use tokio::sync::watch;

/// What a client is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProgressUpdate {
    /// Grows as the call goes on; there is no total.
    pub done: u64,
    /// The same in words.
    pub message: String,
}

/// Where a tool says how far it is. Saying so never waits: only the newest report is kept until it
/// can be sent.
#[derive(Debug, Clone)]
pub struct Progress(watch::Sender<Option<ProgressUpdate>>);

/// Where the reports of a call come out. It ends when the call does.
pub type ProgressUpdates = watch::Receiver<Option<ProgressUpdate>>;

impl Progress {
    /// For one call. Nothing is reported once `ProgressUpdates` is dropped.
    #[must_use]
    pub fn new() -> (Self, ProgressUpdates) {
        let (sender, reports) = watch::channel(None);
        (Self(sender), reports)
    }

    /// Says how far the call is. `report` runs only if somebody listens.
    pub(super) fn report(&self, report: impl FnOnce() -> ProgressUpdate) {
        if !self.0.is_closed() {
            self.0.send_replace(Some(report()));
        }
    }
}
