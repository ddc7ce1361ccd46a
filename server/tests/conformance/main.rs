//! The MCP conformance suite against this server: its router on a socket, with everything that a
//! request goes through.
//!
//! The suite calls tools, prompts and resources by names that its scenarios give; [`fixtures`] has
//! them, beside all that the server itself has. `make conformance` installs the suite and runs
//! this.

#![expect(clippy::unwrap_used, reason = "a test whose setting can't be made has failed")]
#![expect(clippy::panic, reason = "so has one whose suite can't be run")]

mod endpoint;
mod fixtures;
mod suite;

use endpoint::Endpoint;

/// Scenarios of 2025-11-25 in which the suite itself finds nothing to check here. The server
/// resumes no event stream, because it keeps no events. It gives a session to clients that can be
/// asked something, and the client of the other scenario declares no capability.
const NOT_APPLICABLE: [&str; 2] = ["server-session-lifecycle", "server-sse-polling"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn revision_2026_07_28_is_met() {
    let endpoint = Endpoint::start().await;
    suite::run(&endpoint, "2026-07-28").await.assert_passed(40, &[]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn revision_2025_11_25_is_met_with_sessions_and_questions() {
    let endpoint = Endpoint::start().await;
    suite::run(&endpoint, "2025-11-25").await.assert_passed(33, &NOT_APPLICABLE);
}
