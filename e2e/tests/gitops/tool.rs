//! The programs that are asked: kubectl, and `e2e/cluster/gitops`, which is Argo CD's and Flux' own
//! code.

use std::process::Stdio;

use lenses_mcp_e2e::bed::Trouble;
use serde_json::Value;
use tokio::{io::AsyncWriteExt, process::Command};

/// What `make gitops` builds.
pub(crate) const TOOLS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/tools");

/// What Argo CD's or Flux' code answers to a question of this kind.
///
/// # Errors
/// When the program is not there, and when it cannot answer.
pub(crate) async fn ask(kind: &str, question: &Value) -> Result<Value, Trouble> {
    let answer = run(&format!("{TOOLS}/gitops"), &[kind], &question.to_string()).await?;
    Ok(serde_json::from_str(&answer)?)
}

/// What `kubectl ARGUMENTS` prints, with `input` on its standard input.
///
/// # Errors
/// What it writes to its standard error when it fails.
pub(crate) async fn kubectl(arguments: &[&str], input: &str) -> Result<String, Trouble> {
    run("kubectl", arguments, input).await
}

/// What a program prints.
///
/// # Errors
/// What it writes when it fails.
pub(crate) async fn run(program: &str, arguments: &[&str], input: &str) -> Result<String, Trouble> {
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| format!("failed to run {program}: {error}; run make gitops"))?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(input.as_bytes()).await?;
    }
    let output = child.wait_with_output().await?;
    if output.status.success() {
        Ok(String::from_utf8(output.stdout)?)
    } else {
        let [out, err] = [&output.stdout, &output.stderr].map(|said| String::from_utf8_lossy(said));
        Err(format!("{program} {}: {err}{out}", arguments.join(" ")).into())
    }
}
