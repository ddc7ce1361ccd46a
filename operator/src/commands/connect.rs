//! `connect NAME --client PROGRAM`: what a client program needs to connect to a server, as
//! `docs/clients.md` has it, with the server's URL.

mod clients;
mod merge;
mod ordered_json;

use std::{path::PathBuf, process::ExitCode};

use clap::Args;
use kube::{Api, Client};
use lenses_mcp_crds::LensesMcpServer;
use url::Url;

use self::{
    clients::{Access, Connection, Program},
    merge::{MergeError, Merged},
};
use super::{
    Output,
    cluster::{Cluster, ClusterError, block_on},
    could_not_look, structured, write,
};
use crate::{api_error, settings};

/// The arguments of `connect`.
#[derive(Args, Clone, Debug)]
pub struct Connect {
    /// The resource.
    #[arg(required_unless_present = "url")]
    name: Option<String>,
    /// The client program.
    #[arg(long, value_enum)]
    client: Program,
    /// The namespace of the resource. Default: that of the context of the kubeconfig.
    #[arg(short, long, value_parser = settings::label)]
    namespace: Option<String>,
    /// The MCP URL of a server, in place of a resource.
    #[arg(long, value_name = "URL", conflicts_with_all = ["name", "namespace"])]
    url: Option<Url>,
    /// Callers of the server show a token. Of a resource this is known.
    #[arg(long, conflicts_with_all = ["name", "namespace"])]
    api_key: bool,
    /// The server's name in the client.
    #[arg(long, value_name = "NAME", default_value = "lenses", value_parser = settings::label)]
    server_name: String,
    /// Merge the server into this file of the client, beside the servers that it has. It is made if
    /// it does not exist.
    #[arg(long, value_name = "FILE")]
    write: Option<PathBuf>,
    #[command(flatten)]
    cluster: Cluster,
    /// How it is printed.
    #[arg(short, long, value_enum, default_value_t = Output::Table)]
    output: Output,
}

/// Why there is nothing to print.
#[derive(Debug, thiserror::Error)]
enum ConnectError {
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    #[error("failed to read LensesMcpServer {namespace}/{name}: {}", api_error::message(.source))]
    Resource { namespace: String, name: String, source: kube::Error },
    #[error(
        "LensesMcpServer {0} has no URL yet: run `kubectl lmcp status` to see what it waits for"
    )]
    NoUrl(String),
    #[error("{0} is not an MCP URL: write one such as https://mcp.example.com/mcp")]
    Url(Url),
    #[error("{0} has no file of servers: run the commands that `connect` prints without --write")]
    NoFile(&'static str),
    #[error(transparent)]
    Merge(#[from] MergeError),
}

/// Runs it: exit status 0 if it is printed or written, 2 if the resource or the file cannot be
/// used.
#[must_use]
pub fn run(connect: &Connect) -> ExitCode {
    match try_run(connect) {
        Ok(text) => {
            write::to_stdout(&text);
            ExitCode::SUCCESS
        }
        Err(error) => could_not_look(&error),
    }
}

fn try_run(connect: &Connect) -> Result<String, ConnectError> {
    let (url, access) = match &connect.url {
        Some(url) if matches!(url.scheme(), "http" | "https") && !url.cannot_be_a_base() => {
            let access = if connect.api_key { Access::Token } else { Access::Open };
            (url.to_string(), access)
        }
        Some(url) => return Err(ConnectError::Url(url.clone())),
        None => block_on(of_resource(connect))??,
    };
    let connection = connect.client.connection(&connect.server_name, &url, access);
    let Some(path) = &connect.write else {
        return Ok(match connect.output {
            Output::Table => text(&connection),
            output => structured(&connection, output),
        });
    };
    let file = connection.file.as_ref().ok_or(ConnectError::NoFile(connection.client))?;
    let merged = merge::merge(path, &file.content, &connect.server_name)?;
    let path = path.display();
    let mut said = match merged {
        Merged::Written => format!("{path}: {} written\n", connect.server_name),
        Merged::Unchanged => format!("{path}: {} is there already\n", connect.server_name),
    };
    let commands = if file.is_enough { &[][..] } else { &connection.commands };
    said.extend(commands.iter().map(|command| format!("Then run: {command}\n")));
    said.extend(connection.steps.iter().map(|step| format!("{step}\n")));
    Ok(said)
}

async fn of_resource(connect: &Connect) -> Result<(String, Access), ConnectError> {
    let config = connect.cluster.config().await?;
    let namespace = connect.namespace.clone().unwrap_or_else(|| config.default_namespace.clone());
    let name = connect.name.clone().unwrap_or_default();
    let client = Client::try_from(config).map_err(ClusterError::Client)?;
    let server = Api::<LensesMcpServer>::namespaced(client, &namespace).get(&name).await;
    let server = server.map_err(|source| ConnectError::Resource {
        namespace: namespace.clone(),
        name: name.clone(),
        source,
    })?;
    let url = server.status.and_then(|status| status.url);
    let url = url.ok_or_else(|| ConnectError::NoUrl(format!("{namespace}/{name}")))?;
    let with_token = server.spec.auth.api_key.is_some_and(|api_key| !api_key.callers.anyone);
    Ok((url, if with_token { Access::Token } else { Access::Open }))
}

/// Commands to type, the file to write, and what is left to do, for a person.
fn text(connection: &Connection) -> String {
    let Connection { client: _, commands, file, steps } = connection;
    let mut parts = Vec::new();
    if !commands.is_empty() {
        parts.push(lines(commands));
    }
    if let Some(file) = file {
        let content = structured(&file.content, Output::Json);
        let either = if !commands.is_empty() && file.is_enough { "Or in" } else { "In" };
        parts.push(format!("{either} {}:\n\n{content}", file.path));
    }
    if !steps.is_empty() {
        parts.push(lines(steps));
    }
    parts.join("\n")
}

fn lines(lines: &[String]) -> String {
    lines.iter().flat_map(|line| [line, "\n"]).collect()
}
