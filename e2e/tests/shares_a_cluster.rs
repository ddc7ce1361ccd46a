//! Several operators in a cluster, and one that has rights in its own namespaces only.

use k8s_openapi::api::apps::v1::Deployment;
use kube::Api;
use lenses_mcp_crds::LensesMcpServer;
use lenses_mcp_e2e::bed::{Bed, CHART, INSTALL, OPERATOR_NAMESPACE, Trouble, helm, prove, until};
use serde_json::json;

/// The second operator's release.
const RELEASE: &str = "gold";

#[tokio::test]
async fn each_operator_has_only_its_selected_resources_and_rights_nowhere_else() {
    prove(|bed| async move {
        // The first works on everything that is not gold, and rests for now.
        helm(
            &[&INSTALL[..], &["--set", "replicas=0", "--set", "watchSelector=tier!=gold"]].concat(),
        )
        .await?;
        let first: Api<Deployment> = Api::namespaced(bed.client.clone(), OPERATOR_NAMESPACE);
        until(&first, "lenses-mcp-operator", "no pod of the first operator", |operator| {
            operator
                .and_then(|operator| operator.status.as_ref())
                .is_none_or(|status| status.replicas.unwrap_or(0) == 0)
        })
        .await?;
        let outcome = Box::pin(two_operators(&bed)).await;
        let uninstalled =
            helm(&["uninstall", RELEASE, "--namespace", &bed.namespace, "--wait"]).await;
        helm(&INSTALL).await?;
        outcome?;
        uninstalled?;
        // With its defaults again, the first takes over what was the second's.
        bed.until_ready("gold").await.map(drop)
    })
    .await;
}

async fn two_operators(bed: &Bed) -> Result<(), Trouble> {
    let gone = format!("{}-gone", bed.namespace);
    bed.kubectl(&["create", "namespace", &gone], None).await?;
    let namespaces = format!("watchNamespaces={{{},{gone}}}", bed.namespace);
    let release = [
        "upgrade",
        "--install",
        RELEASE,
        CHART,
        "--namespace",
        &bed.namespace,
        "--wait",
        "--timeout",
        "90s",
    ];
    let values =
        ["--set", "crds.install=false", "--set", "watchSelector=tier=gold", "--set", &namespaces];
    helm(&[&release[..], &values].concat()).await?;
    // A namespace that goes, and its Role with it, keeps a new operator from nothing elsewhere.
    bed.kubectl(&["delete", "namespace", &gone, "--wait=true"], None).await?;
    let operator = format!("deployment/{RELEASE}-lenses-mcp-operator");
    bed.kubectl(&["rollout", "restart", &operator], None).await?;
    bed.kubectl(&["rollout", "status", &operator, "--timeout=90s"], None).await?;
    let user = format!("system:serviceaccount:{}:{RELEASE}-lenses-mcp-operator", bed.namespace);
    let can = async |namespace: &str, verb: &str, what: &str| {
        let asked = ["auth", "can-i", verb, what, "--as", &user, "--namespace", namespace];
        // kubectl ends with status 1 to say no.
        bed.kubectl(&asked, None).await.is_ok_and(|answer| answer.trim() == "yes")
    };
    assert!(can(&bed.namespace, "list", "secrets").await);
    assert!(
        !can(OPERATOR_NAMESPACE, "list", "secrets").await
            && !can("default", "create", "deployments").await
    );

    let hq = bed.hq().await?;
    bed.apply(&bed.oauth_server("plain", &hq)).await?;
    let mut gold = bed.oauth_server("gold", &hq);
    gold["metadata"]["labels"] = json!({"tier": "gold"});
    bed.apply_until_ready(&gold).await?;
    let plain = bed.api::<LensesMcpServer>().get("plain").await?;
    assert!(
        plain.status.is_none(),
        "the second operator took what its selector leaves out: {:?}",
        plain.status
    );

    // Both at work: each has its own.
    helm(&[&INSTALL[..], &["--set", "watchSelector=tier!=gold"]].concat()).await?;
    bed.until_ready("plain").await?;
    // A resource that is given the label changes hands, and serves on.
    bed.kubectl(&["label", "lensesmcpserver", "plain", "tier=gold"], None).await?;
    bed.kubectl(&["scale", "lensesmcpserver/plain", "--replicas=2"], None).await?;
    bed.kubectl(
        &[
            "wait",
            "--for=jsonpath={.status.readyReplicas}=2",
            "lensesmcpserver/plain",
            "--timeout=90s",
        ],
        None,
    )
    .await
    .map(drop)
}
