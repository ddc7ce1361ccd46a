//! What can be seen of a namespace in which a test failed, in one place.

use std::process::Stdio;

use tokio::process::Command;

use super::{Bed, OPERATOR_NAMESPACE};

/// Prints the resource with its conditions, the objects, the events and the logs of every pod, then
/// the operator's log. Whatever can't be had is left out: this must not hide the failure that it
/// reports on.
pub(super) async fn print(bed: &Bed) {
    let namespace = bed.namespace.as_str();
    eprintln!("==== namespace {namespace}, as the test left it");
    show(namespace, &["get", "lensesmcpservers", "-o", "yaml"]).await;
    show(namespace, &["get", "all,configmaps,serviceaccounts,endpointslices", "-o", "wide"]).await;
    show(namespace, &["get", "events", "--sort-by=.lastTimestamp"]).await;
    let pods = kubectl(namespace, &["get", "pods", "-o", "name"]).await;
    for pod in pods.lines() {
        show(namespace, &["logs", pod, "--all-containers", "--tail=80"]).await;
    }
    show(OPERATOR_NAMESPACE, &["get", "pods", "-o", "wide"]).await;
    show(OPERATOR_NAMESPACE, &["logs", "deployment/lenses-mcp-operator", "--tail=120"]).await;
}

async fn show(namespace: &str, arguments: &[&str]) {
    eprintln!(
        "---- kubectl --namespace {namespace} {}\n{}",
        arguments.join(" "),
        kubectl(namespace, arguments).await
    );
}

async fn kubectl(namespace: &str, arguments: &[&str]) -> String {
    let output = Command::new("kubectl")
        .args(["--namespace", namespace, "--request-timeout=10s"])
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .await;
    match output {
        Ok(output) => format!(
            "{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        ),
        Err(error) => error.to_string(),
    }
}
