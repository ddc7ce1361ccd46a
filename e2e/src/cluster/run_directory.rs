//! The directory that a cluster has while it is up: settings, keys, sockets, logs, and the record
//! that says it is up.

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::Say;
use super::name::ClusterName;
use super::remains::RemainsError;

/// What is written last when a cluster is up.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Record {
    /// Process 1 of the node, as the host numbers it.
    pub(super) pid: u32,
    /// The directories of kubectl and Helm.
    pub(super) path: Vec<PathBuf>,
}

impl Record {
    pub(super) fn read(run: &Path) -> Option<Self> {
        serde_json::from_slice(&fs::read(run.join("up.json")).ok()?).ok()
    }

    pub(super) fn write(&self, run: &Path) -> io::Result<()> {
        fs::write(run.join("up.json"), serde_json::to_vec(self)?)
    }
}

/// The run directory, held against every other command that would start or end the cluster: the
/// directory itself is what is locked, so that no lock file stays behind.
#[derive(Debug)]
pub(super) struct LockedRunDirectory {
    path: PathBuf,
    _lock: File,
}

impl LockedRunDirectory {
    /// Makes the directory if it is not there. Waits for as long as another command holds it.
    pub(super) fn lock(name: &ClusterName, say: Say<'_>) -> io::Result<Self> {
        let path = name.run_directory();
        loop {
            match DirBuilder::new().mode(0o700).create(&path) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
                _ => {}
            }
            let lock = match File::open(&path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                opened => opened?,
            };
            if lock.try_lock().is_err() {
                say(&format!(
                    "another command is starting or ending cluster {name}: waiting for it"
                ));
                lock.lock()?;
            }
            // Who held it may have removed it: then what is locked is not what others would find.
            if fs::metadata(&path).is_ok_and(|found| {
                lock.metadata()
                    .is_ok_and(|locked| (found.dev(), found.ino()) == (locked.dev(), locked.ino()))
            }) {
                return Ok(Self { path, _lock: lock });
            }
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// True if there is nothing in it.
    pub(super) fn is_empty(&self) -> bool {
        fs::read_dir(&self.path).is_ok_and(|mut entries| entries.next().is_none())
    }

    /// Removes what is in it and stays locked.
    pub(super) fn clear(&self) -> Result<(), RemainsError> {
        let failed = |source| RemainsError::File { path: self.path.clone(), source };
        for entry in fs::read_dir(&self.path).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let path = entry.path();
            let removed = if entry.file_type().map_err(failed)?.is_dir() {
                fs::remove_dir_all(&path)
            } else {
                fs::remove_file(&path)
            };
            removed.map_err(|source| RemainsError::File { path, source })?;
        }
        Ok(())
    }

    /// Removes it with what is in it.
    pub(super) fn remove(self) -> Result<(), RemainsError> {
        fs::remove_dir_all(&self.path)
            .map_err(|source| RemainsError::File { path: self.path, source })
    }
}
