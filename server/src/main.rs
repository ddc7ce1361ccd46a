//! The server binary: settings, logs, then [`start::run`].

use std::{
    fmt::Display,
    io::{self, Write as _},
    process::ExitCode,
    sync::Arc,
    thread,
};

use clap::{CommandFactory, FromArgMatches, Parser};
use lenses_mcp_server::{
    audit::AuditLog,
    line_writer::{LineWriter, Stream},
    logging,
    metrics::Metrics,
    settings::{self, AuditOutput, Settings, Variables, variable},
    start,
    telemetry::Export,
};

/// After 255 bodies of 1 MiB, glibc's allocator keeps 14 MiB that nobody uses, and this one 3 MiB.
#[cfg(target_os = "linux")]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// Most threads that handle requests: they wait for Lenses HQ, not for the processor.
const WORKERS_MAX: usize = 4;

/// MCP server for Lenses: an OAuth 2.1 protected resource in front of Lenses HQ.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// Check the settings, print those in effect with secrets hidden, and exit.
    #[arg(long)]
    check: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::command().after_help(variable::help()).get_matches();
    let arguments = Arguments::from_arg_matches(&arguments).unwrap_or_else(|error| error.exit());
    let read_file = |path: &std::path::Path| std::fs::read_to_string(path);
    // Names and values that are not UTF-8 can be none of ours.
    let environment = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    let settings = match Variables::load(environment, &read_file)
        .and_then(|variables| Settings::read(&variables))
    {
        Ok(settings) => settings,
        Err(errors) => return fail(settings::EXIT_STATUS, &errors),
    };
    if arguments.check {
        for warning in &settings.warnings {
            eprintln!("{warning}");
        }
        // A closed pipe is the reader's choice.
        let _ignored = writeln!(io::stdout(), "{}", settings.effective());
        return ExitCode::SUCCESS;
    }
    let metrics = Arc::new(Metrics::new());
    let log = match LineWriter::start(Stream::Log, io::stderr(), metrics.log_lines_dropped.clone())
    {
        Ok(log) => log,
        Err(error) => return fail(1, &error),
    };
    let _written_at_the_end = log.flush_at_end();
    let audit = match AuditLog::start(&settings.audit, metrics.audit_lines_dropped.clone()) {
        Ok(audit) => audit,
        Err(error) => return fail(1, &no_audit(&settings.audit, &error)),
    };
    let _audited_at_the_end = audit.flush_at_end();
    let workers = thread::available_parallelism().map_or(1, |cores| cores.get().min(WORKERS_MAX));
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(workers).enable_all().build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => return fail(1, &error),
    };
    let on_runtime = runtime.enter();
    let export = settings
        .traces
        .as_ref()
        .map(|traces| Export::start(traces, &settings.proxies, metrics.tls.clone()))
        .transpose();
    drop(on_runtime);
    let (export, fault) = export.map_or_else(|fault| (None, Some(fault)), |export| (export, None));
    logging::start(settings.log, log.clone(), export.as_ref());
    if let Some(fault) = fault {
        tracing::warn!("no traces are sent: {fault}");
    }
    let ended = runtime.block_on(start::run(settings, metrics, audit));
    if let Some(export) = export {
        export.finish();
    }
    // What is still running has had its time.
    runtime.shutdown_background();
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            log.line(format!("{error}\n").as_bytes());
            ExitCode::FAILURE
        }
    }
}

/// Why audit lines can't be written, and what to do.
fn no_audit(output: &AuditOutput, error: &io::Error) -> String {
    match output {
        AuditOutput::File(path) => format!(
            "MCP_AUDIT is \"file:{}\", which can't be written to: {error}; name a file in a \
             directory that exists and in which this server's user may write, or write stdout or \
             off",
            path.display()
        ),
        AuditOutput::Stdout | AuditOutput::Off => format!("MCP_AUDIT can't be written to: {error}"),
    }
}

fn fail(status: u8, error: &dyn Display) -> ExitCode {
    eprintln!("{error}");
    ExitCode::from(status)
}
