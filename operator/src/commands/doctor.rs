//! `doctor NAME`: walks a live resource link by link, from HQ to the tools that a client sees, with the caller's own rights and from
//! where the caller is, and says of each link whether it holds and what to change.

mod links;
mod probe;

use std::{path::PathBuf, process::ExitCode};

use clap::Args;
use secrecy::SecretString;
use serde::Serialize;

use super::{NOT_WELL, Output, could_not_look, structured};
use crate::{probe::trust::Authorities, settings};

/// The arguments of `doctor`.
#[derive(Args, Clone, Debug)]
pub struct Doctor {
    /// The resource.
    name: String,
    /// Its namespace. Default: that of the current context of the kubeconfig.
    #[arg(short, long, value_parser = settings::label)]
    namespace: Option<String>,
    /// A file with a token of HQ, or of a caller in API-key mode: with it, the tools are listed as a client would. It is not shown.
    /// Default: that of spec.verification.credentialSecretRef, if you may read it.
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// A file of certificates in PEM: private authorities to trust for HQ and the endpoint, beside this machine's. Default: those of
    /// spec.lenses.caBundle.
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
    /// How the links are written.
    #[arg(short, long, value_enum, default_value_t = Output::Table)]
    output: Output,
}

/// Whether a link holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
enum State {
    /// It holds.
    Ok,
    /// It does not.
    Broken,
    /// It could not be looked at from here or with these rights.
    NotSeen,
}

/// A link of the chain, and what was found of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Link {
    #[serde(rename = "link")]
    name: &'static str,
    state: State,
    /// What was found and, where it is broken, what to change.
    found: String,
}

impl Link {
    fn ok(link: &'static str, found: impl Into<String>) -> Self {
        Self { name: link, state: State::Ok, found: found.into() }
    }

    fn broken(link: &'static str, found: impl Into<String>) -> Self {
        Self { name: link, state: State::Broken, found: found.into() }
    }

    fn not_seen(link: &'static str, found: impl Into<String>) -> Self {
        Self { name: link, state: State::NotSeen, found: found.into() }
    }
}

/// Why nothing could be looked at.
#[derive(Debug, thiserror::Error)]
enum DoctorError {
    #[error("failed to read {path:?} ({option}): {source}")]
    File { option: &'static str, path: PathBuf, source: std::io::Error },
    #[error("{path:?} (--ca-file): {reason}")]
    Authorities { path: PathBuf, reason: String },
    #[error("failed to start: {0}")]
    Start(String),
    #[error("failed to find a cluster: {0}; set KUBECONFIG")]
    Kubeconfig(#[from] kube::config::InferConfigError),
    #[error("failed to read LensesMcpServer {namespace}/{name}: {reason}")]
    Resource { namespace: String, name: String, reason: String },
}

/// Runs it: exit status 0 if every link that could be looked at holds, 1 if one does not, 2 if the resource could not be read.
#[must_use]
pub fn run(doctor: Doctor) -> ExitCode {
    let output = doctor.output;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let links = runtime
        .map_err(|error| DoctorError::Start(error.to_string()))
        .and_then(|runtime| runtime.block_on(examine(doctor)));
    let links = match links {
        Ok(links) => links,
        Err(error) => return could_not_look(&error),
    };
    match output {
        Output::Table => print!("{}", table(&links)),
        output => print!("{}", structured(&links, output)),
    }
    if links.iter().any(|link| link.state == State::Broken) {
        ExitCode::from(NOT_WELL)
    } else {
        ExitCode::SUCCESS
    }
}

async fn examine(doctor: Doctor) -> Result<Vec<Link>, DoctorError> {
    let Doctor { name, namespace, token_file, ca_file, output: _ } = doctor;
    let read = |option, path: PathBuf| {
        std::fs::read(&path).map_err(|source| DoctorError::File {
            option,
            path: path.clone(),
            source,
        })
    };
    let token = token_file.map(|path| read("--token-file", path)).transpose()?;
    let token =
        token.map(|token| SecretString::from(String::from_utf8_lossy(&token).trim().to_owned()));
    let authorities = match ca_file {
        Some(path) => Some(
            Authorities::parse(&read("--ca-file", path.clone())?)
                .map_err(|error| DoctorError::Authorities { path, reason: error.to_string() })?,
        ),
        None => None,
    };
    probe::links(&name, namespace, probe::Given { token, authorities }).await
}

/// Each link on a line, what was found beside it.
fn table(links: &[Link]) -> String {
    let row = |link: &str, state: &str, found: &str| format!("{link:<12}{state:<10}{found}\n");
    let rows = links.iter().map(|link| {
        let state = match link.state {
            State::Ok => "ok",
            State::Broken => "BROKEN",
            State::NotSeen => "not seen",
        };
        row(link.name, state, &link.found)
    });
    std::iter::once(row("LINK", "STATE", "FOUND")).chain(rows).collect()
}
