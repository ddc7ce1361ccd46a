//! What a cluster leaves on the machine, alive or dead, and its removal.
//!
//! Found by looking at the machine, not by a record of what was started: so it is found after any
//! crash.

#![expect(clippy::disallowed_methods, reason = "what removes a cluster is not async")]

use std::collections::HashSet;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::name::{ClusterName, MARKER};

/// How long the kernel may take to end what was killed.
const PATIENCE: Duration = Duration::from_secs(20);
/// How often an end is looked for; nothing announces it.
const INTERVAL: Duration = Duration::from_millis(10);

/// Something of a cluster could not be removed.
#[derive(Debug, thiserror::Error)]
pub enum RemainsError {
    /// A file or directory could not be read or removed.
    #[error("failed to remove {path:?}: {source}")]
    File {
        /// The file or directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A process could not be killed.
    #[error("failed to kill process {pid}: {source}")]
    Kill {
        /// The process.
        pid: i32,
        /// Why.
        source: io::Error,
    },
    /// Processes were killed and are still there.
    #[error("processes {0:?} are still there {PATIENCE:?} after they were killed")]
    StillThere(Vec<i32>),
}

/// Kills every process of the cluster and removes its cgroups. True if there was any.
pub(super) fn remove_processes(name: &ClusterName) -> Result<bool, RemainsError> {
    let deadline = Instant::now() + PATIENCE;
    let mut killed = HashSet::new();
    loop {
        let alive = processes(name);
        for pid in &alive {
            match kill(Pid::from_raw(*pid), Signal::SIGKILL) {
                Ok(()) | Err(nix::errno::Errno::ESRCH) => {}
                Err(errno) => return Err(RemainsError::Kill { pid: *pid, source: errno.into() }),
            }
        }
        killed.extend(alive);
        // Process 1 of a PID namespace ends after all the others in it.
        let left: Vec<i32> = killed.iter().copied().filter(|pid| !is_gone(*pid)).collect();
        if left.is_empty() {
            break;
        }
        if Instant::now() > deadline {
            return Err(RemainsError::StillThere(left));
        }
        std::thread::sleep(INTERVAL);
    }
    let cgroups = cgroups(name);
    for cgroup in &cgroups {
        remove_cgroup(cgroup, deadline)?;
    }
    Ok(!killed.is_empty() || !cgroups.is_empty())
}

/// Whether the process carries the cluster's mark.
pub(super) fn is_of(pid: u32, name: &ClusterName) -> bool {
    fs::read(format!("/proc/{pid}/environ")).is_ok_and(|environment| is_marked(&environment, name))
}

/// Every process that carries the cluster's mark or shares a network with one that does. None that
/// is on this process's own network: a variable that a person exported makes nobody a cluster.
fn processes(name: &ClusterName) -> Vec<i32> {
    let own = network("self");
    let all: Vec<(i32, OsString)> = fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter_map(|pid: i32| Some((pid, network(&pid.to_string())?)))
        .filter(|(_, network)| Some(network) != own.as_ref())
        .collect();
    let marked: HashSet<&OsString> = all
        .iter()
        .filter(|(pid, _)| u32::try_from(*pid).is_ok_and(|pid| is_of(pid, name)))
        .map(|(_, network)| network)
        .collect();
    all.iter().filter(|(_, network)| marked.contains(network)).map(|(pid, _)| *pid).collect()
}

fn network(pid: &str) -> Option<OsString> {
    fs::read_link(format!("/proc/{pid}/ns/net")).ok().map(PathBuf::into_os_string)
}

fn is_marked(environment: &[u8], name: &ClusterName) -> bool {
    let marker = format!("{MARKER}={name}");
    environment.split(|byte| *byte == 0).any(|variable| variable == marker.as_bytes())
}

/// A zombie is gone: nothing of it runs, and only its parent can remove its entry.
fn is_gone(pid: i32) -> bool {
    match fs::read_to_string(format!("/proc/{pid}/stat")) {
        // "pid (name) state …", and the name may have anything in it, parentheses too.
        Ok(stat) => stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with(['Z', 'X'])),
        Err(_) => true,
    }
}

/// The cluster's directory in every cgroup hierarchy: cgroup v1 has one a controller, v2 has one.
pub(super) fn cgroup_directories(name: &ClusterName) -> Vec<PathBuf> {
    let root = Path::new("/sys/fs/cgroup");
    if root.join("cgroup.controllers").exists() {
        return vec![root.join(name.qualified())];
    }
    let hierarchies = fs::read_dir(root).into_iter().flatten().flatten().map(|entry| entry.path());
    // Links are second names, as cpu is of cpu,cpuacct.
    hierarchies
        .filter(|path| path.is_dir() && !path.is_symlink())
        .map(|path| path.join(name.qualified()))
        .collect()
}

fn cgroups(name: &ClusterName) -> Vec<PathBuf> {
    cgroup_directories(name).into_iter().filter(|path| path.is_dir()).collect()
}

fn remove_cgroup(directory: &Path, deadline: Instant) -> Result<(), RemainsError> {
    let failed = |source| RemainsError::File { path: directory.to_owned(), source };
    for entry in fs::read_dir(directory).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if entry.file_type().map_err(failed)?.is_dir() {
            remove_cgroup(&entry.path(), deadline)?;
        }
    }
    loop {
        match fs::remove_dir(directory) {
            // Busy until the kernel has let go of the processes that ended in it.
            Err(error)
                if error.kind() == io::ErrorKind::ResourceBusy && Instant::now() < deadline =>
            {
                std::thread::sleep(INTERVAL);
            }
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
            _ => return Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_marked_by_the_whole_variable_and_nothing_like_it() {
        let name: ClusterName = "one".parse().unwrap();
        for marked in ["LENSES_MCP_E2E_CLUSTER=one\0", "A=b\0LENSES_MCP_E2E_CLUSTER=one\0C=d\0"] {
            assert!(is_marked(marked.as_bytes(), &name), "{marked:?}");
        }
        for unmarked in [
            "",
            "A=b\0",
            "LENSES_MCP_E2E_CLUSTER=ones\0",
            "XLENSES_MCP_E2E_CLUSTER=one\0",
            "A=LENSES_MCP_E2E_CLUSTER=one\0",
        ] {
            assert!(!is_marked(unmarked.as_bytes(), &name), "{unmarked:?}");
        }
    }

    #[test]
    fn a_running_process_is_not_gone_and_an_unknown_one_is() {
        assert!(!is_gone(i32::try_from(std::process::id()).unwrap()));
        assert!(is_gone(i32::MAX));
    }
}
