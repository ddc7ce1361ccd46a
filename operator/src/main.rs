//! The operator's command line: `run` works; the other commands are for people and pipelines.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use lenses_mcp_crds::schema;
use lenses_mcp_operator::{
    commands::{
        check::{self, Check},
        check_api::{self, CheckApi},
        doctor::{self, Doctor},
        render::{self, Render},
    },
    run,
    settings::Settings,
};

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
    /// Check manifests as the API server and the operator would, without a cluster.
    ///
    /// Exit status 0: all would be accepted. 1: not all, and why. 2: a file cannot be read.
    Check(Check),
    /// Wait until the API server accepts a `LensesMcpServer` resource, with a dry run.
    ///
    /// Exit status 0: it does. 1: it does not, and why. 2: there is no cluster.
    CheckApi(CheckApi),
    /// Walk a live resource link by link, from HQ to what a client sees, with your own rights and from where you are.
    ///
    /// Exit status 0: every link that could be looked at holds. 1: one does not, and what to change. 2: the resource cannot be read.
    Doctor(Doctor),
    /// Print the objects that a resource would become, without a cluster.
    ///
    /// What an API server assigns (uids, versions of Secrets) is not known, so digests made of it differ from those in a cluster.
    Render(Render),
}

fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Run(settings) => run::run(*settings),
        Command::Check(check) => check::run(check),
        Command::CheckApi(check) => check_api::run(&check),
        Command::Doctor(doctor) => doctor::run(doctor),
        Command::Render(render) => render::run(render),
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
