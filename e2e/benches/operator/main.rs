//! The operator's figures: what `make bench-operator` prints. Not a test, because a loaded machine
//! can't tell; what any machine can tell is a test in `e2e/tests/rests.rs`.
//!
//! Two runs, each on an API server and an etcd of its own: `ready`, some hundred resources until
//! they are Ready, and `size`, thousands of them. The operator is the binary that ships, with the
//! chart's defaults and rights. HQ is the stand-in of `e2e/src/hq` on loopback.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a figure that can't be had is not printed")]

mod audit;
mod bare;
mod figure;
mod fleet;
mod operator;
mod ready;
mod rest;
mod size;

use std::{path::PathBuf, process::ExitCode};

use clap::Parser;
use lenses_mcp_e2e::control_plane::ApiServer;

use crate::figure::Figure;

/// What the clusters' names begin with.
const PURPOSE: &str = "bench";

#[derive(Parser)]
struct Arguments {
    /// The operator's binary.
    #[arg(long)]
    operator: PathBuf,
    /// The server's binary.
    #[arg(long)]
    server: PathBuf,
    /// How many resources are made until all are Ready; 0 leaves this run out.
    #[arg(long, default_value_t = 300)]
    ready: usize,
    /// How many resources there are in the run without controllers; 0 leaves it out.
    #[arg(long, default_value_t = 10_000)]
    resources: usize,
    /// How many at a time, of the operator and of the bare client.
    #[arg(long, default_value_t = 8)]
    concurrency: usize,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let mut figures = Vec::new();
    if arguments.ready > 0 {
        let server = ApiServer::with_controllers(PURPOSE);
        figures.extend(measured(&server, ready::measure(&server, &arguments)));
    }
    if arguments.resources > 0 {
        let server = ApiServer::start(PURPOSE);
        figures.extend(measured(&server, size::measure(&server, &arguments)));
    }
    let missed = figures.iter().filter(|figure| !figure.print()).count();
    if missed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// What `measuring` finds inside the server's network.
fn measured(
    server: &ApiServer,
    measuring: impl Future<Output = Vec<Figure>> + Send,
) -> Vec<Figure> {
    // Not this thread: from inside, the cluster could not be ended.
    let figures = server.cluster.inside(|| {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(measuring)
    });
    figures.unwrap()
}
