//! `kubectl lmcp`, as kubectl finds and runs it: the program of the operator's image, under its
//! other name, in a directory of `PATH`.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Stdio,
};

use tokio::{io::AsyncWriteExt, process::Command};

use super::Trouble;

/// Where cargo builds.
const TARGET: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../target");

/// What a command said.
#[derive(Debug)]
pub struct Said {
    /// Its exit status.
    pub status: i32,
    /// Its standard output.
    pub out: String,
    /// Its standard error.
    pub err: String,
}

impl super::Bed {
    /// Runs `kubectl lmcp ARGUMENTS` with an administrator's rights and `input` on its standard
    /// input.
    ///
    /// # Errors
    /// When kubectl cannot be started. That the command fails is no error.
    pub async fn lmcp(&self, arguments: &[&str], input: &str) -> Result<Said, Trouble> {
        let mut kubectl = Command::new("kubectl");
        kubectl.arg("lmcp").args(arguments);
        said(kubectl, input).await
    }

    /// Runs a command line as a person types it.
    ///
    /// # Errors
    /// When it fails, with what it says.
    pub async fn shell(&self, line: &str) -> Result<String, Trouble> {
        let mut shell = Command::new("sh");
        shell.args(["-c", line]);
        let Said { status, out, err } = said(shell, "").await?;
        if status == 0 { Ok(out) } else { Err(format!("{line}: {err}").into()) }
    }
}

async fn said(mut command: Command, input: &str) -> Result<Said, Trouble> {
    let directories = env::var_os("PATH").unwrap_or_default();
    let directories = [directory()?].into_iter().chain(env::split_paths(&directories));
    let mut process = command
        .env("PATH", env::join_paths(directories)?)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    if let Some(mut stdin) = process.stdin.take() {
        stdin.write_all(input.as_bytes()).await?;
    }
    let output = process.wait_with_output().await?;
    Ok(Said {
        status: output.status.code().ok_or("a signal ended the command")?,
        out: String::from_utf8(output.stdout)?,
        err: String::from_utf8(output.stderr)?,
    })
}

/// The program of the operator's image. `make images` leaves the program of each image beside it.
///
/// # Errors
/// When there is none.
pub fn operator_program() -> Result<PathBuf, Trouble> {
    let programs = ["fast", "release"].map(|profile| {
        let images = Path::new(TARGET).join("images").join(profile);
        images.join("lenses-mcp-operator/lenses-mcp-operator")
    });
    let modified = |program: &PathBuf| fs::metadata(program).and_then(|data| data.modified()).ok();
    let newest = programs.into_iter().filter(|program| program.exists()).max_by_key(modified);
    let newest = newest.ok_or("there is no program of the operator's image: run make images")?;
    Ok(fs::canonicalize(newest)?)
}

/// The directory with the plugin.
fn directory() -> Result<PathBuf, Trouble> {
    let program = operator_program()?;
    let directory = Path::new(TARGET).join(format!("tmp/kubectl-lmcp-{}", std::process::id()));
    fs::create_dir_all(&directory)?;
    let plugin = directory.join("kubectl-lmcp");
    if !plugin.exists() {
        // Another thread may be faster.
        let _ = std::os::unix::fs::symlink(program, &plugin);
    }
    Ok(directory)
}
