//! `Available` tells why pods are not up, and says nothing new for as long as nothing new is known.

use k8s_openapi::api::core::v1::Pod;
use kube::{Api, ResourceExt, api::ListParams};
use lenses_mcp_crds::LensesMcpServer;
use lenses_mcp_e2e::bed::{Bed, Trouble, condition, prove, until};
use serde_json::json;

#[tokio::test]
async fn an_image_that_cannot_be_pulled_is_named_with_what_the_kubelet_said() {
    prove(|bed| async move {
        let mut manifest = bed.oauth_server("mcp", &bed.hq().await?);
        manifest["spec"]["image"] = json!("registry.invalid/nothing:1");
        bed.apply(&manifest).await?;
        let seen = bed.until_reason("mcp", "Available", "ImagePullFailed").await?;
        let message = message(&seen)?;
        assert!(message.starts_with("the image registry.invalid/nothing:1 cannot be pulled: "), "{message}");
        assert_eq!(condition(&seen, "Reconciling").map(|c| c.reason.as_str()), Some("ImagePullFailed"));
        says_nothing_new(&bed).await
    })
    .await;
}

#[tokio::test]
async fn a_server_that_ends_at_its_start_is_told_with_its_last_words_and_without_a_write_per_restart() {
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

/// Lets the kubelet go through some more states of the container, and finds the resource as it was.
async fn says_nothing_new(bed: &Bed) -> Result<(), Trouble> {
    let servers: Api<LensesMcpServer> = bed.api();
    let before = servers.get("mcp").await?;
    let pods: Api<Pod> = bed.api();
    let of_server = ListParams::default().labels("app.kubernetes.io/instance=mcp");
    let name = pods.list(&of_server).await?.items.first().ok_or("no pod")?.name_any();
    for _ in 0..3 {
        let state = |pod: Option<&Pod>| pod?.status.as_ref()?.container_statuses.as_ref()?.first()?.state.clone();
        let first = state(Some(&pods.get(&name).await?));
        until(&pods, &name, "another state", |pod| state(pod) != first).await?;
    }
    let after = servers.get("mcp").await?;
    assert_eq!(after.resource_version(), before.resource_version(), "{:?} became {:?}", before.status, after.status);
    Ok(())
}

fn message(server: &LensesMcpServer) -> Result<String, Trouble> {
    Ok(condition(server, "Available").ok_or("no condition Available")?.message.clone())
}
