//! Requests to stop the process: SIGTERM and SIGINT, or Ctrl-C on a system that has no signals.

use std::io;

#[cfg(not(unix))]
use tokio::signal::ctrl_c;
#[cfg(unix)]
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Requests to stop.
pub(super) struct Requests {
    #[cfg(unix)]
    term: Signal,
    #[cfg(unix)]
    int: Signal,
}

#[cfg(unix)]
impl Requests {
    /// Listens for them from now on.
    ///
    /// # Errors
    /// When the system does not let the process listen.
    pub(super) fn listen() -> io::Result<Self> {
        Ok(Self { term: signal(SignalKind::terminate())?, int: signal(SignalKind::interrupt())? })
    }

    /// Returns at the next one.
    pub(super) async fn next(&mut self) {
        tokio::select! { _ = self.term.recv() => {}, _ = self.int.recv() => {} }
    }
}

#[cfg(not(unix))]
impl Requests {
    /// As on Unix. Listening begins with [`Self::next`].
    ///
    /// # Errors
    /// Never.
    pub(super) fn listen() -> io::Result<Self> {
        Ok(Self {})
    }

    /// Returns at the next one.
    pub(super) async fn next(&mut self) {
        if ctrl_c().await.is_err() {
            std::future::pending().await
        }
    }
}
