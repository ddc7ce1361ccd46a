//! A real Kubernetes of one node, up in seconds and gone without a trace.
//!
//! A cluster is one process tree in namespaces of its own (network, mounts, processes, host name,
//! IPC). Process 1 of it starts the components and ends when any of them does; the kernel then ends
//! all the rest, containers included. So a cluster is whole or it is not there, and whatever a
//! crash leaves is found and removed by the next `up` or `down`: a run directory, a cgroup, nothing
//! else. Its other files are in memory that goes with it.
//!
//! Reading order: [`Cluster`], then `start` (what is started when), `namespaces` (in what),
//! `components` and `settings` (with what), `remains` (how it goes). What runs is the Go program in
//! `e2e/cluster`.
//!
//! All calls block; in async code use `spawn_blocking`. Only Linux has what this needs.

mod audit;
mod binaries;
mod components;
mod containerd;
mod error;
mod forward;
mod name;
mod namespaces;
mod pause_image;
mod pki;
mod programs;
mod ready;
mod remains;
mod requirements;
mod run_directory;
mod settings;
mod start;

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

pub use audit::{AuditEvent, AuditUser, ObjectReference};
pub use binaries::{BuildError, Programs};
pub use containerd::LoadError;
pub use error::ClusterError;
pub use forward::Forward;
pub use name::{ClusterName, ClusterNameError};
pub use namespaces::NamespaceError;
pub use remains::RemainsError;
pub use requirements::{Program, RequirementError, install_missing, require_root};
pub use start::StartError;

pub use settings::{LOOPBACK_SERVICE, NODE_ADDRESS};

use error::{refuse_inside, run_directory};
use run_directory::{LockedRunDirectory, Record};
use start::Parts;

/// Takes a line of progress, for a person to read.
pub type Say<'a> = &'a (dyn Fn(&str) + Sync);

/// What a person's environment may say of proxies; from inside the cluster none can be reached.
const PROXIES: [&str; 8] = [
    "http_proxy",
    "https_proxy",
    "all_proxy",
    "no_proxy",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
];

/// A cluster that is up.
#[derive(Clone, Debug)]
pub struct Cluster {
    name: ClusterName,
    pid: u32,
    path: Vec<PathBuf>,
}

impl Cluster {
    /// Starts the cluster, or finds it if it is up already. Installs the Debian packages that are
    /// missing and builds what is not built of `programs` (minutes, the first time), removes what a
    /// crash left behind, and returns when the node is Ready, names resolve and pods can be made.
    /// The cluster stays when the caller ends.
    ///
    /// # Errors
    /// [`ClusterError`]; nothing of the cluster runs then.
    pub fn up(name: &ClusterName, programs: Programs, say: Say<'_>) -> Result<Self, ClusterError> {
        Self::up_with(name, programs, Parts::Node, say)
    }

    /// As [`Cluster::up`], of the API server and its store alone: objects are kept, and nothing
    /// acts on them. Names do not resolve.
    ///
    /// # Errors
    /// [`ClusterError`]; nothing of the cluster runs then.
    pub fn up_api_server(name: &ClusterName, say: Say<'_>) -> Result<Self, ClusterError> {
        Self::up_with(name, Programs::Node, Parts::ApiServer, say)
    }

    /// As [`Cluster::up_api_server`], with the controllers: a Deployment makes pods, which run
    /// nowhere. A component that ends is started again, so that a test can kill it.
    ///
    /// # Errors
    /// [`ClusterError`]; nothing of the cluster runs then.
    pub fn up_control_plane(name: &ClusterName, say: Say<'_>) -> Result<Self, ClusterError> {
        Self::up_with(name, Programs::Node, Parts::ControlPlane, say)
    }

    /// Builds what is not built of `programs`, so that [`Cluster::up`] finds it. Needs Go, and no
    /// rights.
    ///
    /// # Errors
    /// [`BuildError`]; what was built before stays.
    pub fn build(programs: Programs, say: Say<'_>) -> Result<(), BuildError> {
        binaries::build(programs, say).map(drop)
    }

    fn up_with(
        name: &ClusterName,
        programs: Programs,
        parts: Parts,
        say: Say<'_>,
    ) -> Result<Self, ClusterError> {
        requirements::require_root()?;
        refuse_inside(name)?;
        requirements::install_missing(requirements::NODE, say)?;
        let binaries = binaries::build(programs, say)?;
        let run = LockedRunDirectory::lock(name, say).map_err(run_directory(name))?;
        if let Some(cluster) = Self::find_in(name, run.path()) {
            say(&format!("cluster {name} is up already"));
            if !cluster.path.starts_with(&binaries.path) {
                say(&format!(
                    "it runs what was built before: `cluster down --name {name}` first to run the \
                     new build"
                ));
            }
            return Ok(cluster);
        }
        if remains::remove_processes(name)? || !run.is_empty() {
            say(&format!("removed what was left of an earlier cluster {name}"));
        }
        run.clear()?;
        match start::start(name, run.path(), &binaries, parts, say) {
            Ok(pid) => {
                let path = binaries.path;
                Record { pid, path: path.clone() }
                    .write(run.path())
                    .map_err(run_directory(name))?;
                Ok(Self { name: name.clone(), pid, path })
            }
            Err(error) => {
                // The logs stay, for whoever wants to know why.
                remains::remove_processes(name)?;
                Err(error.into())
            }
        }
    }

    /// The cluster of that name, if it is up.
    ///
    /// # Errors
    /// [`ClusterError::NotUp`], or [`RequirementError::NotRoot`].
    pub fn find(name: &ClusterName) -> Result<Self, ClusterError> {
        requirements::require_root()?;
        Self::find_in(name, &name.run_directory()).ok_or_else(|| ClusterError::NotUp(name.clone()))
    }

    /// Ends the cluster and removes every trace of it, be it up, half up or crashed: processes
    /// (those that run inside by [`Cluster::enter`] too), cgroups, files. True if there was
    /// anything.
    ///
    /// # Errors
    /// [`ClusterError`] if something could not be removed.
    pub fn down(name: &ClusterName, say: Say<'_>) -> Result<bool, ClusterError> {
        requirements::require_root()?;
        refuse_inside(name)?;
        let run = LockedRunDirectory::lock(name, say).map_err(run_directory(name))?;
        let was_there = remains::remove_processes(name)? || !run.is_empty();
        run.remove()?;
        Ok(was_there)
    }

    fn find_in(name: &ClusterName, run: &Path) -> Option<Self> {
        let Record { pid, path } = Record::read(run)?;
        remains::is_of(pid, name).then(|| Self { name: name.clone(), pid, path })
    }

    /// The cluster's name.
    #[must_use]
    pub fn name(&self) -> &ClusterName {
        &self.name
    }

    /// The administrator's kubeconfig. The address in it is reached from inside the cluster.
    #[must_use]
    pub fn kubeconfig(&self) -> PathBuf {
        self.run_directory().join("admin.kubeconfig")
    }

    /// The API server's audit log so far: every request but those of the cluster's own components.
    /// It keeps the last 512 MB.
    ///
    /// # Errors
    /// When a file of it can't be read.
    pub fn audit_events(&self) -> io::Result<impl Iterator<Item = io::Result<AuditEvent>> + use<>> {
        audit::read(&self.run_directory())
    }

    /// Where each component's log is, as `NAME.log`.
    #[must_use]
    pub fn logs(&self) -> PathBuf {
        self.run_directory().join("logs")
    }

    /// Loads an image (docker-archive or OCI archive) into the node's containerd and returns what
    /// containerd says of it. A pod must not ask for it to be pulled
    /// (`imagePullPolicy: IfNotPresent` or `Never`): there is no registry.
    ///
    /// # Errors
    /// [`ClusterError::Load`].
    pub fn load(&self, image: &Path) -> Result<String, ClusterError> {
        Ok(containerd::load(&self.run_directory(), image)?)
    }

    /// Puts the calling thread, and whatever it starts from now on, into the cluster's network with
    /// the cluster's DNS. There is no way back. A process enters as a whole only if it has no other
    /// thread.
    ///
    /// # Errors
    /// [`ClusterError::Namespace`].
    pub fn enter(&self) -> Result<(), ClusterError> {
        Ok(namespaces::enter(self.pid, &self.run_directory())?)
    }

    /// Runs `work` in a thread that has entered the cluster, and so starts programs that are
    /// inside: `cluster.inside(|| cluster.command("kubectl").args(["get", "nodes"]).output())`.
    ///
    /// # Errors
    /// [`ClusterError::Namespace`].
    pub fn inside<T: Send>(&self, work: impl FnOnce() -> T + Send) -> Result<T, ClusterError> {
        namespaces::in_thread(|| {
            self.enter()?;
            Ok(work())
        })
    }

    /// A command with the environment of the cluster: `KUBECONFIG`, kubectl and Helm first in
    /// `PATH`, and what those two keep of it in the run directory. Where it runs is for the caller
    /// to see to: with [`Cluster::inside`] or after [`Cluster::enter`].
    #[must_use]
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let directories = self.path.iter().cloned().chain(std::env::split_paths(&path));
        // Without the cluster's directories only if one of the person's own cannot be written in a
        // PATH.
        let path = std::env::join_paths(directories).unwrap_or(path);
        let program = Path::new(program.as_ref());
        // A command is looked up in this process's `PATH`, which is not the one that it gets.
        let found = (program.components().count() == 1).then(|| self.file(program)).flatten();
        let mut command = Command::new(found.as_deref().unwrap_or(program));
        command
            .env("PATH", path)
            .env("KUBECONFIG", self.kubeconfig())
            .env(name::MARKER, self.name.to_string());
        // Discovery of another cluster is wrong here, and so is this one's after it.
        command.env("KUBECACHEDIR", self.run_directory().join("kubectl"));
        for kept in ["HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME"] {
            command.env(kept, self.run_directory().join("helm"));
        }
        for proxy in PROXIES {
            command.env_remove(proxy);
        }
        command
    }

    /// A file among what was built for this cluster: a program such as `traefik`, or the definition
    /// of an API.
    #[must_use]
    pub fn file(&self, name: impl AsRef<Path>) -> Option<PathBuf> {
        self.path.iter().map(|directory| directory.join(name.as_ref())).find(|path| path.is_file())
    }

    /// Forwards TCP connections to `listen`, an address outside such as `127.0.0.1:0`, to `target`
    /// inside, such as `my-service.my-namespace.svc.cluster.local:80`, until the [`Forward`] is
    /// dropped.
    ///
    /// # Errors
    /// [`ClusterError::Forward`] if the address cannot be listened on or the cluster cannot be
    /// entered. That a target does not answer shows as closed connections.
    pub fn forward(&self, listen: SocketAddr, target: &str) -> Result<Forward, ClusterError> {
        Forward::start(self, listen, target)
    }

    fn run_directory(&self) -> PathBuf {
        self.name.run_directory()
    }
}
