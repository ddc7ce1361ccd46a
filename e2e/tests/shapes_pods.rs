//! The pods as the spec shapes them, and as others would: what may be added stays, what would
//! change the server is taken out.

use k8s_openapi::api::{
    apps::v1::Deployment,
    core::v1::{Container, Pod},
    networking::v1::NetworkPolicy,
};
use kube::{
    Api,
    api::{DeleteParams, ListParams},
};
use lenses_mcp_e2e::bed::{Trouble, prove, until};
use serde_json::json;

#[tokio::test]
async fn a_pod_template_is_merged_and_pods_run_under_the_restricted_standard() {
    prove(|bed| async move {
        let hq = bed.hq().await?;
        let mut manifest = bed.oauth_server("mcp", &hq);
        let restricted = json!({
            "allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}
        });
        manifest["spec"]["podTemplate"] = json!({
            "metadata": {"labels": {"team": "kafka"}, "annotations": {"example.com/note": "x"}},
            "spec": {
                "nodeSelector": {"kubernetes.io/os": "linux"},
                "tolerations": [{"key": "dedicated", "operator": "Exists", "effect": "NoSchedule"}],
                "volumes": [{"name": "cache", "emptyDir": {"sizeLimit": "16Mi"}}],
                "containers": [
                    {
                        "name": "lenses-mcp-server",
                        "env": [{"name": "TZ", "value": "UTC"}, {"name": "EMPTY", "value": ""}],
                        "volumeMounts": [{"name": "cache", "mountPath": "/cache"}],
                    },
                    {
                        "name": "beside",
                        "image": hq.image(),
                        "args": [
                            "--listen=127.0.0.1:9981", "--control=127.0.0.1:9982",
                            "--issuer-url=http://localhost:9981"
                        ],
                        "securityContext": restricted,
                    },
                ],
            },
        });
        bed.apply_until_ready(&manifest).await?;
        let pods = bed.api::<Pod>().list(&ListParams::default().labels("team=kafka")).await?;
        let pod =
            pods.items.first().and_then(|pod| pod.spec.as_ref()).ok_or("no pod with the label")?;
        let names: Vec<_> = pod.containers.iter().map(|container| &container.name[..]).collect();
        assert_eq!(names, ["lenses-mcp-server", "beside"]);
        assert!(
            pod.tolerations
                .iter()
                .flatten()
                .any(|toleration| toleration.key.as_deref() == Some("dedicated"))
        );
        let server = pod.containers.first().ok_or("no container")?;
        assert!(
            variables(server).contains(&"TZ") && variables(server).contains(&"MCP_SETTINGS_FILE")
        );
        assert!(server.volume_mounts.iter().flatten().any(|mount| mount.mount_path == "/cache"));
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn a_setting_added_to_the_environment_by_hand_is_removed_others_stay() {
    prove(|bed| async move {
        let hq = bed.hq().await?;
        bed.apply_until_ready(&bed.oauth_server("mcp", &hq)).await?;
        bed.kubectl(
            &[
                "set",
                "env",
                "deployment/mcp",
                "OAUTH_ENABLED=false",
                "MCP_CALLERS=anyone",
                "TZ=UTC",
            ],
            None,
        )
        .await?;
        let by_hand = json!({
            "spec": {
                "template": {
                    "spec": {"containers": [{"name": "lenses-mcp-server", "args": ["--check"]}]}
                }
            }
        });
        bed.kubectl(
            &["patch", "deployment", "mcp", "--type=strategic", "--patch", &by_hand.to_string()],
            None,
        )
        .await?;
        let deployments: Api<Deployment> = bed.api();
        let mended =
            until(&deployments, "mcp", "a Deployment without the settings", |deployment| {
                deployment.and_then(server).is_some_and(|container| {
                    container.args.is_none()
                        && !variables(container)
                            .iter()
                            .any(|name| ["OAUTH_ENABLED", "MCP_CALLERS"].contains(name))
                })
            });
        let mended = mended.await?.ok_or("the Deployment is gone")?;
        assert_eq!(
            server(&mended).map(variables),
            Some(vec!["MCP_SETTINGS_FILE", "MCP_REPLICA_HOST", "TZ"])
        );
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn a_changed_or_deleted_network_policy_is_restored_until_it_is_disabled() {
    prove(|bed| async move {
        let hq = bed.hq().await?;
        let mut manifest = bed.oauth_server("mcp", &hq);
        bed.apply_until_ready(&manifest).await?;
        let policies: Api<NetworkPolicy> = bed.api();
        let wanted = policies.get("mcp").await?.spec;
        let as_it_was =
            |policy: Option<&NetworkPolicy>| policy.is_some_and(|policy| policy.spec == wanted);
        bed.kubectl(
            &[
                "patch",
                "networkpolicy",
                "mcp",
                "--type=merge",
                "--patch",
                r#"{"spec":{"egress":[{}]}}"#,
            ],
            None,
        )
        .await?;
        until(&policies, "mcp", "the policy as it was", as_it_was).await?;
        policies.delete("mcp", &DeleteParams::background()).await?;
        until(&policies, "mcp", "the policy again", as_it_was).await?;
        manifest["spec"]["networkPolicy"] = json!({"enabled": false});
        bed.apply(&manifest).await?;
        until(&policies, "mcp", "no policy", |policy| policy.is_none()).await?;
        Ok::<_, Trouble>(())
    })
    .await;
}

fn server(deployment: &Deployment) -> Option<&Container> {
    let pod = deployment.spec.as_ref()?.template.spec.as_ref()?;
    pod.containers.iter().find(|container| container.name == "lenses-mcp-server")
}

fn variables(container: &Container) -> Vec<&str> {
    container.env.iter().flatten().map(|variable| &variable.name[..]).collect()
}
