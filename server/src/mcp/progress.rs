//! Progress notifications, for a request that carries a token for them.

use std::time::Duration;

use serde::Serialize;
use serde_json::value::RawValue;
use tokio::time::timeout;

use super::{client::Client, context::Context, meta::ProgressToken};
use crate::tools::ProgressUpdates;

/// How long after the last one, or after the call's begin, the next notification goes out. A call
/// that ends sooner has none, and so is answered with JSON rather than with a stream.
const INTERVAL: Duration = Duration::from_millis(500);

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ProgressParams<'a> {
    progress_token: &'a RawValue,
    progress: u64,
    message: &'a str,
}

/// Sends what `updates` say, until the call ends. A notification on its way is waited for: the
/// call's result must be the last that a client hears of it.
pub(super) async fn forward(updates: ProgressUpdates, context: &Context) {
    if let Some(token) = &context.meta.progress_token {
        // Few calls want it, and all would be as large as this is.
        Box::pin(send(updates, token, &context.client)).await;
    }
}

async fn send(mut updates: ProgressUpdates, token: &ProgressToken, client: &Client) {
    let mut sent = 0;
    // No update is awaited here but the end.
    while timeout(INTERVAL, updates.wait_for(|_| false)).await.is_err() {
        let Some(update) = updates.borrow_and_update().clone() else { continue };
        // MCP wants each to be greater than the one before it.
        if update.done > sent {
            sent = update.done;
            let params = ProgressParams {
                progress_token: token.as_json(),
                progress: update.done,
                message: &update.message,
            };
            if !client.notify("notifications/progress", params).await {
                return;
            }
        }
    }
}
