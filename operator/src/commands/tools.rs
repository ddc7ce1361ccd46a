//! `tools NAME`: the tools that a server lists to a caller.

use std::{path::PathBuf, process::ExitCode};

use clap::Args;
use kube::{Api, Client};
use lenses_mcp_crds::{LensesMcpServer, LensesMcpServerStatus};
use serde::Serialize;
use url::Url;

use super::{
    NOT_WELL, Output,
    cluster::{Cluster, ClusterError, block_on},
    columns::columns,
    could_not_look,
    doctor::{self, DoctorError},
    structured, write,
};
use crate::{
    probe::{
        Credentials, Finding, Reader, Token, Tool,
        dial::DialPolicy,
        http::{Http, HttpError},
        list_tools,
        trust::{Authorities, Trust},
    },
    settings,
};

/// The arguments of `tools`.
#[derive(Args, Clone, Debug)]
pub struct Tools {
    /// The resource.
    name: String,
    /// Its namespace. Default: that of the context of the kubeconfig.
    #[arg(short, long, value_parser = settings::label)]
    namespace: Option<String>,
    /// A file with an access token of HQ with the scope read or, in API-key mode, with the callers'
    /// token. The tools are those that its holder is shown. Not needed if anyone may call.
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Where the server is called. Default: its public URL. To reach it without that, run `kubectl
    /// port-forward service/NAME 8000:80` and give <http://localhost:8000/mcp>.
    #[arg(long, value_name = "URL")]
    url: Option<Url>,
    /// A file of certificates in PEM: private authorities to trust, beside this machine's. Default:
    /// those of spec.lenses.caBundle.
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
    #[command(flatten)]
    cluster: Cluster,
    /// How the tools are written.
    #[arg(short, long, value_enum, default_value_t = Output::Table)]
    output: Output,
}

/// Why there is no list.
#[derive(Debug, thiserror::Error)]
enum ToolsError {
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    #[error(transparent)]
    File(#[from] DoctorError),
    #[error(
        "{0} has no URL yet: run `kubectl lmcp status` to see what it waits for, or give --url"
    )]
    NoUrl(String),
    #[error("status.url {0:?} of {1} is not a URL")]
    Url(String, String),
    #[error("{server} lists its tools to callers with a token only: give --token-file{known}")]
    NoToken { server: String, known: String },
    #[error("{}", .0.message)]
    Authorities(Finding),
    #[error(transparent)]
    Http(#[from] HttpError),
    #[error("{}: {}", .0.reason, .0.message)]
    NotListed(Finding),
}

/// A tool, as it is shown.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    name: String,
    effect: &'static str,
    description: String,
}

/// Runs it: exit status 0 if the tools are listed, 1 if the server does not list them, 2 if it
/// could not be asked.
#[must_use]
pub fn run(arguments: &Tools) -> ExitCode {
    let tools = match block_on(ask(arguments)).map_err(ToolsError::from).and_then(|asked| asked) {
        Ok(tools) => tools,
        Err(error @ ToolsError::NotListed(_)) => {
            write::to_stderr(format_args!("error: {error}"));
            return ExitCode::from(NOT_WELL);
        }
        Err(error) => return could_not_look(&error),
    };
    let shown: Vec<_> = tools.into_iter().map(shown).collect();
    write::to_stdout(&match arguments.output {
        Output::Table => table(&shown),
        output => structured(&shown, output),
    });
    ExitCode::SUCCESS
}

async fn ask(arguments: &Tools) -> Result<Vec<Tool>, ToolsError> {
    let token = arguments.token_file.as_ref().map(doctor::token).transpose()?;
    let given = arguments.ca_file.as_ref().map(doctor::authorities).transpose()?;
    let config = arguments.cluster.config().await?;
    let namespace = arguments.namespace.clone().unwrap_or_else(|| config.default_namespace.clone());
    let client = Client::try_from(config).map_err(ClusterError::Client)?;
    let name = arguments.name.clone();
    let api = Api::<LensesMcpServer>::namespaced(client.clone(), &namespace);
    let server = api.get(&name).await.map_err(|source| ClusterError::Read {
        namespace: namespace.clone(),
        name: name.clone(),
        source,
    })?;
    let whole = format!("LensesMcpServer {namespace}/{name}");
    let status = server.status.clone().unwrap_or_default();
    let anyone = server.spec.auth.api_key.as_ref().is_some_and(|api_key| api_key.callers.anyone);
    if token.is_none() && !anyone {
        return Err(ToolsError::NoToken { server: whole, known: known(&status) });
    }
    let url = match (&arguments.url, status.url) {
        (Some(url), _) => url.clone(),
        (None, None) => return Err(ToolsError::NoUrl(whole)),
        (None, Some(url)) => url.parse().map_err(|_| ToolsError::Url(url, whole))?,
    };
    let authorities = match given {
        Some(given) => Some(given),
        None if url.scheme() == "https" => authorities(&client, &namespace, &server).await?,
        None => None,
    };
    let trust = Trust { authorities: authorities.as_ref(), ..Trust::default() };
    let http = Http::new([&url], trust, &DialPolicy::anywhere())?;
    let token = token.as_ref().map(Token::ForPublicUrl);
    list_tools(&http, &url, token).await.map_err(ToolsError::NotListed)
}

/// What the status says of tools that cannot be listed here.
fn known(status: &LensesMcpServerStatus) -> String {
    let tools = status.tools.as_ref();
    tools.map_or_else(String::new, |tools| {
        format!("; the operator last saw {} of them ({})", tools.count, tools.digest)
    })
}

async fn authorities(
    client: &Client,
    namespace: &str,
    server: &LensesMcpServer,
) -> Result<Option<Authorities>, ToolsError> {
    let reader = Reader { client, namespace, require_label: true };
    Credentials::of(server, None).authorities(&reader).await.map_err(ToolsError::Authorities)
}

fn shown(tool: Tool) -> Shown {
    let effect = match (tool.annotations.read_only_hint, tool.annotations.destructive_hint) {
        (Some(true), _) => "read",
        (_, Some(true)) => "delete",
        _ => "write",
    };
    Shown { name: tool.name, effect, description: tool.description }
}

fn table(tools: &[Shown]) -> String {
    let rows = tools.iter().map(|tool| {
        // Its first sentence.
        let line = tool.description.lines().next().unwrap_or_default();
        let sentence = line.split_once(". ").map_or(line, |(sentence, _)| sentence);
        vec![tool.name.clone(), tool.effect.to_owned(), sentence.trim_end_matches('.').to_owned()]
    });
    let headings = ["TOOL", "EFFECT", "DESCRIPTION"].map(str::to_owned).to_vec();
    columns(&std::iter::once(headings).chain(rows).collect::<Vec<_>>())
}
