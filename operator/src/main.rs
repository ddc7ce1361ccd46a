//! The operator's command line: `run` works, `crd` prints the `CustomResourceDefinition`.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use lenses_mcp_crds::schema;
use lenses_mcp_operator::{run, settings::Settings};

/// Turns each `LensesMcpServer` resource into a running MCP server for Lenses.
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Watch `LensesMcpServer` resources and run a server for each.
    Run(Box<Settings>),
    /// Print the `CustomResourceDefinition` as YAML.
    Crd,
}

fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Run(settings) => run::run(*settings),
        Command::Crd => match schema::manifest() {
            Ok(manifest) => {
                print!("{manifest}");
                ExitCode::SUCCESS
            }
            Err(error) => {
                eprintln!("error: {error}");
                ExitCode::FAILURE
            }
        },
    }
}
