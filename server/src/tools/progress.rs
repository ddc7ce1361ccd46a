//! How far a call is, for clients that asked to be told.

use tokio::sync::watch;

/// What a client is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Grows as the call goes on; there is no total.
    pub done: u64,
    /// The same in words.
    pub message: String,
}

/// Where a tool says how far it is. Saying so never waits: only the newest report is kept until it can be sent.
#[derive(Debug, Clone)]
pub struct Progress(watch::Sender<Option<Report>>);

/// Where the reports of a call come out. It ends when the call does.
pub type Reports = watch::Receiver<Option<Report>>;

impl Progress {
    /// For one call. Nothing is reported once `Reports` is dropped.
    #[must_use]
    pub fn new() -> (Self, Reports) {
        let (sender, reports) = watch::channel(None);
        (Self(sender), reports)
    }

    /// Says how far the call is. `report` runs only if somebody listens.
    pub(super) fn report(&self, report: impl FnOnce() -> Report) {
        if !self.0.is_closed() {
            self.0.send_replace(Some(report()));
        }
    }
}
