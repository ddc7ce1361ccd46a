//! What others do to a resource, and resources that are going, are in nobody's way.

use k8s_openapi::api::apps::v1::Deployment;
use kube::{
    Api, ResourceExt,
    api::{DeleteParams, Patch, PatchParams},
};
use lenses_mcp_crds::LensesMcpServer;
use lenses_mcp_e2e::bed::{condition, prove, until};
use serde_json::{Value, json};

#[tokio::test]
async fn a_status_that_somebody_writes_by_hand_is_put_right() {
    prove(|bed| async move {
        let hq = bed.hq().await?;
        let made = bed.apply_until_ready(&bed.oauth_server("mcp", &hq)).await?;
        let by_hand =
            json!({"status": {"url": "https://evil.example/mcp", "replicas": 9, "conditions": []}});
        let flags = ["--subresource=status", "--type=merge", "--patch"];
        let by_hand = by_hand.to_string();
        bed.kubectl(
            &[&["patch", "lensesmcpserver", "mcp"], &flags[..], &[&by_hand]].concat(),
            None,
        )
        .await?;
        let said = |server: &LensesMcpServer| {
            server.status.clone().map(|status| (status.url, status.replicas))
        };
        let servers: Api<LensesMcpServer> = bed.api();
        let mended = until(&servers, "mcp", "the status as it was", |server| {
            server.is_some_and(|server| {
                said(server) == said(&made)
                    && condition(server, "Ready").is_some_and(|ready| ready.status == "True")
            })
        });
        mended.await.map(drop)
    })
    .await;
}

#[tokio::test]
async fn a_resource_under_deletion_is_left_alone_and_delays_no_other() {
    prove(|bed| async move {
        let hq = bed.hq().await?;
        bed.apply_until_ready(&bed.oauth_server("going", &hq)).await?;
        let servers: Api<LensesMcpServer> = bed.api();
        let finalizers =
            |finalizers: Value| Patch::Merge(json!({"metadata": {"finalizers": finalizers}}));
        servers
            .patch("going", &PatchParams::default(), &finalizers(json!(["e2e.example/hold"])))
            .await?;
        servers.delete("going", &DeleteParams::default()).await?;
        let deployments: Api<Deployment> = bed.api();
        deployments.delete("going", &DeleteParams::background()).await?;
        until(&deployments, "going", "no Deployment", |deployment| deployment.is_none()).await?;
        let replicas = Patch::Merge(json!({"spec": {"replicas": 2}}));
        servers.patch("going", &PatchParams::default(), &replicas).await?;

        // The operator has seen all of that when it has made something that was asked for after it.
        bed.apply_until_ready(&bed.oauth_server("coming", &hq)).await?;
        assert!(
            deployments.get_opt("going").await?.is_none(),
            "the Deployment of a resource that is going came back"
        );
        servers.patch("going", &PatchParams::default(), &finalizers(json!([]))).await?;
        until(&servers, "going", "the resource to be gone", |server| server.is_none())
            .await
            .map(drop)
    })
    .await;
}

#[tokio::test]
async fn children_of_somebody_elses_are_neither_taken_nor_touched() {
    prove(|bed| async move {
        let hq = bed.hq().await?;
        let made = bed.apply_until_ready(&bed.oauth_server("mcp", &hq)).await?;
        // Looks like one of the operator's, and is nobody's.
        let labels = json!({
            "app.kubernetes.io/managed-by": "lenses-mcp-operator",
            "app.kubernetes.io/instance": "mcp"
        });
        let stray = json!({
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": "stray", "labels": labels}, "data": {"a": "b"},
        });
        bed.apply(&stray).await?;
        let again = json!({
            "spec": {"endpoint": {"allowedOrigins": ["https://inspector.example.com"]}}
        });
        bed.api::<LensesMcpServer>()
            .patch("mcp", &PatchParams::default(), &Patch::Merge(again))
            .await?;
        let again = bed.until_ready("mcp").await?;
        assert_eq!(
            again.metadata.generation,
            made.metadata.generation.map(|generation| generation + 1)
        );
        let stray = bed.api::<k8s_openapi::api::core::v1::ConfigMap>().get("stray").await?;
        assert!(
            stray.owner_references().is_empty() && stray.data.is_some_and(|data| data["a"] == "b")
        );
        Ok(())
    })
    .await;
}
