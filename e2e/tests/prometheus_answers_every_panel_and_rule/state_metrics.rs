//! kube-state-metrics, as a process on the node, with the chart's configuration and the rights that
//! docs/monitoring.md gives it.

use std::{fs, process::Stdio};

use k8s_openapi::api::core::v1::ConfigMap;
use kube::Api;
use lenses_mcp_crds::yaml;
use lenses_mcp_e2e::{
    bed::{Bed, OPERATOR_NAMESPACE, Trouble, cluster},
    cluster::NODE_ADDRESS,
};
use serde_json::{Value, json};
use tokio::{
    net::TcpListener,
    process::{Child, Command},
};

use super::{LABEL, LABEL_VALUE, TOOLS};

const NAME: &str = "kube-state-metrics";
const PAGE: &str = include_str!("../../../docs/monitoring.md");

/// Starts it, with a Service and a `ServiceMonitor` as its chart has them.
///
/// # Errors
/// When it cannot be started.
pub(crate) async fn start(bed: &Bed) -> Result<Child, Trouble> {
    let file = |name: &str| format!("{}/{}-{name}", env!("CARGO_TARGET_TMPDIR"), bed.namespace);
    let config_maps: Api<ConfigMap> = Api::namespaced(bed.client.clone(), OPERATOR_NAMESPACE);
    let config = config_maps.get("lenses-mcp-operator-custom-resource-state").await?.data;
    let config = config.and_then(|mut data| data.remove("config.yaml")).ok_or("no config.yaml")?;
    fs::write(file("state.yaml"), config)?;
    bed.apply(&json!({"apiVersion": "v1", "kind": "List", "items": [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": NAME}},
        {
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
            "metadata": {"name": NAME}, "rules": documented_rights()?,
        },
        binding(bed, NAME),
    ]}))
    .await?;
    let token = bed.kubectl(&["create", "token", NAME], None).await?;
    let account = kubeconfig(&fs::read_to_string(cluster()?.kubeconfig())?, token.trim())?;
    fs::write(file("kubeconfig"), account.to_string())?;
    let port = TcpListener::bind((NODE_ADDRESS, 0)).await?.local_addr()?.port();
    let telemetry = TcpListener::bind((NODE_ADDRESS, 0)).await?.local_addr()?.port();
    bed.apply(&objects(port)).await?;
    let log = fs::File::create(cluster()?.logs().join("kube-state-metrics.log"))?;
    Ok(Command::new(format!("{TOOLS}/kube-state-metrics"))
        .arg("--custom-resource-state-only")
        .arg(format!("--custom-resource-state-config-file={}", file("state.yaml")))
        .arg(format!("--kubeconfig={}", file("kubeconfig")))
        .args([format!("--host={NODE_ADDRESS}"), format!("--port={port}")])
        .arg(format!("--telemetry-host={NODE_ADDRESS}"))
        .arg(format!("--telemetry-port={telemetry}"))
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .kill_on_drop(true)
        .spawn()?)
}

/// Gives the service account `name` the cluster role `name`.
pub(crate) fn binding(bed: &Bed, name: &str) -> Value {
    json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
        "metadata": {"name": name},
        "roleRef": {
            "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name,
        },
        "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": bed.namespace}],
    })
}

/// `rbac.extraRules` of the values that the page shows.
fn documented_rights() -> Result<Value, Trouble> {
    let mut blocks = PAGE.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next());
    let values = blocks.find(|block| block.contains("extraRules")).ok_or("no values")?;
    let mut values: Vec<Value> = yaml::from_documents(values)?;
    Ok(values.remove(0)["rbac"]["extraRules"].take())
}

/// The administrator's kubeconfig with a token in the place of the certificate.
fn kubeconfig(administrators: &str, token: &str) -> Result<Value, Trouble> {
    let mut kubeconfig: Value = serde_json::from_str(administrators)?;
    kubeconfig["users"][0]["user"] = json!({"token": token});
    Ok(kubeconfig)
}

/// A Service that leads to the process on the node, and a `ServiceMonitor`.
fn objects(port: u16) -> Value {
    json!({"apiVersion": "v1", "kind": "List", "items": [
        {
            "apiVersion": "v1", "kind": "Service",
            "metadata": {"name": NAME, "labels": {"app.kubernetes.io/name": NAME}},
            "spec": {"ports": [{"name": "http", "port": 8080, "targetPort": port}]},
        },
        {
            "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice",
            "metadata": {"name": NAME, "labels": {"kubernetes.io/service-name": NAME}},
            "addressType": "IPv4",
            "endpoints": [{"addresses": [NODE_ADDRESS], "conditions": {"ready": true}}],
            "ports": [{"name": "http", "port": port}],
        },
        {
            "apiVersion": "monitoring.coreos.com/v1", "kind": "ServiceMonitor",
            "metadata": {"name": NAME, "labels": {LABEL: LABEL_VALUE}},
            "spec": {
                "selector": {"matchLabels": {"app.kubernetes.io/name": NAME}},
                // The labels of its metrics are those of the objects that they are about.
                "endpoints": [{"port": "http", "interval": "1s", "honorLabels": true}],
            },
        },
    ]})
}
