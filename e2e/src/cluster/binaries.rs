//! The programs that are built from source, once: Kubernetes and Helm, and for tests Traefik and
//! the definitions of further APIs.
//!
//! What is built is kept under the digest of what it was built from, in the cache directory
//! (`${XDG_CACHE_HOME:-$HOME/.cache}/lenses-mcp-operator`). A build works in a directory of its own
//! that is renamed when all of it is there, so that a crash leaves nothing half-made, and holds a
//! lock, so that two at once build once.

#[cfg(test)]
mod tests;

use std::ffi::OsStr;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use sha2::{Digest, Sha256};

use super::programs::{APIS, Build, DEFINITIONS, HELM, KUBERNETES, Program, TRAEFIK};
use super::{Say, pause_image, pause_image::hex};

/// How many builds of each program are kept: the newest, and the one before it, which a cluster may
/// still be running.
const KEPT: usize = 2;

/// How many lines of a failed build are shown.
const FAULTS: usize = 20;

/// Which programs are built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Programs {
    /// What a node runs, kubectl and Helm.
    Node,
    /// Also what only tests need: Traefik, and the definitions of the Gateway API and of
    /// `ServiceMonitor`.
    All,
}

/// What a cluster needs that was built here.
#[derive(Clone, Debug)]
pub(super) struct Binaries {
    /// The program that is every component of Kubernetes.
    pub(super) kubernetes: PathBuf,
    /// The image, as a docker-archive, of what holds a pod's namespaces.
    pub(super) pause_image: PathBuf,
    /// The directories that have `kubectl`, `helm` and the like.
    pub(super) path: Vec<PathBuf>,
}

/// A program could not be built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// Neither `XDG_CACHE_HOME` nor `HOME` says where the cache is.
    #[error("set HOME or XDG_CACHE_HOME to an absolute path: the built programs are kept below it")]
    NoCache,
    /// A file or directory could not be read or written.
    #[error("failed to {doing} {path:?}: {source}")]
    File {
        /// What was being done.
        doing: &'static str,
        /// To what.
        path: PathBuf,
        /// Why it did not work.
        source: io::Error,
    },
    /// Go could not be started.
    #[error("failed to run go: {0}; install Go 1.26 or later and put it on PATH")]
    NoGo(io::Error),
    /// Go could not build the program.
    #[error("go build of {program} in {directory:?} failed: {reason}")]
    Go {
        /// The program.
        program: &'static str,
        /// Its module's directory.
        directory: PathBuf,
        /// What go said.
        reason: String,
    },
}

/// Builds what has changed or is not there yet, and says so.
pub(super) fn build(programs: Programs, say: Say<'_>) -> Result<Binaries, BuildError> {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR"));
    let cache = cache_directory(
        std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from),
        std::env::home_dir(),
    )?;
    fs::create_dir_all(&cache).map_err(file("create", &cache))?;
    let kubernetes = KUBERNETES.build(sources, &cache, say)?;
    let (program, pause_image) = (kubernetes.join("kubernetes"), kubernetes.join("pause.tar"));
    let mut path = vec![kubernetes, HELM.build(sources, &cache, say)?];
    if programs == Programs::All {
        path.push(APIS.build(sources, &cache, say)?);
        path.push(TRAEFIK.build(sources, &cache, say)?);
    }
    Ok(Binaries { kubernetes: program, pause_image, path })
}

impl Program {
    fn build(&self, sources: &Path, cache: &Path, say: Say<'_>) -> Result<PathBuf, BuildError> {
        let module = sources.join(self.module);
        let built = cache.join(format!("{}-{}", self.name, self.digest(&module)?));
        if built.is_dir() {
            return Ok(built);
        }
        let lock = cache.join(format!("{}.lock", self.name));
        let lock_file = File::create(&lock).map_err(file("create", &lock))?;
        match lock_file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                say(&format!("waiting for the build of {} that another process runs", self.name));
                lock_file.lock().map_err(file("lock", &lock))?;
            }
            Err(TryLockError::Error(error)) => return Err(file("lock", &lock)(error)),
        }
        if built.is_dir() {
            return Ok(built);
        }
        // Under the lock, what is unfinished is of a build that died.
        let unfinished = format!(".{}-", self.name);
        for path in entries(cache, &unfinished)? {
            fs::remove_dir_all(&path).map_err(file("remove", &path))?;
        }
        say(&format!("building {} from source, some minutes the first time", self.name));
        // The process's id keeps this build apart from a go command that outlived the one before.
        let building = cache.join(format!("{unfinished}{}", std::process::id()));
        fs::create_dir(&building).map_err(file("create", &building))?;
        for build in self.builds {
            go_build(build, &module, &building)?;
        }
        if self.name == KUBERNETES.name {
            finish_kubernetes(&building)?;
        }
        if self.name == APIS.name {
            copy_definitions(&module, &building)?;
        }
        fs::rename(&building, &built).map_err(file("rename", &building))?;
        self.prune(cache)?;
        say(&format!("built {}", self.name));
        Ok(built)
    }

    /// Tells apart whatever would be built differently.
    fn digest(&self, module: &Path) -> Result<String, BuildError> {
        let mut digest = Sha256::new();
        let mut add = |part: &[u8]| {
            digest.update((part.len() as u64).to_be_bytes());
            digest.update(part);
        };
        add(std::env::consts::ARCH.as_bytes());
        for build in self.builds {
            add(build.output.as_bytes());
            add(build.package.as_bytes());
            add(build.ldflags.as_bytes());
        }
        let mut files = Vec::new();
        collect_sources(module, &mut files)?;
        files.sort();
        for path in files {
            add(path.strip_prefix(module).unwrap_or(&path).as_os_str().as_encoded_bytes());
            add(&fs::read(&path).map_err(file("read", &path))?);
        }
        Ok(hex(&digest.finalize()).chars().take(16).collect())
    }

    fn prune(&self, cache: &Path) -> Result<(), BuildError> {
        let mut builds = entries(cache, &format!("{}-", self.name))?;
        builds.sort_by_key(|path| {
            std::cmp::Reverse(fs::metadata(path).and_then(|metadata| metadata.modified()).ok())
        });
        for old in builds.iter().skip(KEPT) {
            fs::remove_dir_all(old).map_err(file("remove", old))?;
        }
        Ok(())
    }
}

fn go_build(build: &Build, module: &Path, output: &Path) -> Result<(), BuildError> {
    let output = output.join(build.output);
    let arguments =
        ["build", "-trimpath", "-buildvcs=false", "-ldflags", build.ldflags, "-o"].map(OsStr::new);
    go(
        build.output,
        module,
        &[&arguments[..], &[output.as_os_str(), OsStr::new(build.package)]].concat(),
    )
    .map(drop)
}

/// What go writes to its standard output.
fn go(program: &'static str, module: &Path, arguments: &[&OsStr]) -> Result<Vec<u8>, BuildError> {
    let result = Command::new("go")
        .args(arguments)
        .current_dir(module)
        .env("CGO_ENABLED", "0")
        .env("GOWORK", "off")
        .stdin(Stdio::null())
        .output()
        .map_err(BuildError::NoGo)?;
    if result.status.success() {
        return Ok(result.stdout);
    }
    let said = String::from_utf8_lossy(&result.stderr);
    // The first fault is the one to mend; thousands may follow from it.
    let reason = said.trim().lines().take(FAULTS).collect::<Vec<_>>().join("\n");
    Err(BuildError::Go { program, directory: module.to_owned(), reason })
}

/// The files of [`DEFINITIONS`], from the modules in the versions that go.mod names.
fn copy_definitions(module: &Path, output: &Path) -> Result<(), BuildError> {
    for (name, directory, files) in DEFINITIONS {
        let said = go(APIS.name, module, &["mod", "download", "-json", name].map(OsStr::new))?;
        let downloaded: serde_json::Value = serde_json::from_slice(&said).unwrap_or_default();
        let directory = Path::new(downloaded["Dir"].as_str().unwrap_or_default()).join(directory);
        for name in files {
            let from = directory.join(name);
            fs::copy(&from, output.join(name)).map_err(file("copy", &from))?;
        }
    }
    Ok(())
}

/// kubectl and kstatus by their own names, and the pause program as an image.
fn finish_kubernetes(directory: &Path) -> Result<(), BuildError> {
    for name in ["kubectl", "kstatus"] {
        let link = directory.join(name);
        std::os::unix::fs::symlink("kubernetes", &link).map_err(file("link", &link))?;
    }
    let pause = directory.join("pause");
    let program = fs::read(&pause).map_err(file("read", &pause))?;
    let image = directory.join("pause.tar");
    pause_image::write(&program, &image).map_err(file("write", &image))
}

/// The files that a Go build reads: those of modules below are not this module's.
fn collect_sources(directory: &Path, files: &mut Vec<PathBuf>) -> Result<(), BuildError> {
    for path in entries(directory, "")? {
        if path.is_dir() {
            if !path.join("go.mod").exists() {
                collect_sources(&path, files)?;
            }
        } else if path
            .extension()
            .is_some_and(|extension| ["go", "mod", "sum"].iter().any(|known| extension == *known))
            && !path.to_string_lossy().ends_with("_test.go")
        {
            files.push(path);
        }
    }
    Ok(())
}

fn entries(directory: &Path, prefix: &str) -> Result<Vec<PathBuf>, BuildError> {
    let read = || -> io::Result<Vec<PathBuf>> {
        let mut paths = Vec::new();
        for entry in fs::read_dir(directory)? {
            let entry = entry?;
            if entry.file_name().to_string_lossy().starts_with(prefix) {
                paths.push(entry.path());
            }
        }
        Ok(paths)
    };
    read().map_err(file("list", directory))
}

fn cache_directory(xdg: Option<PathBuf>, home: Option<PathBuf>) -> Result<PathBuf, BuildError> {
    // A relative XDG_CACHE_HOME is to be ignored, says the specification.
    let base = xdg
        .filter(|path| path.is_absolute())
        .or_else(|| home.filter(|path| path.is_absolute()).map(|home| home.join(".cache")));
    Ok(base.ok_or(BuildError::NoCache)?.join("lenses-mcp-operator"))
}

fn file(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> BuildError {
    let path = path.to_owned();
    move |source| BuildError::File { doing, path, source }
}
