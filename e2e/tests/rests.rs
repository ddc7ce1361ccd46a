//! At rest the operator writes nothing and asks nothing, and a restart changes neither.

#![cfg(target_os = "linux")]

use std::{collections::BTreeMap, time::Duration};

use k8s_openapi::api::{
    apps::v1::Deployment,
    core::v1::{ConfigMap, Secret, Service, ServiceAccount},
    networking::v1::NetworkPolicy,
};
use kube::{
    ResourceExt,
    api::{Patch, PatchParams},
};
use lenses_mcp_crds::LensesMcpServer;
use lenses_mcp_e2e::{
    bed::{Bed, OPERATOR_NAMESPACE, Trouble, cluster, operator_requests, prove, versions},
    cluster::Cluster,
};
use serde_json::json;

/// How long the operator is watched at rest.
const REST: Duration = Duration::from_secs(20);

#[tokio::test]
async fn a_second_reconcile_and_an_operator_restart_change_no_resource_version() {
    prove(|bed| async move {
        let hq = bed.hq().await?;
        bed.apply_until_ready(&bed.oauth_server("mcp", &hq)).await?;
        let before = everything(&bed).await?;
        // The resource and six objects.
        assert_eq!(before.len(), 7, "{before:?}");

        let operator = ["--namespace", OPERATOR_NAMESPACE];
        bed.kubectl(
            &[&operator[..], &["rollout", "restart", "deployment/lenses-mcp-operator"]].concat(),
            None,
        )
        .await?;
        bed.kubectl(
            &[&operator[..], &["rollout", "status", "deployment/lenses-mcp-operator"]].concat(),
            None,
        )
        .await?;
        // Made by the new operator, after its first pass over all that was there.
        bed.apply_until_ready(&bed.oauth_server("witness", &hq)).await?;

        let mut after = everything(&bed).await?;
        after.retain(|name, _| !name.contains("/witness"));
        assert_eq!(before, after);
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn a_server_at_rest_costs_no_request_while_its_verification_goes_on() {
    prove(|bed| async move {
        let hq = bed.hq().await?;
        let mut manifest = bed.oauth_server("mcp", &hq);
        manifest["spec"]["verification"] = json!({"interval": "10s"});
        bed.apply_until_ready(&manifest).await?;
        let cluster = cluster()?;
        // This is the measurement itself: nothing can be awaited where nothing is to happen.
        tokio::time::sleep(REST).await;
        let before = requests(&cluster, &bed)?;
        let (looks, version) = (hq.requests("/oauth2/introspect").await?, version(&bed).await?);
        tokio::time::sleep(REST).await;
        assert_eq!(
            requests(&cluster, &bed)?,
            before,
            "requests of the operator in {REST:?} at rest"
        );
        assert!(!before.is_empty(), "the audit log does not show the operator at all");
        assert!(
            hq.requests("/oauth2/introspect").await? > looks,
            "HQ was not looked at in {REST:?}"
        );
        assert_eq!(self::version(&bed).await?, version, "the resource was written to");
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn managers_beside_the_operator_are_left_alone_and_cost_no_request() {
    prove(|bed| async move {
        let hq = bed.hq().await?;
        let mut manifest = bed.oauth_server("mcp", &hq);
        manifest["spec"]["replicas"] = json!(2);
        bed.apply_until_ready(&manifest).await?;
        // An injector, a restart, a tool that labels everything, and one that sets a variable.
        let injected = json!({
            "metadata": {
                "labels": {"example.com/team": "kafka"}, "annotations": {"example.com/note": "x"}
            },
            "spec": {"template": {"spec": {"containers": [{
                "name": "injected",
                "image": hq.image(),
                "args": [
                    "--listen=127.0.0.1:9981", "--control=127.0.0.1:9982",
                    "--issuer-url=http://localhost:9981"
                ],
                "securityContext": {
                    "allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}
                },
            }]}}},
        });
        let injector =
            PatchParams { field_manager: Some("injector".to_owned()), ..PatchParams::default() };
        bed.api::<Deployment>().patch("mcp", &injector, &Patch::Strategic(injected)).await?;
        bed.kubectl(&["rollout", "restart", "deployment/mcp"], None).await?;
        bed.kubectl(
            &["set", "env", "deployment/mcp", "--containers=lenses-mcp-server", "TZ=UTC"],
            None,
        )
        .await?;
        bed.kubectl(
            &[
                "annotate",
                "service/mcp",
                "networkpolicy/mcp",
                "poddisruptionbudget/mcp",
                "example.com/note=x",
            ],
            None,
        )
        .await?;
        bed.kubectl(&["rollout", "status", "deployment/mcp"], None).await?;
        bed.apply_until_ready(&manifest).await?;

        let cluster = cluster()?;
        tokio::time::sleep(REST).await;
        let (before, deployment) =
            (requests(&cluster, &bed)?, bed.api::<Deployment>().get("mcp").await?);
        tokio::time::sleep(REST).await;
        assert_eq!(
            requests(&cluster, &bed)?,
            before,
            "requests of the operator in {REST:?} at rest"
        );
        assert_eq!(
            bed.api::<Deployment>().get("mcp").await?.metadata.generation,
            deployment.metadata.generation
        );
        let template = deployment.spec.map(|spec| spec.template).unwrap_or_default();
        let annotations =
            template.metadata.and_then(|metadata| metadata.annotations).unwrap_or_default();
        assert!(
            annotations.contains_key("kubectl.kubernetes.io/restartedAt"),
            "the restart was undone"
        );
        let containers = template.spec.map(|pod| pod.containers).unwrap_or_default();
        assert!(
            containers.iter().any(|container| container.name == "injected"),
            "the sidecar was taken out"
        );
        assert!(
            containers.iter().any(|container| container
                .env
                .iter()
                .flatten()
                .any(|variable| variable.name == "TZ")),
            "the variable was taken out"
        );
        assert_eq!(
            deployment
                .metadata
                .labels
                .unwrap_or_default()
                .get("example.com/team")
                .map(String::as_str),
            Some("kafka")
        );
        Ok(())
    })
    .await;
}

async fn everything(bed: &Bed) -> Result<BTreeMap<String, Option<String>>, Trouble> {
    let mut all = BTreeMap::new();
    let mut add = |kind: &str, found: Vec<(String, Option<String>)>| {
        all.extend(
            found
                .into_iter()
                .filter(|(name, _)| ["mcp", "witness"].iter().any(|of| name.starts_with(of)))
                .map(|(name, version)| (format!("{kind}/{name}"), version)),
        );
    };
    add("LensesMcpServer", versions(&bed.api::<LensesMcpServer>()).await?);
    add("Deployment", versions(&bed.api::<Deployment>()).await?);
    add("Service", versions(&bed.api::<Service>()).await?);
    add("ConfigMap", versions(&bed.api::<ConfigMap>()).await?);
    add("Secret", versions(&bed.api::<Secret>()).await?);
    add("ServiceAccount", versions(&bed.api::<ServiceAccount>()).await?);
    add("NetworkPolicy", versions(&bed.api::<NetworkPolicy>()).await?);
    Ok(all)
}

async fn version(bed: &Bed) -> Result<Option<String>, Trouble> {
    Ok(bed.api::<LensesMcpServer>().get("mcp").await?.resource_version())
}

/// The operator's requests about this namespace.
fn requests(cluster: &Cluster, bed: &Bed) -> Result<BTreeMap<String, usize>, Trouble> {
    operator_requests(cluster, |_, object| object.namespace == bed.namespace)
}
