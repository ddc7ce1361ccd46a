//! `Available` tells why pods are not up, and says nothing new for as long as nothing new is known.

use k8s_openapi::api::core::v1::{Pod, Secret};
use kube::{
    Api, ResourceExt,
    api::{Patch, PatchParams},
};
use lenses_mcp_crds::LensesMcpServer;
use lenses_mcp_e2e::bed::{Bed, SERVICE_ACCOUNT_TOKEN, Trouble, condition, prove, until};
use serde_json::json;

#[tokio::test]
async fn an_image_that_cannot_be_pulled_is_named_with_the_kubelets_reason() {
    prove(|bed| async move {
        let mut manifest = bed.oauth_server("mcp", &bed.hq().await?);
        manifest["spec"]["image"] = json!("registry.invalid/nothing:1");
        bed.apply(&manifest).await?;
        let seen = bed.until_reason("mcp", "Available", "ImagePullFailed").await?;
        let message = message(&seen)?;
        assert!(
            message.starts_with("the image registry.invalid/nothing:1 cannot be pulled: "),
            "{message}"
        );
        assert_eq!(
            condition(&seen, "Reconciling").map(|c| c.reason.as_str()),
            Some("ImagePullFailed")
        );
        says_nothing_new(&bed).await
    })
    .await;
}

#[tokio::test]
async fn a_server_failing_at_start_is_reported_without_a_write_per_restart() {
    prove(|bed| async move {
        // A file in the place of the caller's token that the server refuses.
        let hq = bed.hq().await?;
        bed.secret("lenses", json!({"api-key": "two\nlines"})).await?;
        bed.secret("callers", json!({"token": "for-callers-only-0123456789"})).await?;
        bed.apply(&bed.api_key_server("mcp", &hq)).await?;
        let seen = bed.until_reason("mcp", "Available", "CrashLooping").await?;
        let message = message(&seen)?;
        assert!(message.contains("exit status 78"), "{message}");
        assert!(message.contains("LENSES_API_KEY"), "{message}");
        assert!(!message.contains("two"), "a secret in {message}");
        says_nothing_new(&bed).await
    })
    .await;
}

#[tokio::test]
async fn an_unusable_caller_token_is_told_with_its_field_and_unseen() {
    prove(|bed| async move {
        let hq = bed.hq().await?;
        bed.secret("lenses", json!({"api-key": SERVICE_ACCOUNT_TOKEN})).await?;
        bed.secret("callers", json!({"token": "p@ssw0rd!2026"})).await?;
        bed.apply(&bed.api_key_server("mcp", &hq)).await?;
        let seen = bed.until_reason("mcp", "Available", "CrashLooping").await?;
        let message = message(&seen)?;
        assert!(
            message.contains("spec.auth.apiKey.callers.tokenSecretRef: MCP_CALLER_TOKEN is"),
            "{message}"
        );
        assert!(!message.contains("p@ssw0rd"), "a secret in {message}");
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn pods_that_no_node_takes_are_told_with_what_the_scheduler_said() {
    prove(|bed| async move {
        let mut manifest = bed.oauth_server("mcp", &bed.hq().await?);
        manifest["spec"]["resources"] = json!({"requests": {"cpu": "1000"}});
        bed.apply(&manifest).await?;
        let seen = bed.until_reason("mcp", "Available", "Unschedulable").await?;
        let message = message(&seen)?;
        assert!(message.contains("Insufficient cpu"), "{message}");

        manifest["spec"]["resources"] = json!({"requests": {"cpu": "10m"}});
        bed.apply_until_ready(&manifest).await?;
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn a_pod_waiting_for_a_volume_is_reported_with_the_kubelets_warning() {
    prove(|bed| async move {
        let mut manifest = bed.oauth_server("mcp", &bed.hq().await?);
        manifest["spec"]["rollout"] = json!({"progressDeadlineSeconds": 10});
        manifest["spec"]["podTemplate"] = json!({"spec": {
            "volumes": [{"name": "notes", "configMap": {"name": "notes"}}],
            "containers": [{
                "name": "lenses-mcp-server",
                "volumeMounts": [{"name": "notes", "mountPath": "/notes"}]
            }],
        }});
        bed.apply(&manifest).await?;
        let seen = until_said(&bed, "RolloutStalled", "configmap \"notes\" not found").await?;
        assert!(condition(&seen, "Stalled").is_some());

        let notes = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "notes"}});
        bed.kubectl(&["create", "-f", "-"], Some(&notes)).await?;
        bed.until_ready("mcp").await?;
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn a_key_missing_in_a_secret_is_named_with_secret_and_field() {
    prove(|bed| async move {
        let hq = bed.hq().await?;
        bed.secret("lenses", json!({"api-key": SERVICE_ACCOUNT_TOKEN})).await?;
        bed.secret("callers", json!({"another": "for-callers-only-0123456789"})).await?;
        bed.apply(&bed.api_key_server("mcp", &hq)).await?;
        let said = "Secret \"callers\" has no key \"token\" \
                    (spec.auth.apiKey.callers.tokenSecretRef)";
        until_said(&bed, "RolloutInProgress", said).await?;
        let token = json!({"stringData": {"token": "for-callers-only-0123456789"}});
        let by_hand = PatchParams::default();
        bed.api::<Secret>().patch("callers", &by_hand, &Patch::Merge(token)).await?;
        bed.until_ready("mcp").await?;
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn pods_that_turn_unready_are_told_with_what_their_probe_said() {
    prove(|bed| async move {
        let hq = bed.hq().await?;
        let mut manifest = bed.oauth_server("mcp", &hq);
        // Beside the server, a container whose readiness can be set by its control listener.
        manifest["spec"]["podTemplate"] = json!({"spec": {"containers": [{
            "name": "beside",
            "image": hq.image(),
            "args": [
                "--listen=0.0.0.0:9991", "--control=0.0.0.0:9992",
                "--issuer-url=http://localhost:9991"
            ],
            "readinessProbe": {
                "httpGet": {"path": "/.well-known/oauth-authorization-server", "port": 9991},
                "periodSeconds": 1,
                "failureThreshold": 1,
            },
            "securityContext": {
                "allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}
            },
        }]}});
        bed.apply_until_ready(&manifest).await?;
        let address = bed
            .only_pod("mcp")
            .await?
            .status
            .and_then(|status| status.pod_ip)
            .ok_or("no address")?;
        let beside = hq.another(&address);
        beside.set_faults(&json!({"oauth": {"status": 503}})).await?;
        let seen = until_said(
            &bed,
            "ProbeFailing",
            "Readiness probe failed: HTTP probe failed with statuscode: 503",
        )
        .await?;
        assert_eq!(condition(&seen, "Ready").map(|ready| &ready.status[..]), Some("False"));
        beside.set_faults(&json!({})).await?;
        bed.until_ready("mcp").await?;
        Ok(())
    })
    .await;
}

/// Waits until `Available` has this reason and says this among other things: a warning may come
/// after the state that it is about.
async fn until_said(bed: &Bed, reason: &str, said: &str) -> Result<LensesMcpServer, Trouble> {
    let what = format!("{reason} with {said:?}");
    let servers: Api<LensesMcpServer> = bed.api();
    let seen = until(&servers, "mcp", &what, |server| {
        let available = server.and_then(|server| condition(server, "Available"));
        available
            .is_some_and(|available| available.reason == reason && available.message.contains(said))
    });
    seen.await?.ok_or_else(|| "the resource is gone".into())
}

/// Lets the kubelet go through some more states of the container, and finds the resource as it was.
async fn says_nothing_new(bed: &Bed) -> Result<(), Trouble> {
    let servers: Api<LensesMcpServer> = bed.api();
    let before = servers.get("mcp").await?;
    let pods: Api<Pod> = bed.api();
    let name = bed.only_pod("mcp").await?.name_any();
    for _ in 0..3 {
        let state = |pod: Option<&Pod>| {
            pod?.status.as_ref()?.container_statuses.as_ref()?.first()?.state.clone()
        };
        let first = state(Some(&pods.get(&name).await?));
        until(&pods, &name, "another state", |pod| state(pod) != first).await?;
    }
    let after = servers.get("mcp").await?;
    assert_eq!(
        after.resource_version(),
        before.resource_version(),
        "{:?} became {:?}",
        before.status,
        after.status
    );
    Ok(())
}

fn message(server: &LensesMcpServer) -> Result<String, Trouble> {
    Ok(condition(server, "Available").ok_or("no condition Available")?.message.clone())
}
