//! The operator as a process, with the rights that the chart gives it.

use std::{fs::File, process::Stdio};

use lenses_mcp_e2e::bed::{Trouble, cluster};
use nix::{sys::signal, unistd::Pid};
use serde_json::{Value, json};
use tokio::{
    process::{Child, Command},
    sync::{Mutex, MutexGuard},
};

use crate::tool::kubectl;

const RELEASE: &str = "lenses-mcp-operator";
/// The program that `make gitops` builds.
pub(crate) const PROGRAM: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../target/debug/lenses-mcp-operator");
const LOG: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/gitops-operator.log");

/// One at a time has the Lease.
static LEASE: Mutex<()> = Mutex::const_new(());

/// A running operator. Dropped, it ends.
pub(crate) struct Operator {
    child: Child,
    _lease: MutexGuard<'static, ()>,
}

impl Operator {
    /// Starts it for these namespaces.
    pub(crate) async fn start(namespaces: &[&str]) -> Result<Self, Trouble> {
        let lease = LEASE.lock().await;
        let create = ["create", "token", RELEASE, "--namespace", RELEASE];
        let token = kubectl(&create, "").await?;
        let administrator = cluster()?.kubeconfig();
        let mut kubeconfig: Value = serde_json::from_slice(&std::fs::read(&administrator)?)?;
        kubeconfig["users"][0]["user"] = json!({ "token": token.trim() });
        let path = administrator.with_file_name("operator.kubeconfig");
        std::fs::write(&path, kubeconfig.to_string())?;
        let child = Command::new(PROGRAM)
            .arg("run")
            .env_clear()
            .env("KUBECONFIG", path)
            .envs([
                ("ADMIN_ADDRESS", "127.0.0.1:9090"),
                ("POD_NAMESPACE", RELEASE),
                // Where the stand-in HQ is.
                ("VERIFICATION_ALLOWED_CIDRS", "127.0.0.0/8"),
            ])
            .env("WATCH_NAMESPACES", namespaces.join(","))
            .stdin(Stdio::null())
            .stderr(File::create(LOG)?)
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| format!("failed to run {PROGRAM}: {error}; run make gitops"))?;
        Ok(Self { child, _lease: lease })
    }

    /// Ends it as a kubelet does: it gives its Lease up.
    pub(crate) async fn stop(mut self) -> Result<(), Trouble> {
        let id = self.child.id().ok_or_else(|| format!("the operator ended: see {LOG}"))?;
        signal::kill(Pid::from_raw(id.try_into()?), signal::Signal::SIGTERM)?;
        let status = self.child.wait().await?;
        if status.success() { Ok(()) } else { Err(format!("{status}: see {LOG}").into()) }
    }
}
