//! What the machine must have: root for a cluster, and a few programs that Debian packages.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::Say;

/// A program that something here runs, and the Debian package that brings it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Program {
    /// A command looked up in `PATH`, or the absolute path of a file.
    pub command: &'static str,
    /// The Debian package.
    pub package: &'static str,
}

/// Where Debian puts the CNI plugins.
pub(super) const CNI_PLUGINS: &str = "/usr/lib/cni";

/// What a node runs besides Kubernetes itself.
pub(super) const NODE: &[Program] = &[
    Program { command: "containerd", package: "containerd" },
    Program { command: "ctr", package: "containerd" },
    Program { command: "runc", package: "runc" },
    Program { command: "/usr/lib/cni/ptp", package: "containernetworking-plugins" },
    Program { command: "ip", package: "iproute2" },
    Program { command: "nft", package: "nftables" },
    Program { command: "mount", package: "mount" },
];

/// The machine lacks something.
#[derive(Debug, thiserror::Error)]
pub enum RequirementError {
    /// Namespaces, mounts and cgroups need root.
    #[error("a cluster needs root: run this as root, or run what needs no cluster: `cargo test`")]
    NotRoot,
    /// Programs are missing, and there is no `apt-get` to install them with or no right to.
    #[error("missing: {missing}; install them (on Debian: apt-get install {packages})")]
    Missing {
        /// The programs.
        missing: String,
        /// The Debian packages that bring them.
        packages: String,
    },
    /// `apt-get` did not install the packages.
    #[error("failed to install {packages}: {reason}")]
    Install {
        /// The Debian packages.
        packages: String,
        /// What `apt-get` said last.
        reason: String,
    },
}

/// Refuses anybody but root.
///
/// # Errors
/// [`RequirementError::NotRoot`].
pub fn require_root() -> Result<(), RequirementError> {
    if nix::unistd::geteuid().is_root() { Ok(()) } else { Err(RequirementError::NotRoot) }
}

/// Installs the Debian packages of the `programs` that are not there, and says so.
///
/// # Errors
/// [`RequirementError`] if something is missing and the caller is not root, if this is not Debian,
/// or if `apt-get` fails.
pub fn install_missing(programs: &[Program], say: Say<'_>) -> Result<(), RequirementError> {
    let missing = missing(programs);
    if missing.is_empty() {
        return Ok(());
    }
    let commands: Vec<_> = missing.iter().map(|program| program.command).collect();
    let mut packages: Vec<_> = missing.iter().map(|program| program.package).collect();
    packages.sort_unstable();
    packages.dedup();
    if require_root().is_err() || find("apt-get").is_none() {
        return Err(RequirementError::Missing {
            missing: commands.join(", "),
            packages: packages.join(" "),
        });
    }
    say(&format!(
        "installing Debian packages: {} (missing: {})",
        packages.join(" "),
        commands.join(", ")
    ));
    // The lists may be absent or older than the mirror: only then is the update's time spent.
    if apt_get(&["install"], &packages).is_err() {
        apt_get(&["update"], &[])
            .and_then(|()| apt_get(&["install"], &packages))
            .map_err(|reason| RequirementError::Install { packages: packages.join(" "), reason })?;
    }
    match self::missing(programs).as_slice() {
        [] => Ok(()),
        still => Err(RequirementError::Missing {
            missing: still.iter().map(|program| program.command).collect::<Vec<_>>().join(", "),
            packages: packages.join(" "),
        }),
    }
}

/// The program's path, from `PATH` or where root's programs are.
pub(super) fn find(command: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut directories: Vec<PathBuf> = std::env::split_paths(&path).collect();
    directories.extend(["/usr/sbin", "/usr/bin", "/sbin", "/bin"].map(PathBuf::from));
    // An absolute command replaces the directory that it is joined to.
    directories
        .into_iter()
        .map(|directory| directory.join(command))
        .find(|candidate| candidate.is_file())
}

fn missing(programs: &[Program]) -> Vec<Program> {
    programs.iter().copied().filter(|program| find(program.command).is_none()).collect()
}

fn apt_get(action: &[&str], packages: &[&str]) -> Result<(), String> {
    let output = Command::new("apt-get")
        .args(["-qq", "-y", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=120"])
        .args(action)
        .args(packages)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .current_dir(Path::new("/"))
        .stdin(Stdio::null())
        .output()
        .map_err(|error| error.to_string())?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(said.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("no reason given").to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_is_not_missing_and_what_is_not_there_is() {
        let shell = Program { command: "sh", package: "dash" };
        let absolute = Program { command: "/bin/sh", package: "dash" };
        let absent = Program { command: "/usr/lib/cni/no-such-plugin", package: "none" };
        assert_eq!(missing(&[shell, absolute, absent]), [absent]);
    }

    #[test]
    fn nothing_is_said_or_installed_when_all_is_there() {
        let shell = Program { command: "sh", package: "dash" };
        install_missing(&[shell], &|line| panic!("said {line:?}")).unwrap();
    }
}
