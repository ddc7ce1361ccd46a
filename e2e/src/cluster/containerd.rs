//! Putting images into a cluster's containerd. Its socket lies in the run directory, so this works
//! from anywhere.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::requirements;

/// An image could not be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// There is no such file.
    #[error(
        "image {path:?} cannot be read: {source}; make it with `buildah push IMAGE \
         docker-archive:FILE:NAME`"
    )]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// `ctr` could not be started.
    #[error("failed to run ctr: {0}")]
    Run(io::Error),
    /// containerd refused the image.
    #[error("containerd did not take {path:?}: {reason}")]
    Refused {
        /// The file.
        path: PathBuf,
        /// What `ctr` said.
        reason: String,
    },
}

pub(super) fn socket(run: &Path) -> PathBuf {
    run.join("containerd.sock")
}

/// Imports a docker-archive or an OCI archive and returns what `ctr` says of it: the names.
pub(super) fn load(run: &Path, image: &Path) -> Result<String, LoadError> {
    std::fs::File::open(image)
        .map_err(|source| LoadError::File { path: image.to_owned(), source })?;
    let output = Command::new(requirements::find("ctr").unwrap_or_else(|| PathBuf::from("ctr")))
        .arg("--address")
        .arg(socket(run))
        // Where the kubelet looks.
        .args(["--namespace", "k8s.io", "images", "import"])
        .arg(image)
        .stdin(Stdio::null())
        .output()
        .map_err(LoadError::Run)?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned());
    }
    let reason = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(LoadError::Refused { path: image.to_owned(), reason })
}
