//! At each stage of a resource's life kstatus, which Flux and others wait with, says what the
//! conditions say; and so do `kubectl wait` and `kubectl scale`.

use kube::api::{DeleteParams, Patch, PatchParams};
use lenses_mcp_crds::LensesMcpServer;
use lenses_mcp_e2e::bed::{Bed, SERVICE_ACCOUNT_TOKEN, Trouble, kstatus, prove, server, until};
use serde_json::{Value, json};

#[tokio::test]
async fn kstatus_agrees_at_every_stage_of_a_resources_life() {
    prove(|bed| async move {
        let hq = bed.hq().await?;
        bed.secret("lenses", json!({"api-key": SERVICE_ACCOUNT_TOKEN})).await?;
        let manifest = bed.api_key_server("mcp", &hq);

        // What it refers to is not there yet: under way, not failed, since it heals by itself.
        bed.apply(&manifest).await?;
        bed.until_reason("mcp", "Accepted", "ReferenceNotFound").await?;
        assert_eq!(stage(&bed).await?, "InProgress", "a reference is missing");

        bed.secret("callers", json!({"token": "a-token-0123456789"})).await?;
        bed.kubectl(
            &["wait", "--for=condition=Ready", "lensesmcpserver/mcp", "--timeout=90s"],
            None,
        )
        .await?;
        assert_eq!(stage(&bed).await?, "Current", "it is Ready");

        // A new pod counts two seconds after it is ready at the earliest, so this is seen on its
        // way.
        bed.kubectl(&["scale", "lensesmcpserver/mcp", "--replicas=2"], None).await?;
        assert_eq!(stage(&bed).await?, "InProgress", "a second pod is being made");
        bed.kubectl(
            &[
                "wait",
                "--for=jsonpath={.status.readyReplicas}=2",
                "lensesmcpserver/mcp",
                "--timeout=90s",
            ],
            None,
        )
        .await?;
        bed.kubectl(
            &["wait", "--for=condition=Ready", "lensesmcpserver/mcp", "--timeout=90s"],
            None,
        )
        .await?;
        assert_eq!(stage(&bed).await?, "Current", "both serve");

        let servers = bed.api::<LensesMcpServer>();
        let finalizers =
            |finalizers: Value| Patch::Merge(json!({"metadata": {"finalizers": finalizers}}));
        servers
            .patch("mcp", &PatchParams::default(), &finalizers(json!(["e2e.example/hold"])))
            .await?;
        servers.delete("mcp", &DeleteParams::default()).await?;
        assert_eq!(stage(&bed).await?, "Terminating", "it is being deleted");
        servers.patch("mcp", &PatchParams::default(), &finalizers(json!([]))).await?;
        until(&servers, "mcp", "the resource to be gone", |server| server.is_none()).await?;
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn what_only_its_author_can_mend_is_failed_to_kstatus() {
    prove(|bed| async move {
        // The schema lets five digits pass; that there is no such port only the operator says.
        let spec = json!({
            "lenses": {
                "url": "http://hq.example.com:70000", "advertisedUrl": "https://hq.example.com"
            },
            "auth": {"oauth": {}}
        });
        bed.apply(&server("mcp", &spec)).await?;
        bed.until_reason("mcp", "Stalled", "InvalidSpec").await?;
        assert_eq!(stage(&bed).await?, "Failed");
        Ok(())
    })
    .await;
}

async fn stage(bed: &Bed) -> Result<String, Trouble> {
    let object = bed.kubectl(&["get", "lensesmcpserver", "mcp", "-o", "json"], None).await?;
    kstatus(&serde_json::from_str(&object)?).await
}
