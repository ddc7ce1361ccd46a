//! `doctor NAME`: walks live resources link by link, from HQ to the tools that a client sees, with the
//! caller's own rights and from where the caller is, and says of each link whether it holds and what
//! to change.

mod links;
mod probe;

use std::{path::PathBuf, process::ExitCode, time::Duration};

use clap::Args;
use kube::{Api, Client, ResourceExt, api::ListParams};
use lenses_mcp_crds::LensesMcpServer;
use secrecy::SecretString;
use serde::Serialize;
use tokio::time::{Instant, sleep};

use super::{
    NOT_WELL, Output,
    cluster::{Cluster, ClusterError},
    could_not_look, structured, write,
};
use crate::{api_error, probe::trust::Authorities, settings};

/// Time between two examinations with `--wait`.
const INTERVAL: Duration = Duration::from_secs(2);

/// The arguments of `doctor`.
#[derive(Args, Clone, Debug)]
pub struct Doctor {
    /// The resources.
    #[arg(value_name = "NAME", required_unless_present = "all_namespaces")]
    names: Vec<String>,
    /// Their namespace. Default: that of the context of the kubeconfig.
    #[arg(short, long, value_parser = settings::label)]
    namespace: Option<String>,
    /// Every resource of every namespace, in place of names.
    #[arg(short = 'A', long, conflicts_with_all = ["names", "namespace", "token_file"])]
    all_namespaces: bool,
    /// Seconds to wait until no link is broken. 0: one examination.
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    wait: u32,
    /// A file with a token of HQ, or of a caller in API-key mode: with it, the tools are listed as a
    /// client would, at the public URL. It is not shown. Default: none.
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// A file of certificates in PEM: private authorities to trust for HQ and the endpoint, beside this machine's. Default: those of
    /// spec.lenses.caBundle.
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
    #[command(flatten)]
    cluster: Cluster,
    /// How the links are written.
    #[arg(short, long, value_enum, default_value_t = Output::Table)]
    output: Output,
}

/// What was found of one resource.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Examined {
    namespace: String,
    name: String,
    links: Vec<Link>,
}

/// Whether a link holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum State {
    /// It holds.
    Ok,
    /// It does not.
    Broken,
    /// It could not be looked at from here or with these rights.
    NotSeen,
}

/// A link of the chain, and what was found of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Link {
    #[serde(rename = "link")]
    name: &'static str,
    pub(super) state: State,
    /// What was found and, where it is broken, what to change.
    found: String,
}

impl Link {
    pub(super) fn ok(link: &'static str, found: impl Into<String>) -> Self {
        Self { name: link, state: State::Ok, found: found.into() }
    }

    pub(super) fn broken(link: &'static str, found: impl Into<String>) -> Self {
        Self { name: link, state: State::Broken, found: found.into() }
    }

    pub(super) fn not_seen(link: &'static str, found: impl Into<String>) -> Self {
        Self { name: link, state: State::NotSeen, found: found.into() }
    }
}

/// Why nothing could be looked at.
#[derive(Debug, thiserror::Error)]
pub(super) enum DoctorError {
    #[error("failed to read {path:?} ({option}): {source}")]
    File { option: &'static str, path: PathBuf, source: std::io::Error },
    #[error("{path:?} (--ca-file): {reason}")]
    Authorities { path: PathBuf, reason: String },
    #[error("failed to start: {0}")]
    Start(String),
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    #[error("failed to make a client for the API server: {0}")]
    Client(#[from] kube::Error),
    #[error("failed to list LensesMcpServers: {}", api_error::message(.0))]
    List(kube::Error),
    #[error("there is no LensesMcpServer in any namespace")]
    None,
    #[error("failed to read LensesMcpServer {namespace}/{name}: {reason}")]
    Resource { namespace: String, name: String, reason: String },
}

/// Runs it: exit status 0 if every link that could be looked at holds, 1 if one does not, 2 if a resource could not be read.
#[must_use]
pub fn run(doctor: &Doctor) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let all = runtime
        .map_err(|error| DoctorError::Start(error.to_string()))
        .and_then(|runtime| runtime.block_on(examine(doctor)));
    let all = match all {
        Ok(all) => all,
        Err(error) => return could_not_look(&error),
    };
    // One resource by its name is its links alone.
    let text = match (all.as_slice(), doctor.output) {
        ([one], Output::Table) if !doctor.all_namespaces => table(&one.links),
        ([one], output) if !doctor.all_namespaces => structured(&one.links, output),
        (all, Output::Table) => tables(all),
        (all, output) => structured(&all, output),
    };
    write::to_stdout(&text);
    if is_broken(&all) { ExitCode::from(NOT_WELL) } else { ExitCode::SUCCESS }
}

fn is_broken(all: &[Examined]) -> bool {
    all.iter().flat_map(|one| &one.links).any(|link| link.state == State::Broken)
}

async fn examine(doctor: &Doctor) -> Result<Vec<Examined>, DoctorError> {
    let given = given(doctor)?;
    let config = doctor.cluster.config().await?;
    let namespace = doctor.namespace.clone().unwrap_or_else(|| config.default_namespace.clone());
    let client = Client::try_from(config)?;
    let end = Instant::now() + Duration::from_secs(doctor.wait.into());
    loop {
        let examined = examine_once(doctor, &client, &namespace, &given).await;
        let is_well = examined.as_ref().is_ok_and(|all| !is_broken(all));
        if is_well || Instant::now() + INTERVAL > end {
            return examined;
        }
        sleep(INTERVAL).await;
    }
}

async fn examine_once(
    doctor: &Doctor,
    client: &Client,
    namespace: &str,
    given: &probe::Given,
) -> Result<Vec<Examined>, DoctorError> {
    let mut targets: Vec<(String, String)> =
        doctor.names.iter().map(|name| (namespace.to_owned(), name.clone())).collect();
    if doctor.all_namespaces {
        let servers = Api::<LensesMcpServer>::all(client.clone());
        let servers = servers.list(&ListParams::default()).await.map_err(DoctorError::List)?;
        let named = servers.iter().map(|one| (one.namespace().unwrap_or_default(), one.name_any()));
        targets.extend(named);
        if targets.is_empty() {
            return Err(DoctorError::None);
        }
    }
    let mut all = Vec::new();
    for (namespace, name) in targets {
        let links = probe::links(client, &namespace, &name, given).await?;
        all.push(Examined { namespace, name, links });
    }
    Ok(all)
}

fn given(doctor: &Doctor) -> Result<probe::Given, DoctorError> {
    let token = doctor.token_file.as_ref().map(token).transpose()?;
    let authorities = doctor.ca_file.as_ref().map(authorities).transpose()?;
    Ok(probe::Given { token, authorities })
}

fn read(option: &'static str, path: &PathBuf) -> Result<Vec<u8>, DoctorError> {
    std::fs::read(path).map_err(|source| DoctorError::File { option, path: path.clone(), source })
}

/// The token in the file of `--token-file`.
pub(super) fn token(path: &PathBuf) -> Result<SecretString, DoctorError> {
    let read = read("--token-file", path)?;
    Ok(SecretString::from(String::from_utf8_lossy(&read).trim().to_owned()))
}

/// The authorities in the file of `--ca-file`.
pub(super) fn authorities(path: &PathBuf) -> Result<Authorities, DoctorError> {
    Authorities::parse(&read("--ca-file", path)?)
        .map_err(|error| DoctorError::Authorities { path: path.clone(), reason: error.to_string() })
}

/// Each resource above its links.
fn tables(all: &[Examined]) -> String {
    let one = |Examined { namespace, name, links }: &Examined| {
        format!("{namespace}/{name}\n{}", table(links))
    };
    all.iter().map(one).collect::<Vec<_>>().join("\n")
}

/// Each link on a line, what was found beside it.
pub(super) fn table(links: &[Link]) -> String {
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
