//! Why a node does not start.

use std::io;
use std::path::PathBuf;

use super::super::namespaces::NamespaceError;
use super::PATIENCE;

/// A node could not be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A file of the run directory, or a cgroup, could not be written.
    #[error("failed to write {path:?}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The certificates could not be made.
    #[error("failed to make certificates: {0}")]
    Certificates(#[from] rcgen::Error),
    /// The namespaces could not be made or entered.
    #[error(transparent)]
    Namespace(#[from] NamespaceError),
    /// Process 1 could not be started or spoken to.
    #[error("failed to run the node's first process: {0}")]
    Node(io::Error),
    /// A component ended, and the node with it.
    #[error("the node ended: {reason}; its logs are in {logs:?}")]
    Ended {
        /// What process 1 said, and the end of the component's log.
        reason: String,
        /// Where the logs are, until the next `up` or `down`.
        logs: PathBuf,
    },
    /// A condition did not come true in time.
    #[error("{what} was not there {PATIENCE:?} after the start; the node's logs are in {logs:?}")]
    Late {
        /// The condition.
        what: &'static str,
        /// Where the logs are, until the next `up` or `down`.
        logs: PathBuf,
    },
    /// A step on the way failed.
    #[error("failed to {step}: {reason}")]
    Step {
        /// The step.
        step: &'static str,
        /// Why.
        reason: String,
    },
}
