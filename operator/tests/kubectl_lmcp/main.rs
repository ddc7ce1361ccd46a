//! `kubectl lmcp`, as a person runs it: the real binary under the plugin's name, its output and its
//! exit status.

#![expect(clippy::unwrap_used, reason = "a test fails where something is not as it must be")]

mod api_server;
mod cluster;
mod completion;
mod connect;
mod krew;
mod migrate;
mod page;
mod report;

use std::{
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    sync::LazyLock,
};

/// The binary under the name by which kubectl finds it.
static PLUGIN: LazyLock<PathBuf> = LazyLock::new(|| {
    let directory = directory("bin");
    let plugin = directory.join("kubectl-lmcp");
    std::fs::hard_link(env!("CARGO_BIN_EXE_lenses-mcp-operator"), &plugin)
        .or_else(|_| std::fs::copy(env!("CARGO_BIN_EXE_lenses-mcp-operator"), &plugin).map(drop))
        .unwrap();
    plugin
});

/// Runs `kubectl lmcp` without a cluster, with this standard input.
fn lmcp(arguments: &[&str], input: &str) -> Output {
    run(Command::new(&*PLUGIN).args(arguments).env_clear(), input)
}

fn run(command: &mut Command, input: &str) -> Output {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut process = command.spawn().unwrap();
    // A command that does not read may have ended.
    process.stdin.take().unwrap().write_all(input.as_bytes()).unwrap_or_default();
    process.wait_with_output().unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn doc(name: &str) -> String {
    std::fs::read_to_string(root().join("docs").join(name)).unwrap()
}

/// An empty directory of this process.
fn directory(name: &str) -> PathBuf {
    let directory =
        Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
    // What a process of the same number left.
    let _ = std::fs::remove_dir_all(&directory);
    std::fs::create_dir_all(&directory).unwrap();
    directory
}
