//! Connections and their end.
//!
//! ```text
//! signal ─▶ stopping: not ready, nothing new is accepted, each response says that its
//!           connection closes after it
//!        ─▶ a moment: idle connections close, requests in flight go on
//!        ─▶ four fifths of the grace period: what still streams is ended
//!        ─▶ the rest of it, or a second signal: what is left is cut
//! ```

use std::{io, time::Duration};

use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    time::sleep,
};
use tokio_util::sync::CancellationToken;

use crate::readiness::Readiness;

/// How long an idle connection waits for one more request once the server stops: a request that
/// crosses with a close fails (RFC 9112 §9.5), while a client that is told with a response goes
/// elsewhere.
const FAREWELL: Duration = Duration::from_secs(2);

/// The stages of stopping, each a token that all tasks share.
#[derive(Debug, Clone, Default)]
pub struct Stages {
    /// Nothing new is accepted, and each response says that its connection closes after it.
    pub stopping: CancellationToken,
    /// Idle connections close.
    pub closing_idle: CancellationToken,
    /// What still streams is ended.
    pub ending_streams: CancellationToken,
    /// What is left is cut.
    pub cut: CancellationToken,
    /// Why no requests can be taken, before the server is told to stop.
    pub readiness: Readiness,
}

/// SIGTERM and SIGINT.
#[derive(Debug)]
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// Takes over both signals.
    ///
    /// # Errors
    ///
    /// When the system does not let it.
    pub fn install() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    /// Waits for the next of them.
    pub async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

impl Stages {
    /// Goes through the stages while `connections` end: to be called at the first signal. Returns
    /// when all have ended, at the latest after `grace`, or at once after another signal.
    pub async fn run(
        &self,
        grace: Duration,
        signals: &mut Signals,
        connections: impl Future<Output = ()>,
    ) {
        self.stopping.cancel();
        let last_part = grace / 5;
        let farewell = FAREWELL.min(last_part);
        let deadline = async {
            sleep(farewell).await;
            self.closing_idle.cancel();
            sleep(grace.saturating_sub(last_part + farewell)).await;
            tracing::warn!("requests are still in flight; ending streams");
            self.ending_streams.cancel();
            // Leaves time for the process itself to end within the grace period.
            sleep(last_part * 4 / 5).await;
        };
        tokio::select! {
            () = connections => tracing::info!("all connections have ended"),
            () = deadline => tracing::warn!("connections are cut at the end of SHUTDOWN_GRACE"),
            () = signals.next() => tracing::warn!("connections are cut at the second signal"),
        }
        self.cut.cancel();
    }
}
