//! `make try`: a stand-in HQ and the server on this machine, an AI client's sign-in and its tool
//! calls.

use std::{io::IsTerminal as _, net::SocketAddr, process::ExitCode};

use clap::Parser;
use lenses_mcp_e2e::demo::local::{self, Addresses};
use tracing_subscriber::EnvFilter;

/// Starts a stand-in Lenses HQ and an MCP server, signs in and calls tools.
#[derive(Debug, Parser)]
#[command(name = "local-demo", version)]
struct Arguments {
    /// Where HQ listens; port 0 takes a free one
    #[arg(long, default_value = "127.0.0.1:9991", value_name = "ADDR:PORT")]
    hq: SocketAddr,
    /// Where the server listens
    #[arg(long, default_value = "127.0.0.1:8000", value_name = "ADDR:PORT")]
    mcp: SocketAddr,
}

#[tokio::main]
async fn main() -> ExitCode {
    // The client warns of each refusal, which the demo is there to show.
    let filter =
        EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn,rmcp=off"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let Arguments { hq, mcp } = Arguments::parse();
    // Somebody at a terminal wants to try it; a script wants to know that it works.
    let stays = std::io::stdin().is_terminal();
    match local::run(Addresses { hq, mcp }, stays).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("local-demo: {error}");
            ExitCode::FAILURE
        }
    }
}
