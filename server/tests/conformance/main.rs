//! The MCP conformance suite against this server: its router on a socket, with everything that a request goes through.
//!
//! The suite calls tools, prompts and resources by names that its scenarios give; [`fixtures`] has them, beside all
//! that the server itself has. `make conformance` installs the suite and runs this.

#![expect(clippy::unwrap_used, reason = "a test whose setting can't be made has failed")]
#![expect(clippy::panic, reason = "so has one whose suite can't be run")]
#![expect(deprecated, reason = "2025-11-25 has logging, sampling and subscriptions as they were")]

mod endpoint;
mod fixtures;
mod suite;

use endpoint::Endpoint;

/// Scenarios of 2025-11-25 whose fixtures ask the client something in the middle of a call. That takes a session, which
/// this server does not keep: what it offers never asks that way.
const ASKING: [&str; 4] = [
    "tools-call-sampling",
    "tools-call-elicitation",
    "elicitation-sep1034-defaults",
    "elicitation-sep1330-enums",
];
/// Scenarios of 2025-11-25 about sessions themselves. Without sessions the suite has nothing to check there.
const OF_SESSIONS: [&str; 3] =
    ["server-session-lifecycle", "server-sse-multiple-streams", "server-sse-polling"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn revision_2026_07_28_is_met_by_the_server_as_it_ships() {
    let endpoint = Endpoint::as_shipped().await;
    suite::run(&endpoint, "2026-07-28", "2026-07-28").await.assert_passed(40, &[]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn revision_2025_11_25_is_met_by_the_server_as_it_ships() {
    let endpoint = Endpoint::as_shipped().await;
    suite::run(&endpoint, "2025-11-25", "2025-11-25")
        .await
        .assert_passed(26, &[ASKING.as_slice(), &OF_SESSIONS].concat());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn revision_2025_11_25_is_met_with_sessions_where_a_scenario_needs_them() {
    let endpoint = Endpoint::with_sessions().await;
    suite::run(&endpoint, "2025-11-25", "2025-11-25-with-sessions").await.assert_passed(33, &[]);
}
