//! Which cluster a command asks, and for which resources.

use std::{future::Future, path::PathBuf};

use clap::Args;
use kube::{
    Api, Client, Config, ResourceExt,
    api::ListParams,
    config::{InferConfigError, KubeConfigOptions, Kubeconfig, KubeconfigError},
    core::{ApiResource, DynamicObject},
};
use lenses_mcp_crds::LensesMcpServer;

use crate::{api_error, settings};

/// Which cluster, as kubectl is told it.
#[derive(Args, Clone, Debug)]
pub struct Cluster {
    /// The kubeconfig file. Default: that of KUBECONFIG, else ~/.kube/config, else the pod's own
    /// service account.
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,
    /// The context of the kubeconfig. Default: its current context.
    #[arg(long, value_name = "NAME")]
    context: Option<String>,
}

/// Which resources, as kubectl is told it.
#[derive(Args, Clone, Debug)]
pub struct Selection {
    /// The resources. Default: all of the namespace.
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// Their namespace. Default: that of the context of the kubeconfig.
    #[arg(short, long, value_parser = settings::label)]
    namespace: Option<String>,
    /// The resources of every namespace.
    #[arg(short = 'A', long, conflicts_with_all = ["names", "namespace"])]
    all_namespaces: bool,
    #[command(flatten)]
    cluster: Cluster,
}

/// Why there is no cluster to ask, or it does not answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum ClusterError {
    #[error("failed to find a cluster: {0}; set KUBECONFIG, or use --kubeconfig")]
    Inferred(#[from] InferConfigError),
    #[error("failed to read the kubeconfig (--kubeconfig, --context): {0}")]
    Kubeconfig(#[from] KubeconfigError),
    #[error("failed to make a client for the API server: {0}")]
    Client(kube::Error),
    #[error("failed to start: {0}")]
    Start(std::io::Error),
    #[error(
        "the cluster has no API mcp.lenses.io: install the operator with its chart \
         lenses-mcp-operator"
    )]
    NoApi,
    #[error("failed to read the version of the API server: {}", api_error::message(.0))]
    Version(kube::Error),
    #[error("failed to list LensesMcpServers: {}", api_error::message(.0))]
    List(kube::Error),
    #[error("failed to read LensesMcpServer {namespace}/{name}: {}", api_error::message(.source))]
    Read { namespace: String, name: String, source: kube::Error },
    #[error("there is no LensesMcpServer in {0}")]
    None(String),
}

impl Cluster {
    /// How the cluster is reached.
    pub(super) async fn config(&self) -> Result<Config, ClusterError> {
        let kubeconfig = match (&self.kubeconfig, &self.context) {
            (None, None) => return Ok(Config::infer().await?),
            (Some(path), _) => Kubeconfig::read_from(path)?,
            (None, Some(_)) => Kubeconfig::read()?,
        };
        let context = self.context.clone();
        let options = KubeConfigOptions { context, ..KubeConfigOptions::default() };
        Ok(Config::from_custom_kubeconfig(kubeconfig, &options).await?)
    }
}

impl Selection {
    /// A client, and the resources that are meant: at least one, as whatever version they are.
    pub(super) async fn read(&self) -> Result<(Client, Vec<DynamicObject>), ClusterError> {
        let config = self.cluster.config().await?;
        let namespace = self.namespace.clone().unwrap_or_else(|| config.default_namespace.clone());
        let client = Client::try_from(config).map_err(ClusterError::Client)?;
        let kind = ApiResource::erase::<LensesMcpServer>(&());
        let one_namespace =
            Api::<DynamicObject>::namespaced_with(client.clone(), &namespace, &kind);
        let mut servers = Vec::new();
        for name in &self.names {
            let read = one_namespace.get(name).await;
            servers.push(read.map_err(|source| ClusterError::Read {
                namespace: namespace.clone(),
                name: name.clone(),
                source,
            })?);
        }
        if self.names.is_empty() {
            let every_namespace = Api::<DynamicObject>::all_with(client.clone(), &kind);
            let api = if self.all_namespaces { &every_namespace } else { &one_namespace };
            servers = match api.list(&ListParams::default()).await {
                Ok(list) => list.items,
                // The API server knows no such path.
                Err(kube::Error::Api(status)) if status.code == 404 => {
                    return Err(ClusterError::NoApi);
                }
                Err(error) => return Err(ClusterError::List(error)),
            };
            servers.sort_by_key(|server| (server.namespace(), server.name_any()));
        }
        if servers.is_empty() {
            return Err(ClusterError::None(if self.all_namespaces {
                "any namespace".to_owned()
            } else {
                format!("namespace {namespace}; -A looks in every namespace")
            }));
        }
        Ok((client, servers))
    }
}

/// Runs a command that asks a cluster.
pub(super) fn block_on<T>(command: impl Future<Output = T>) -> Result<T, ClusterError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    Ok(runtime.map_err(ClusterError::Start)?.block_on(command))
}
