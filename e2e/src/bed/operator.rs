//! The operator, installed from its chart as a platform team installs it.

#[cfg(target_os = "linux")]
use std::collections::BTreeMap;

use tokio::{process::Command, sync::OnceCell};

use super::Trouble;
#[cfg(target_os = "linux")]
use crate::cluster::{AuditEvent, Cluster, ObjectReference};

/// The Helm release that the tests share.
pub const OPERATOR_RELEASE: &str = "lenses-mcp-operator";
/// Where it is installed.
pub const OPERATOR_NAMESPACE: &str = "lenses-mcp-system";
/// The chart.
pub const CHART: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../charts/lenses-mcp-operator");

/// What Helm is told to install the chart with its defaults, or to bring a release back to them:
/// without values, it would take those of the last revision. `--set` may follow.
pub const INSTALL: [&str; 11] = [
    "upgrade",
    "--install",
    OPERATOR_RELEASE,
    CHART,
    "--namespace",
    OPERATOR_NAMESPACE,
    "--create-namespace",
    "--reset-values",
    "--wait",
    "--timeout",
    "90s",
];

/// Installs the operator with the chart's defaults, or finds it installed. Once in a process,
/// however many tests ask.
///
/// # Errors
/// What Helm says.
pub async fn install_operator() -> Result<(), Trouble> {
    static INSTALLED: OnceCell<()> = OnceCell::const_new();
    INSTALLED.get_or_try_init(async || helm(&INSTALL).await.map(drop)).await.copied()
}

/// Runs `helm ARGUMENTS`.
///
/// # Errors
/// What Helm writes to its standard error when it fails.
pub async fn helm(arguments: &[&str]) -> Result<String, Trouble> {
    let output = Command::new("helm").args(arguments).output().await?;
    if output.status.success() {
        Ok(String::from_utf8(output.stdout)?)
    } else {
        Err(format!("helm {}: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr))
            .into())
    }
}

/// The operator's requests so far that `count`, by verb and resource, from the API server's audit
/// log.
///
/// # Errors
/// When the log can't be read.
#[cfg(target_os = "linux")]
pub fn operator_requests(
    cluster: &Cluster,
    count: impl Fn(&str, &ObjectReference) -> bool,
) -> Result<BTreeMap<String, usize>, Trouble> {
    let operator = format!("system:serviceaccount:{OPERATOR_NAMESPACE}:{OPERATOR_RELEASE}");
    let mut counts = BTreeMap::new();
    for event in cluster.audit_events()? {
        let AuditEvent { user, verb, object_ref: Some(object), .. } = event? else { continue };
        if user.username == operator && count(&verb, &object) {
            *counts.entry(format!("{verb} {}", object.in_rules())).or_default() += 1;
        }
    }
    Ok(counts)
}
