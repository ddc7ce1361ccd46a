//! Progress notifications, for a request that carries a token for them.

use std::time::Duration;

use rmcp::{
    Peer, RoleServer,
    model::{ProgressNotificationParam, ProgressToken},
};
use tokio::time::timeout;

use crate::tools::ProgressUpdates;

/// How long after the last one, or after the call's begin, the next notification goes out. A call that ends sooner has
/// none, and so is answered with JSON rather than with a stream.
const INTERVAL: Duration = Duration::from_millis(500);

/// Sends what `reports` says, until the call ends. A notification on its way is waited for: the call's result must be
/// the last that a client hears of it.
pub(super) async fn forward(
    reports: ProgressUpdates,
    token: Option<ProgressToken>,
    peer: &Peer<RoleServer>,
) {
    if let Some(token) = token {
        // Few calls want it, and all would be as large as this is.
        Box::pin(send(reports, token, peer)).await;
    }
}

async fn send(mut reports: ProgressUpdates, token: ProgressToken, peer: &Peer<RoleServer>) {
    let mut told = 0;
    // No report is awaited here but the end.
    while timeout(INTERVAL, reports.wait_for(|_| false)).await.is_err() {
        let Some(report) = reports.borrow_and_update().clone() else { continue };
        // MCP wants each to be greater than the one before it.
        if report.done > told {
            told = report.done;
            let done = f64::from(u32::try_from(report.done).unwrap_or(u32::MAX));
            let progress =
                ProgressNotificationParam::new(token.clone(), done).with_message(report.message);
            if peer.notify_progress(progress).await.is_err() {
                return;
            }
        }
    }
}
