//! Why a cluster cannot be used.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use super::name::{ClusterName, MARKER};
use super::{BuildError, LoadError, NamespaceError, RemainsError, RequirementError, StartError};

/// A cluster could not be started, found, used or ended.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// The machine lacks something.
    #[error(transparent)]
    Requirement(#[from] RequirementError),
    /// Kubernetes or Helm could not be built.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// The node could not be started.
    #[error(transparent)]
    Start(#[from] StartError),
    /// Something of the cluster could not be removed.
    #[error(transparent)]
    Remains(#[from] RemainsError),
    /// The cluster's network could not be entered.
    #[error(transparent)]
    Namespace(#[from] NamespaceError),
    /// An image could not be loaded.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The run directory could not be made, locked or written.
    #[error("failed to use the run directory {path:?}: {source}")]
    RunDirectory {
        /// The directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A connection could not be forwarded.
    #[error("failed to forward {listen} to {target:?}: {source}")]
    Forward {
        /// The address outside.
        listen: SocketAddr,
        /// The target inside.
        target: String,
        /// Why.
        source: io::Error,
    },
    /// There is no such cluster.
    #[error("cluster {0} is not up: start it with `cluster up --name {0}`")]
    NotUp(ClusterName),
    /// A command that runs inside the cluster asked to start or end it.
    #[error("this runs inside cluster {0} and would end itself: run it outside of `cluster exec`")]
    Inside(ClusterName),
}

/// For what fails in the run directory of the cluster `name`.
pub(super) fn run_directory(name: &ClusterName) -> impl FnOnce(io::Error) -> ClusterError {
    let path = name.run_directory();
    move |source| ClusterError::RunDirectory { path, source }
}

/// A command that runs inside the cluster must neither start nor end it.
pub(super) fn refuse_inside(name: &ClusterName) -> Result<(), ClusterError> {
    if std::env::var_os(MARKER).is_some_and(|inside| inside == *name.to_string()) {
        Err(ClusterError::Inside(name.clone()))
    } else {
        Ok(())
    }
}
