//! What kstatus, the library that Flux and others wait with, makes of an object.

use std::process::Stdio;

use serde_json::Value;
use tokio::{io::AsyncWriteExt, process::Command};

use super::Trouble;

/// The status that kstatus computes for `object`: `InProgress`, `Failed`, `Current`, `Terminating`
/// or `Unknown`.
///
/// # Errors
/// When kstatus cannot make anything of it.
pub async fn kstatus(object: &Value) -> Result<String, Trouble> {
    let mut kstatus = Command::new("kstatus")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    if let Some(mut stdin) = kstatus.stdin.take() {
        stdin.write_all(object.to_string().as_bytes()).await?;
    }
    let output = kstatus.wait_with_output().await?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into());
    }
    let said = String::from_utf8(output.stdout)?;
    Ok(said.split('\t').next().unwrap_or_default().to_owned())
}
