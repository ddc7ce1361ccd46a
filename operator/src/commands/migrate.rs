//! `migrate`: makes a `LensesMcpServer` of what runs Lenses' MCP server now: the sidecar of the
//! lenses-hq chart, a container of `docker run`, or an env file.
//!
//! No value of a secret is written. A Secret that exists is referred to; for any other there is a
//! command to type.

mod conversion;
mod docker;
mod env_file;
mod environment;
mod fields;
mod section;
mod sidecar;
mod sign_in;
mod steps;
mod this_machine;
mod variables;

use std::{
    fs,
    io::{self, Read},
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{ArgGroup, Args};
use lenses_mcp_crds::{LensesMcpServer, yaml};
use serde_json::Value;

use self::{conversion::Conversion, docker::DockerError, sidecar::SidecarError, variables::Origin};
use super::{
    NOT_WELL, ObjectOutput, OperatorSettings, Output, admission, could_not_look, offline,
    structured, write,
};
use crate::settings;

/// The arguments of `migrate`.
#[derive(Args, Clone, Debug)]
#[command(group(ArgGroup::new("source").required(true).args(["values", "docker", "env_file"])))]
pub struct Migrate {
    /// Values of the lenses-hq chart with a section `mcp`; - is standard input. Given more than
    /// once, later files win, as with Helm.
    #[arg(short = 'f', long, value_name = "FILE")]
    values: Vec<PathBuf>,
    /// The docker command that runs the server, in quotes.
    #[arg(long, value_name = "COMMAND")]
    docker: Option<String>,
    /// A file of environment variables, as docker and the server read it; - is standard input.
    #[arg(long, value_name = "FILE")]
    env_file: Option<PathBuf>,
    /// The Helm release of the values, by which HQ's Service is named.
    #[arg(long, value_name = "NAME", default_value = "lenses-hq", value_parser = settings::label)]
    release: String,
    /// The resource of the time in which the sidecar serves, too: without an Ingress of its own,
    /// and verified through its Service.
    #[arg(long, conflicts_with_all = ["docker", "env_file"])]
    transition: bool,
    /// The resource's name.
    #[arg(long, value_name = "NAME", default_value = "lenses-mcp", value_parser = settings::label)]
    name: String,
    /// The resource's namespace. Of a sidecar it is that of the release.
    #[arg(short, long, default_value = "default", value_parser = settings::label)]
    namespace: String,
    #[command(flatten)]
    settings: OperatorSettings,
    /// How the resource is written.
    #[arg(short, long, value_enum, default_value_t = ObjectOutput::Yaml)]
    output: ObjectOutput,
}

/// Why there is no resource.
#[derive(Debug, thiserror::Error)]
enum MigrateError {
    #[error("failed to read {path}: {source}")]
    Read { path: String, source: io::Error },
    #[error("{path} is not YAML: {reason}")]
    NotYaml { path: String, reason: String },
    #[error(transparent)]
    Sidecar(#[from] SidecarError),
    #[error(transparent)]
    Docker(#[from] DockerError),
    #[error("{0} has no variable of the server: give a file with lines such as LENSES_URL=…")]
    NoVariables(String),
    #[error("no resource can be made of this:\n  {}", .0.join("\n  "))]
    Refused(Vec<String>),
}

/// Runs it: exit status 0 if all is converted, 1 if something is not, 2 if there is no resource.
#[must_use]
pub fn run(migrate: Migrate) -> ExitCode {
    let conversion = match convert(&migrate) {
        Ok(conversion) => conversion,
        Err(error) => return could_not_look(&error),
    };
    let resource = conversion.resource();
    if let Err(error) = accept(&resource, migrate.settings) {
        return could_not_look(&error);
    }
    write::to_stdout(&match migrate.output {
        ObjectOutput::Yaml => yaml::to_string(&resource).unwrap_or_default(),
        ObjectOutput::Json => structured(&resource, Output::Json),
    });
    write::to_stderr(conversion.notes().trim_end());
    if conversion.open.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(NOT_WELL) }
}

fn convert(migrate: &Migrate) -> Result<Conversion, MigrateError> {
    let mut conversion = Conversion::new(&migrate.name, &migrate.namespace);
    if let Some(command) = &migrate.docker {
        docker::convert(&mut conversion, command, &read)?;
    } else if let Some(path) = &migrate.env_file {
        let shown = shown(path);
        let text =
            read(path).map_err(|source| MigrateError::Read { path: shown.clone(), source })?;
        let variables = env_file::variables(&text, &shown);
        if !variables.iter().any(environment::is_known) {
            return Err(MigrateError::NoVariables(shown));
        }
        environment::convert(&mut conversion, variables, &Origin::Container);
        steps::of_container(&mut conversion);
    } else {
        let values = values(&migrate.values)?;
        sidecar::convert(&mut conversion, values, &migrate.release, migrate.transition)?;
    }
    Ok(conversion)
}

/// The values of all files, as Helm merges them.
fn values(paths: &[PathBuf]) -> Result<Value, MigrateError> {
    let mut merged = Value::Null;
    for path in paths {
        let shown = shown(path);
        let text =
            read(path).map_err(|source| MigrateError::Read { path: shown.clone(), source })?;
        let not_yaml = |reason: String| MigrateError::NotYaml { path: shown.clone(), reason };
        let documents =
            yaml::from_documents::<Value>(&text).map_err(|error| not_yaml(error.to_string()))?;
        for document in documents {
            if !document.is_object() {
                return Err(not_yaml("it has no keys".to_owned()));
            }
            merge(&mut merged, document);
        }
    }
    Ok(merged)
}

fn merge(into: &mut Value, from: Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                merge(into.entry(key).or_insert(Value::Null), value);
            }
        }
        (into, from) => *into = from,
    }
}

/// A file as messages name it.
fn shown(path: &Path) -> String {
    if path == Path::new("-") { "standard input".to_owned() } else { path.display().to_string() }
}

fn read(path: &Path) -> io::Result<String> {
    if path == Path::new("-") {
        let mut text = String::new();
        io::stdin().read_to_string(&mut text)?;
        return Ok(text);
    }
    fs::read_to_string(path)
}

/// What `check` would refuse is not written.
fn accept(resource: &Value, settings: OperatorSettings) -> Result<(), MigrateError> {
    let refusals = admission::refusals(resource);
    if !refusals.is_empty() {
        return Err(MigrateError::Refused(refusals));
    }
    let server = serde_json::from_value::<LensesMcpServer>(resource.clone())
        .map_err(|error| MigrateError::Refused(vec![error.to_string()]))?;
    let judged = offline::judge(server, &[], &settings.defaults());
    judged.objects.map(drop).map_err(MigrateError::Refused)
}
