//! The namespaces that keep a cluster to itself, and ways into them.
//!
//! Namespaces belong to threads, so whatever enters one here does so in a thread that is made for
//! it and ends with it.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, setns, unshare};

use super::requirements;
use super::settings::{NODE_ADDRESS, NODE_NAME};

/// A namespace could not be made, prepared or entered.
#[derive(Debug, thiserror::Error)]
#[error("failed to {doing}: {source}")]
pub struct NamespaceError {
    doing: String,
    source: io::Error,
}

/// Runs `work` in a thread of its own.
pub(super) fn in_thread<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| match scope.spawn(work).join() {
        Ok(value) => value,
        Err(panic) => std::panic::resume_unwind(panic),
    })
}

/// Puts the calling thread into new namespaces that are ready for a node: its network, and a file
/// system whose `/run`, `/var` and `/tmp` are in memory and the rest read-only, so that no file of
/// the node is the host's. What the thread starts first is process 1 of a new PID namespace.
///
/// `run` stays what it is, with `program` (wherever that lies) at `run/kubernetes`.
pub(super) fn make_node(run: &Path, name: &str, program: &Path) -> Result<PathBuf, NamespaceError> {
    attempt(
        "make namespaces (this needs the rights of root outside a container, CAP_SYS_ADMIN)",
        || {
            unshare(
                CloneFlags::CLONE_NEWNS
                    | CloneFlags::CLONE_NEWNET
                    | CloneFlags::CLONE_NEWUTS
                    | CloneFlags::CLONE_NEWIPC,
            )
        },
    )?;
    attempt("name the node", || nix::unistd::sethostname(NODE_NAME))?;
    make_mounts(run, name, program)?;
    make_network()?;
    attempt("make a PID namespace", || unshare(CloneFlags::CLONE_NEWPID))?;
    Ok(run.join("kubernetes"))
}

/// Puts the calling thread into the network of the node whose process 1 is `pid`, with names
/// resolved by the cluster's DNS and its own `/etc/hosts`. Everything else stays the caller's:
/// files, processes, users.
pub(super) fn enter(pid: u32, run: &Path) -> Result<(), NamespaceError> {
    let network = format!("/proc/{pid}/ns/net");
    let network = File::open(&network)
        .map_err(|source| NamespaceError { doing: format!("open {network}"), source })?;
    attempt("make a mount namespace", || unshare(CloneFlags::CLONE_NEWNS))?;
    // What the host mounts from now on shows here; what is mounted here does not show there.
    set_propagation(MsFlags::MS_SLAVE)?;
    for file in ["resolv.conf", "nsswitch.conf", "hosts"] {
        bind(&run.join("exec").join(file), &Path::new("/etc").join(file))?;
    }
    attempt("enter the cluster's network", || setns(network, CloneFlags::CLONE_NEWNET))
}

fn make_mounts(run: &Path, name: &str, program: &Path) -> Result<(), NamespaceError> {
    set_propagation(MsFlags::MS_PRIVATE)?;
    let new_run = run.join(".run");
    make_directory(&new_run)?;
    mount_tmpfs(&new_run, "mode=755")?;
    let inside = new_run.join(name);
    make_directory(&inside)?;
    bind(run, &inside)?;
    let program_inside = inside.join("kubernetes");
    fs::write(&program_inside, []).map_err(|source| NamespaceError {
        doing: format!("create {}", program_inside.display()),
        source,
    })?;
    bind(program, &program_inside)?;
    attempt("move the new /run into place", || {
        mount(Some(&new_run), "/run", None::<&str>, MsFlags::MS_MOVE, None::<&str>)
    })?;

    mount_tmpfs(Path::new("/var"), "mode=755")?;
    for directory in ["/var/lib/kubelet", "/var/log", "/var/tmp"] {
        make_directory(Path::new(directory))?;
    }
    std::os::unix::fs::symlink("/run", "/var/run")
        .map_err(|source| NamespaceError { doing: "link /var/run".to_owned(), source })?;
    mount_tmpfs(Path::new("/tmp"), "mode=1777")?;
    attempt("make the node's / read-only", || {
        mount(
            None::<&str>,
            "/",
            None::<&str>,
            MsFlags::MS_REMOUNT | MsFlags::MS_BIND | MsFlags::MS_RDONLY,
            None::<&str>,
        )
    })
}

/// A network that ends in the namespace: both ends of the pair are in it, and the default route
/// leads to the node itself, so that a Service's address has a route before it is translated.
fn make_network() -> Result<(), NamespaceError> {
    let commands = format!(
        "link set lo up
link add node0 type veth peer name node1
addr add {NODE_ADDRESS}/24 dev node0
link set node0 up
link set node1 up
route add default dev node0
"
    );
    let failed = |source| NamespaceError { doing: "set up the node's network".to_owned(), source };
    let ip = requirements::find("ip").unwrap_or_else(|| PathBuf::from("ip"));
    let mut child = Command::new(ip)
        .args(["-batch", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    if let Some(mut input) = child.stdin.take() {
        input.write_all(commands.as_bytes()).map_err(failed)?;
    }
    let output = child.wait_with_output().map_err(failed)?;
    if !output.status.success() {
        return Err(failed(io::Error::other(
            String::from_utf8_lossy(&output.stderr).trim().to_owned(),
        )));
    }
    fs::write("/proc/sys/net/ipv4/ip_forward", "1").map_err(failed)
}

fn set_propagation(kind: MsFlags) -> Result<(), NamespaceError> {
    attempt("set how mounts propagate", || {
        mount(None::<&str>, "/", None::<&str>, MsFlags::MS_REC | kind, None::<&str>)
    })
}

fn bind(from: &Path, to: &Path) -> Result<(), NamespaceError> {
    attempt(&format!("mount {} on {}", from.display(), to.display()), || {
        mount(Some(from), to, None::<&str>, MsFlags::MS_BIND, None::<&str>)
    })
}

fn mount_tmpfs(on: &Path, options: &str) -> Result<(), NamespaceError> {
    attempt(&format!("mount a tmpfs on {}", on.display()), || {
        mount(
            Some("tmpfs"),
            on,
            Some("tmpfs"),
            MsFlags::MS_NODEV | MsFlags::MS_NOSUID,
            Some(options),
        )
    })
}

fn make_directory(path: &Path) -> Result<(), NamespaceError> {
    fs::create_dir_all(path)
        .map_err(|source| NamespaceError { doing: format!("create {}", path.display()), source })
}

fn attempt(doing: &str, work: impl FnOnce() -> nix::Result<()>) -> Result<(), NamespaceError> {
    work().map_err(|errno| NamespaceError { doing: doing.to_owned(), source: errno.into() })
}
