//! Which cluster a command asks.

use std::path::PathBuf;

use clap::Args;
use kube::{
    Config,
    config::{InferConfigError, KubeConfigOptions, Kubeconfig, KubeconfigError},
};

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

/// Why there is no cluster to ask.
#[derive(Debug, thiserror::Error)]
pub(super) enum ClusterError {
    #[error("failed to find a cluster: {0}; set KUBECONFIG, or use --kubeconfig")]
    Inferred(#[from] InferConfigError),
    #[error("failed to read the kubeconfig (--kubeconfig, --context): {0}")]
    Kubeconfig(#[from] KubeconfigError),
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
