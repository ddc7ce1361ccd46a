//! What clusters leave on a machine.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use super::Mine;

/// What a cluster could leave where the test sees it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Traces {
    links: BTreeSet<OsString>,
    cgroups: BTreeSet<PathBuf>,
    run: BTreeSet<OsString>,
    mounts: BTreeSet<String>,
}

impl Traces {
    pub(super) fn of(clusters: &[&Mine]) -> Self {
        let is_ours = |text: &str| {
            clusters.iter().any(|cluster| text.contains(&format!("lenses-mcp-e2e-{}", cluster.0)))
        };
        let names = |directory: &str| -> BTreeSet<OsString> {
            fs::read_dir(directory)
                .into_iter()
                .flatten()
                .map(|entry| entry.unwrap().file_name())
                .collect()
        };
        let hierarchies =
            names("/sys/fs/cgroup").into_iter().map(|name| Path::new("/sys/fs/cgroup").join(name));
        let below = hierarchies
            .filter(|path| path.is_dir())
            .flat_map(|path| fs::read_dir(path).unwrap())
            .map(|entry| entry.unwrap().path());
        Self {
            links: names("/sys/class/net"),
            cgroups: below.filter(|path| is_ours(&path.to_string_lossy())).collect(),
            run: names("/run")
                .into_iter()
                .filter(|name| is_ours(&name.to_string_lossy()))
                .collect(),
            mounts: fs::read_to_string("/proc/self/mountinfo")
                .unwrap()
                .lines()
                .filter(|line| is_ours(line))
                .map(str::to_owned)
                .collect(),
        }
    }
}

/// The network namespaces that some process is in.
pub(super) fn networks() -> BTreeSet<PathBuf> {
    let processes = fs::read_dir("/proc").unwrap().flatten();
    processes.filter_map(|entry| fs::read_link(entry.path().join("ns/net")).ok()).collect()
}
