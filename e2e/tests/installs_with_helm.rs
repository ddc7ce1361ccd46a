//! The chart: installs with its defaults, upgrades, and goes without taking anybody's servers
//! along.

use k8s_openapi::api::{apps::v1::Deployment, rbac::v1::ClusterRole};
use kube::Api;
use lenses_mcp_crds::{LensesMcpServer, yaml};
use lenses_mcp_e2e::{
    bed::{Bed, CHART, INSTALL, OPERATOR_NAMESPACE, OPERATOR_RELEASE, helm, prove, until},
    client::http_client,
};
use serde_json::{Value, json};
use tokio::sync::Mutex;

/// Held by a test while it changes the release that all share, or needs it as it is.
static RELEASE: Mutex<()> = Mutex::const_new(());

#[tokio::test]
async fn helm_uninstall_removes_the_operator_and_leaves_every_server_running() {
    prove(|bed| async move {
        let _release = RELEASE.lock().await;
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

fn is_ours(group: &String) -> bool {
    group == "mcp.lenses.io"
}

#[tokio::test]
async fn people_get_rights_on_servers_with_the_roles_that_they_have() {
    prove(|bed| async move {
        let _release = RELEASE.lock().await;
        let cluster_roles: Api<ClusterRole> = Api::all(bed.client.clone());
        for role in ["view", "edit", "admin"] {
            // The roles are aggregated a moment after they are made.
            until(&cluster_roles, role, "rights on LensesMcpServers", |role| {
                let rules = role.and_then(|role| role.rules.as_ref());
                rules.is_some_and(|rules| {
                    rules.iter().filter_map(|rule| rule.api_groups.as_ref()).flatten().any(is_ours)
                })
            })
            .await?;
            let account = format!("{}:{role}", bed.namespace);
            bed.kubectl(&["create", "serviceaccount", role], None).await?;
            let subject = format!("--serviceaccount={account}");
            let role_of = format!("--clusterrole={role}");
            bed.kubectl(&["create", "rolebinding", role, &role_of, &subject], None).await?;
            let subject = format!("--as=system:serviceaccount:{account}");
            for (verb, resource, writes) in [
                ("list", "lensesmcpservers.mcp.lenses.io", false),
                ("get", "lensesmcpservers.mcp.lenses.io/status", false),
                ("create", "lensesmcpservers.mcp.lenses.io", true),
                ("delete", "lensesmcpservers.mcp.lenses.io", true),
                ("patch", "lensesmcpservers.mcp.lenses.io/scale", true),
            ] {
                let (resource, part) = resource.split_once('/').unwrap_or((resource, ""));
                let part = format!("--subresource={part}");
                let ask = ["auth", "can-i", verb, resource, &part, &subject];
                // It ends with 1 for a no.
                let may = bed.kubectl(&ask, None).await.is_ok();
                assert_eq!(may, !writes || role != "view", "{role} {verb} {resource} {part}");
            }
            // The status is the operator's alone.
            let status = "--subresource=status";
            let ask =
                ["auth", "can-i", "patch", "lensesmcpservers.mcp.lenses.io", status, &subject];
            assert!(bed.kubectl(&ask, None).await.is_err(), "{role} may write the status");
        }
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn the_chart_passes_helm_lint_and_refuses_an_unknown_value() {
    let lint = helm(&["lint", "--strict", CHART]).await;
    assert!(lint.is_ok(), "{lint:?}");
    let refusal =
        helm(&["template", CHART, "--set", "replicaz=2"]).await.map_err(|error| error.to_string());
    assert!(refusal.as_ref().is_err_and(|text| text.contains("replicaz")), "{refusal:?}");
}

#[tokio::test]
async fn helm_test_passes_on_an_installed_chart() {
    prove(|_bed| async move {
        let _release = RELEASE.lock().await;
        let report = helm(&["test", OPERATOR_RELEASE, "--namespace", OPERATOR_NAMESPACE]).await?;
        assert!(report.contains("api-check") && report.contains("Succeeded"), "{report}");
        // With the check as a hook, Helm returns only once the API server accepts a resource.
        helm(&[&INSTALL[..], &["--set", "startupCheck.enabled=true"]].concat()).await?;
        helm(&INSTALL).await.map(drop)
    })
    .await;
}

/// Releases and namespaces that YAML reads as numbers and booleans if they are not quoted, with
/// dots, and as long as can be.
const ODD_NAMES: [(&str, &str); 3] = [
    ("true", "2024"),
    ("1.0", "null"),
    (
        "a-name-of-fifty-three-character.0123456789.0123456789",
        "a-namespace-of-sixty-three-characters-0123456789-0123456789-012",
    ),
];

#[tokio::test]
async fn the_api_server_accepts_the_chart_under_odd_names() {
    prove(|bed| async move {
        for (release, namespace) in ODD_NAMES {
            bed.kubectl(&["create", "namespace", namespace], None).await?;
            // The pod of `helm test` needs a ServiceAccount, of which a dry run makes none.
            let values = ["--set", "replicas=2,crds.install=false", "--skip-tests"];
            let template = ["template", release, CHART, "--namespace", namespace];
            let objects: Vec<Value> =
                yaml::from_documents(&helm(&[&template[..], &values].concat()).await?)?;
            let list = json!({"apiVersion": "v1", "kind": "List", "items": objects});
            let there = Bed { namespace: namespace.to_owned(), ..bed.clone() };
            there.kubectl(&["apply", "--dry-run=server", "-f", "-"], Some(&list)).await?;
            bed.kubectl(&["delete", "namespace", namespace, "--wait=false"], None).await?;
        }
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn a_second_installation_is_refused_and_the_first_works_on() {
    prove(|bed| async move {
        let _release = RELEASE.lock().await;
        let second = ["install", "second", CHART, "--namespace", &bed.namespace];
        let refused = helm(&second).await.map_err(|error| error.to_string());
        let named = |text: &String| {
            text.contains("lensesmcpservers.mcp.lenses.io")
                && text.contains("invalid ownership metadata")
        };
        assert!(refused.as_ref().is_err_and(named), "{refused:?}");
        let again = ["install", OPERATOR_RELEASE, CHART, "--namespace", OPERATOR_NAMESPACE];
        let refused = helm(&again).await.map_err(|error| error.to_string());
        assert!(refused.as_ref().is_err_and(|text| text.contains("in use")), "{refused:?}");
        let left = bed.kubectl(&["get", "deployments,services,serviceaccounts"], None).await?;
        assert!(!left.contains("second"), "{left}");
        bed.apply_until_ready(&bed.oauth_server("mcp", &bed.hq().await?)).await.map(drop)
    })
    .await;
}
