//! The command line: `run` is the operator; the other commands are for people and pipelines.

mod complete;

use std::{ffi::OsString, path::Path, process::ExitCode};

use clap::{
    CommandFactory, FromArgMatches, Parser, Subcommand,
    error::{ContextKind, ContextValue},
};
use clap_complete::{Shell, generate};

use crate::{
    commands::{
        check::{self, Check},
        check_api::{self, CheckApi},
        connect::{self, Connect},
        crd::{self, Crd},
        doctor::{self, Doctor},
        hq::{self, Hq},
        migrate::{self, Migrate},
        render::{self, Render},
        report::{self, Report},
        status::{self, Status},
        tools::{self, Tools},
        version::{self, Version},
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
    /// Exit status 0: a signal ended it. 1: something failed, such as the Lease. 78: a setting
    /// cannot be used.
    Run(Box<Settings>),
    /// List the servers: whether each is ready and if not, why, with versions and URLs.
    ///
    /// Exit status 0: all are ready. 1: not all. 2: they cannot be read.
    Status(Status),
    /// Print what a client needs to connect to a server, or write it into the client's file.
    ///
    /// Exit status 0: it is printed or written. 2: the resource or the file cannot be used.
    Connect(Connect),
    /// List the tools that a server offers, as a client that is signed in sees them.
    ///
    /// Exit status 0: they are listed. 1: the server does not list them, and why. 2: the resource
    /// cannot be read, or there is no token.
    Tools(Tools),
    /// Check manifests as the API server and the operator would, without a cluster.
    ///
    /// Exit status 0: all would be accepted. 1: not all, and why. 2: a file cannot be read.
    Check(Check),
    /// Print the objects that a resource would become, without a cluster.
    ///
    /// What an API server assigns (uids, versions of Secrets) is not known, so digests made of it
    /// differ from those in a cluster.
    Render(Render),
    /// Examine a Lenses HQ as a resource would use it, before there is one.
    ///
    /// Exit status 0: HQ is as sign-in needs it. 1: it is not, and what to change. 2: it could not
    /// be examined.
    Hq(Hq),
    /// Examine live resources link by link, from HQ to what a client sees, with your own rights and
    /// from where you are.
    ///
    /// Exit status 0: every link that could be examined holds. 1: one does not, and what to
    /// change. 2: a resource cannot be read.
    Doctor(Doctor),
    /// Write a support bundle: resources, their objects, events and logs, without secrets.
    ///
    /// Exit status 0: it is written. 2: it cannot be.
    Report(Report),
    /// Make a resource of the values of the lenses-hq chart, a docker command or an env file.
    ///
    /// The resource is on standard output. What was not converted, the Secrets to create and the
    /// next steps are on standard error. Exit status 0: all is converted. 1: something is not, and
    /// what to do. 2: no resource can be made.
    Migrate(Migrate),
    /// Print the versions of this program, the operator, the servers and the API in the cluster.
    ///
    /// Exit status 0: they are printed. 2: there is no cluster; this program's version is printed.
    Version(Version),
    /// Wait until the API server accepts a `LensesMcpServer` resource, with a dry run.
    ///
    /// Exit status 0: it does. 1: it does not, and why. 2: there is no cluster.
    CheckApi(CheckApi),
    /// Print the `CustomResourceDefinition`.
    Crd(Crd),
    /// Print the completion script of a shell, such as `source <(kubectl lmcp completion bash)`.
    ///
    /// For `kubectl lmcp` itself, kubectl 1.26 and later run a program `kubectl_complete-lmcp` in
    /// PATH: `--kubectl` prints one.
    Completion {
        /// The shell.
        #[arg(required_unless_present = "kubectl")]
        shell: Option<Shell>,
        /// Print the program by which kubectl completes `kubectl lmcp`.
        #[arg(long, conflicts_with = "shell")]
        kubectl: bool,
    },
    /// Print the completions of the last word, as kubectl reads them.
    #[command(name = complete::COMMAND, hide = true)]
    Complete {
        #[arg(allow_hyphen_values = true, trailing_var_arg = true)]
        words: Vec<OsString>,
    },
}

/// The name by which kubectl finds this program.
const PLUGIN: &str = "kubectl-lmcp";
/// The settings cannot be used: `EX_CONFIG` of `sysexits.h`, which the server ends with, too.
const INVALID_SETTINGS: u8 = 78;

/// Runs the command of this process.
#[must_use]
pub fn main() -> ExitCode {
    let name = std::env::args_os().next().unwrap_or_default();
    let is_plugin = Path::new(&name).file_stem().is_some_and(|stem| stem == PLUGIN);
    let definition = if is_plugin { plugin() } else { Cli::command() };
    let parsed = definition.clone().try_get_matches();
    match parsed.and_then(|matches| Cli::from_arg_matches(&matches)) {
        Ok(cli) => run_command(cli.command, definition),
        Err(error) => refuse(&error),
    }
}

/// The command line as `kubectl lmcp`, without the commands that the chart runs.
#[must_use]
pub fn plugin() -> clap::Command {
    let hidden = |command: clap::Command| command.hide(true);
    Cli::command()
        .name(PLUGIN)
        .bin_name("kubectl lmcp")
        .about("Looks after the MCP servers for Lenses in a cluster")
        .mut_subcommand("run", hidden)
        .mut_subcommand("check-api", hidden)
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

fn run_command(command: Command, definition: clap::Command) -> ExitCode {
    match command {
        Command::Run(settings) => run::run(*settings),
        Command::Status(arguments) => status::run(&arguments),
        Command::Connect(arguments) => connect::run(&arguments),
        Command::Tools(arguments) => tools::run(&arguments),
        Command::Check(arguments) => check::run(arguments),
        Command::Render(arguments) => render::run(arguments),
        Command::Hq(arguments) => hq::run(&arguments),
        Command::Doctor(arguments) => doctor::run(&arguments),
        Command::Report(arguments) => report::run(&arguments),
        Command::Migrate(arguments) => migrate::run(arguments),
        Command::Version(arguments) => version::run(&arguments),
        Command::CheckApi(arguments) => check_api::run(&arguments),
        Command::Crd(arguments) => crd::run(&arguments),
        Command::Completion { shell, .. } => completion(shell, definition),
        Command::Complete { words } => {
            write::to_stdout(&complete::candidates(definition, &words));
            ExitCode::SUCCESS
        }
    }
}

/// Without a shell, the program that kubectl runs.
fn completion(shell: Option<Shell>, mut definition: clap::Command) -> ExitCode {
    let Some(shell) = shell else {
        let command = complete::COMMAND;
        write::to_stdout(&format!("#!/bin/sh\nexec {PLUGIN} {command} \"$@\"\n"));
        return ExitCode::SUCCESS;
    };
    let name = definition.get_name().to_owned();
    // The script is for the program under its own name.
    definition = definition.bin_name(name.clone());
    let mut script = Vec::new();
    generate(shell, &mut definition, name, &mut script);
    write::to_stdout(&String::from_utf8_lossy(&script));
    ExitCode::SUCCESS
}
