//! The chart: installs with its defaults, upgrades, and goes without taking anybody's servers along.

use k8s_openapi::api::apps::v1::Deployment;
use kube::Api;
use lenses_mcp_crds::LensesMcpServer;
use lenses_mcp_e2e::{
    bed::{CHART, INSTALL, OPERATOR_NAMESPACE, OPERATOR_RELEASE, helm, prove, until},
    client::http_client,
};

#[tokio::test]
async fn helm_uninstall_removes_the_operator_and_leaves_every_server_running() {
    prove(|bed| async move {
        let hq = bed.hq().await?;
        bed.apply_until_ready(&bed.oauth_server("mcp", &hq)).await?;
        let operators: Api<Deployment> = Api::namespaced(bed.client.clone(), OPERATOR_NAMESPACE);
        let pods = bed.kubectl(&["get", "pods", "-o", "name"], None).await?;

        helm(&["uninstall", OPERATOR_RELEASE, "--namespace", OPERATOR_NAMESPACE, "--wait"]).await?;
        until(&operators, "lenses-mcp-operator", "no operator", |operator| operator.is_none())
            .await?;
        let left =
            bed.kubectl(&["get", "clusterroles,clusterrolebindings", "-o", "name"], None).await?;
        assert!(!left.contains("lenses-mcp-operator"), "{left}");
        assert!(
            bed.api::<LensesMcpServer>().get("mcp").await.is_ok(),
            "the resource went with the operator"
        );
        assert_eq!(
            bed.kubectl(&["get", "pods", "-o", "name"], None).await?,
            pods,
            "the server's pods were touched"
        );
        let metadata = format!("http://{}/.well-known/oauth-protected-resource", bed.host("mcp"));
        http_client()?.get(metadata).send().await?.error_for_status()?;

        // Installed again, it finds its resources and goes on.
        let notes = helm(&INSTALL).await?;
        assert!(notes.contains("kubectl"), "NOTES name no next command: {notes}");
        bed.apply_until_ready(&bed.oauth_server("another", &hq)).await?;
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn the_chart_passes_helm_lint_and_refuses_a_value_that_it_does_not_know() {
    let lint = helm(&["lint", "--strict", CHART]).await;
    assert!(lint.is_ok(), "{lint:?}");
    let refusal =
        helm(&["template", CHART, "--set", "replicaz=2"]).await.map_err(|error| error.to_string());
    assert!(refusal.as_ref().is_err_and(|text| text.contains("replicaz")), "{refusal:?}");
}

#[tokio::test]
async fn helm_test_passes_on_an_installed_chart() {
    prove(|_bed| async move {
        let report = helm(&["test", OPERATOR_RELEASE, "--namespace", OPERATOR_NAMESPACE]).await?;
        assert!(report.contains("api-check") && report.contains("Succeeded"), "{report}");
        // With the check as a hook, Helm returns only once the API server accepts a resource.
        helm(&[&INSTALL[..], &["--set", "startupCheck.enabled=true"]].concat()).await?;
        helm(&INSTALL).await.map(drop)
    })
    .await;
}
