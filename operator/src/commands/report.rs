//! `report`: a support bundle. It holds what says how servers are and why, and no secret: Secrets
//! are read without their data, and values of environment variables, arguments, and what looks like
//! a secret are taken out.

mod bundle;
mod collect;
mod redact;

use std::{io, path::PathBuf, process::ExitCode};

use clap::Args;
use k8s_openapi::jiff::Timestamp;

use self::bundle::Bundle;
use super::{
    cluster::{ClusterError, Selection, block_on},
    could_not_look, write,
};

/// The arguments of `report`.
#[derive(Args, Clone, Debug)]
pub struct Report {
    #[command(flatten)]
    selection: Selection,
    /// The archive to write, which must not exist. Default: lenses-mcp-report-TIME.tar.gz here.
    #[arg(short, long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// A directory to write in place of an archive. It must not exist.
    #[arg(long, value_name = "DIRECTORY", conflicts_with = "file")]
    directory: Option<PathBuf>,
    /// The last lines of each log that are taken, of at most 1 MiB.
    #[arg(long, value_name = "LINES", default_value_t = 1000,
          value_parser = clap::value_parser!(u32).range(0..=100_000))]
    log_lines: u32,
}

/// Why there is no bundle.
#[derive(Debug, thiserror::Error)]
enum ReportError {
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    #[error("failed to write {path}: {source}")]
    Write { path: String, source: io::Error },
}

/// Runs it: exit status 0 if the bundle is written, 2 if not.
#[must_use]
pub fn run(report: &Report) -> ExitCode {
    match try_run(report) {
        Ok(said) => {
            write::to_stdout(&said);
            ExitCode::SUCCESS
        }
        Err(error) => could_not_look(&error),
    }
}

fn try_run(report: &Report) -> Result<String, ReportError> {
    let bundle = block_on(async {
        let (client, servers) = report.selection.read().await?;
        Ok::<_, ClusterError>(collect::collect(&client, &servers, report.log_lines).await)
    })??;
    let files = bundle.files.len();
    let gaps = bundle.gaps.len();
    let path = write_bundle(report, bundle)?;
    let gaps = match gaps {
        0 => String::new(),
        _ => format!("gaps.txt in it names {gaps} things that could not be read\n"),
    };
    Ok(format!("{path}: {files} files\n{gaps}"))
}

fn write_bundle(report: &Report, bundle: Bundle) -> Result<String, ReportError> {
    let (path, written) = if let Some(directory) = &report.directory {
        (directory.clone(), bundle.write_directory(directory))
    } else {
        let time = Timestamp::now().strftime("%Y%m%dT%H%M%SZ");
        let default = || PathBuf::from(format!("lenses-mcp-report-{time}.tar.gz"));
        let path = report.file.clone().unwrap_or_else(default);
        let written = bundle.write_archive(&path);
        (path, written)
    };
    let path = path.display().to_string();
    written.map_err(|source| ReportError::Write { path: path.clone(), source })?;
    Ok(path)
}
