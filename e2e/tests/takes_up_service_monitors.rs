//! `ServiceMonitor`, whose API a cluster may lack: missed, made when the API comes, put back when
//! changed, removed when no longer asked for. The API is the whole cluster's, so this is the only
//! test that needs it.

#![cfg(target_os = "linux")]

use kube::{
    Api,
    api::DynamicObject,
    core::{ApiResource, GroupVersionKind},
    runtime::wait::await_condition,
};
use lenses_mcp_e2e::bed::{Bed, OptionalApi, Trouble, condition, prove};
use serde_json::{Value, json};

#[tokio::test]
async fn a_service_monitor_is_created_once_its_api_exists_and_restored() {
    prove(|bed| async move {
        OptionalApi::ServiceMonitor.remove().await?;
        let proved = comes_and_goes(&bed).await;
        OptionalApi::ServiceMonitor.remove().await?;
        proved
    })
    .await;
}

async fn comes_and_goes(bed: &Bed) -> Result<(), Trouble> {
    let hq = bed.hq().await?;
    let mut manifest = bed.oauth_server("mcp", &hq);
    let wanted = json!({"labels": {"release": "prometheus"}, "interval": "30s"});
    manifest["spec"]["observability"] = json!({"metrics": {"serviceMonitor": wanted}});
    bed.apply(&manifest).await?;
    let missed = bed.until_reason("mcp", "Accepted", "MissingApi").await?;
    let message =
        condition(&missed, "Accepted").map(|accepted| accepted.message.clone()).unwrap_or_default();
    assert!(message.contains("spec.observability.metrics.serviceMonitor"), "{message}");

    OptionalApi::ServiceMonitor.install().await?;
    as_wanted(bed, "the monitor that was waited for").await?;
    bed.until_ready("mcp").await?;

    let changed = json!({"spec": {"endpoints": [{"targetPort": "mcp"}]}}).to_string();
    bed.kubectl(&["patch", "servicemonitor", "mcp", "--type=merge", "--patch", &changed], None)
        .await?;
    as_wanted(bed, "the monitor as it was before somebody changed it").await?;
    bed.kubectl(&["delete", "servicemonitor", "mcp"], None).await?;
    as_wanted(bed, "the monitor again").await?;

    manifest["spec"]["observability"] = json!({"metrics": {}});
    bed.apply(&manifest).await?;
    monitor(bed, "no monitor", |monitor| monitor.is_none()).await
}

async fn as_wanted(bed: &Bed, what: &str) -> Result<(), Trouble> {
    let endpoint = json!({"targetPort": "admin", "path": "/metrics", "interval": "30s"});
    monitor(bed, what, |monitor| {
        monitor.is_some_and(|monitor| {
            let endpoints: &Value = &monitor.data["spec"]["endpoints"];
            let labelled = monitor
                .metadata
                .labels
                .as_ref()
                .is_some_and(|labels| labels["release"] == "prometheus");
            *endpoints == json!([endpoint]) && labelled
        })
    })
    .await
}

async fn monitor(
    bed: &Bed,
    what: &str,
    holds: impl Fn(Option<&DynamicObject>) -> bool,
) -> Result<(), Trouble> {
    let kind = ApiResource::from_gvk(&GroupVersionKind::gvk(
        "monitoring.coreos.com",
        "v1",
        "ServiceMonitor",
    ));
    let monitors = Api::<DynamicObject>::namespaced_with(bed.client.clone(), &bed.namespace, &kind);
    let seen = tokio::time::timeout(
        std::time::Duration::from_mins(1),
        await_condition(monitors, "mcp", holds),
    );
    seen.await.map_err(|_| format!("waited in vain for {what}"))??;
    Ok(())
}
