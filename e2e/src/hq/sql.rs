//! SQL over a WebSocket: `…/proxy/api/ws/v2/sql/execute`.
//!
//! HQ acknowledges the login with SUCCESS. The client's first frame asks, `{"sql", "live"?,
//! "stats"?}`; HQ answers with frames `{"type", "data"}` until END, ERROR or INVALIDREQUEST, and
//! closes. [`lexer`] and [`parser`] read the statement, [`scan`] evaluates a SELECT record by
//! record, [`session`] talks to the client, [`super::queries`] knows what runs.

use std::sync::Arc;

use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{OriginalUri, Path, State};
use axum::response::Response;

use super::Hq;
use super::problem::Problem;
use super::users::{Action, Caller};

mod commands;
mod frame;
mod lexer;
mod limits;
mod parser;
mod scan;
mod session;
#[cfg(test)]
mod socket_tests;
mod statement;

/// The handshake. A bad credential, a missing right, an unknown environment or one whose agent is
/// down is refused here, as a problem.
pub(crate) async fn execute(
    State(hq): State<Arc<Hq>>,
    caller: Caller,
    Path(environment): Path<String>,
    OriginalUri(uri): OriginalUri,
    upgrade: WebSocketUpgrade,
) -> Result<Response, Problem> {
    caller.may(Action::ReadTopicData, "kafka:topic:*")?;
    let agent = hq.environments.agent(&environment)?;
    let upgrade = upgrade
        .max_message_size(frame::MAX_REQUEST)
        .max_frame_size(frame::MAX_REQUEST)
        .write_buffer_size(64 * 1024)
        .max_write_buffer_size(8 * 1024 * 1024);
    let target = uri.path().to_owned();
    Ok(upgrade
        .on_upgrade(async move |socket| session::run(socket, hq, agent, caller, &target).await))
}
