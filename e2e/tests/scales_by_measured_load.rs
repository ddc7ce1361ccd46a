//! An autoscaler at work, on figures that are set by hand. Its metrics API is the whole cluster's,
//! so this is the only test of its file.

#![cfg(target_os = "linux")]

use kube::Api;
use lenses_mcp_crds::LensesMcpServer;
use lenses_mcp_e2e::bed::{Bed, Trouble, prove, until};
use serde_json::json;

#[tokio::test]
async fn load_makes_pods_within_the_range_and_the_number_stays_the_autoscalers() {
    prove(|bed| async move {
        let hq = bed.hq().await?;
        let metrics = bed.metrics_api().await?;
        let mut manifest = bed.oauth_server("mcp", &hq);
        let at_once = json!({"stabilizationWindowSeconds": 0});
        manifest["spec"]["autoscaling"] = json!({
            "minReplicas": 1, "maxReplicas": 3, "targetCPUUtilization": 50,
            "behavior": {"scaleDown": at_once}
        });
        // Half of the 50m that each pod asks for by default.
        metrics.set_cpu(25);
        bed.apply_until_ready(&manifest).await?;
        metrics.set_cpu(100);
        // Four times the target would be four pods.
        pods(&bed, 3).await?;
        manifest["spec"]["endpoint"] = json!({"allowedOrigins": ["https://inspector.example.com"]});
        bed.apply_until_ready(&manifest).await?;
        pods(&bed, 3).await?;
        metrics.set_cpu(0);
        pods(&bed, 1).await
    })
    .await;
}

/// So many pods serve, as the resource's own status tells.
async fn pods(bed: &Bed, number: i32) -> Result<(), Trouble> {
    let what = format!("{number} pods that serve");
    let servers: Api<LensesMcpServer> = bed.api();
    let serve = until(&servers, "mcp", &what, |server| {
        let status = server.and_then(|server| server.status.as_ref());
        status.is_some_and(|status| (status.replicas, status.ready_replicas) == (number, number))
    });
    serve.await.map(drop)
}
