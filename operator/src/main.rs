//! The operator's command line: `run` works; the other commands are for people and pipelines.

use std::process::ExitCode;

use clap::{
    CommandFactory, Parser, Subcommand,
    error::{ContextKind, ContextValue},
};
use clap_complete::{Shell, generate};
use lenses_mcp_crds::schema;
use lenses_mcp_operator::{
    commands::{
        check::{self, Check},
        check_api::{self, CheckApi},
        doctor::{self, Doctor},
        hq::{self, Hq},
        render::{self, Render},
        write,
    },
    run,
    settings::{Settings, chart_value},
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
    ///
    /// Exit status 0: a signal ended it. 1: something failed, such as the Lease. 78: a setting cannot be used.
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
    /// Walk live resources link by link, from HQ to what a client sees, with your own rights and from where you are.
    ///
    /// Exit status 0: every link that could be looked at holds. 1: one does not, and what to change. 2: a resource cannot be read.
    Doctor(Doctor),
    /// Examine a Lenses HQ as a resource would use it, before there is one.
    ///
    /// Exit status 0: HQ is as sign-in needs it. 1: it is not, and what to change. 2: it could not be examined.
    Hq(Hq),
    /// Print the objects that a resource would become, without a cluster.
    ///
    /// What an API server assigns (uids, versions of Secrets) is not known, so digests made of it differ from those in a cluster.
    Render(Render),
    /// Print the completion script of a shell, such as `source <(lenses-mcp-operator completion bash)`.
    Completion {
        /// The shell.
        shell: Shell,
    },
}

/// The program's name, as it is completed.
const NAME: &str = "lenses-mcp-operator";
/// The settings cannot be used: `EX_CONFIG` of `sysexits.h`, which the server ends with, too.
const INVALID_SETTINGS: u8 = 78;

fn main() -> ExitCode {
    match Cli::try_parse() {
        Ok(cli) => command(cli.command),
        Err(error) => refuse(&error),
    }
}

/// Says what is wrong with the command line. Help and the version come this way, too.
fn refuse(error: &clap::Error) -> ExitCode {
    // Nobody reads what cannot be written.
    let _ = error.print();
    let runs = std::env::args_os().nth(1).is_some_and(|command| command == "run");
    if !runs || !error.use_stderr() {
        return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(u8::MAX));
    }
    if let Some(ContextValue::String(option)) = error.get(ContextKind::InvalidArg)
        && let Some(value) = chart_value(option)
    {
        write::to_stderr(format_args!("The chart sets it from {value}."));
    }
    ExitCode::from(INVALID_SETTINGS)
}

fn command(command: Command) -> ExitCode {
    match command {
        Command::Run(settings) => run::run(*settings),
        Command::Check(check) => check::run(check),
        Command::CheckApi(check) => check_api::run(&check),
        Command::Doctor(doctor) => doctor::run(&doctor),
        Command::Hq(hq) => hq::run(&hq),
        Command::Completion { shell } => {
            let mut script = Vec::new();
            generate(shell, &mut Cli::command(), NAME, &mut script);
            write::to_stdout(&String::from_utf8_lossy(&script));
            ExitCode::SUCCESS
        }
        Command::Render(render) => render::run(render),
        Command::Crd => match schema::manifest() {
            Ok(manifest) => {
                write::to_stdout(&manifest);
                ExitCode::SUCCESS
            }
            Err(error) => {
                write::to_stderr(format_args!("error: {error}"));
                ExitCode::FAILURE
            }
        },
    }
}
