//! Every tool, called as an application calls it: signed in at the stand-in HQ, over HTTP, through
//! the whole server. What HQ was asked and what the tool gave are compared whole, and each change
//! is looked for in what is read later.

#![expect(clippy::unwrap_used, reason = "a test whose setting can't be made has failed")]

mod approvals;
mod bench;
mod connectors;
mod consumer_groups;
mod datasets;
mod environments;
#[path = "../in_process/mod.rs"]
mod in_process;
mod processors;
mod server;
mod sql;
mod topics;

use std::collections::BTreeSet;

use lenses_mcp_e2e::client::Revision;
use lenses_mcp_server::tools::{self, Tool};

use self::bench::Bench;

#[tokio::test]
async fn every_tool_requests_returns_and_changes_as_promised_in_2026_07_28() {
    all(Revision::V2026_07_28).await;
}

#[tokio::test]
async fn every_tool_requests_returns_and_changes_as_promised_in_2025_11_25() {
    all(Revision::V2025_11_25).await;
}

async fn all(revision: Revision) {
    let bench = Bench::start(revision).await;
    environments::all(&bench).await;
    topics::all(&bench).await;
    datasets::all(&bench).await;
    connectors::all(&bench).await;
    consumer_groups::all(&bench).await;
    sql::all(&bench).await;
    processors::all(&bench).await;
    approvals::all(&bench).await;
    server::all(&bench).await;
    let not_called: BTreeSet<_> =
        tools::registry().iter().map(Tool::name).filter(|name| !bench.called(name)).collect();
    assert_eq!(not_called, BTreeSet::new(), "write a call of each of these into {}", file!());
}
