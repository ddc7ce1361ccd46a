//! From a manifest to a running server and back: what the operator makes, keeps, follows and
//! removes.

mod drift;

use k8s_openapi::api::{
    apps::v1::Deployment,
    core::v1::{ConfigMap, Pod, Secret, Service, ServiceAccount},
    networking::v1::NetworkPolicy,
};
use kube::{
    Api, ResourceExt,
    api::{DeleteParams, Patch, PatchParams, PostParams},
};
use lenses_mcp_crds::LensesMcpServer;
use lenses_mcp_e2e::{
    bed::{Bed, SERVICE_ACCOUNT_TOKEN, Trouble, condition, mcp_url, prove, server, until},
    client::Application,
};
use serde_json::json;

#[tokio::test]
async fn a_manifest_becomes_a_ready_server_whose_status_tells_what_was_derived() {
    prove(|bed| async move {
        let hq = bed.hq().await?;
        let made = bed.apply_until_ready(&bed.oauth_server("mcp", &hq)).await?;
        let status = made.status.as_ref().ok_or("no status")?;
        let base = format!("http://{}", bed.host("mcp"));
        assert_eq!(status.url.as_deref(), Some(format!("{base}/mcp").as_str()));
        assert_eq!(status.authorization_server.as_deref(), Some(hq.issuer().as_str()));
        let derived =
            |setting: &str| status.derived.iter().find(|derived| derived.setting == setting);
        let advertised = derived("MCP_ADVERTISED_URL").ok_or("MCP_ADVERTISED_URL is not shown")?;
        assert_eq!(advertised.value, base);
        assert!(!advertised.rule.is_empty());
        assert!(
            derived("LENSES_URL").is_some_and(|derived| derived.value.ends_with(":9991")),
            "{:?}",
            status.derived
        );
        for gone in ["Reconciling", "Stalled"] {
            assert!(condition(&made, gone).is_none(), "{gone} is present on a server at rest");
        }
        let children = children(&bed).await?;
        assert_eq!(children.len(), 6, "{children:?}");
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn deleting_the_resource_leaves_nothing_behind() {
    prove(|bed| async move {
        let hq = bed.hq().await?;
        bed.apply_until_ready(&bed.oauth_server("mcp", &hq)).await?;
        let pods: Api<Pod> = bed.api();
        let pod = bed.only_pod("mcp").await?.name_any();
        let settings = bed.settings("mcp").await?.name_any();
        bed.kubectl(&["delete", "lensesmcpserver", "mcp", "--wait=true"], None).await?;
        until(&pods, &pod, "the pod to be gone", |pod| pod.is_none()).await?;
        until(&bed.api::<Deployment>(), "mcp", "no Deployment", |object| object.is_none()).await?;
        until(&bed.api::<Service>(), "mcp", "no Service", |object| object.is_none()).await?;
        until(&bed.api::<Secret>(), "mcp", "no Secret", |object| object.is_none()).await?;
        until(&bed.api::<ConfigMap>(), &settings, "no ConfigMap", |map| map.is_none()).await?;
        until(&bed.api::<ServiceAccount>(), "mcp", "no ServiceAccount", |object| object.is_none())
            .await?;
        until(&bed.api::<NetworkPolicy>(), "mcp", "no NetworkPolicy", |object| object.is_none())
            .await?;
        assert_eq!(children(&bed).await?, Vec::<String>::new());
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn a_foreign_object_of_the_same_name_is_untouched_and_named() {
    prove(|bed| async move {
        let hq = bed.hq().await?;
        let accounts: Api<ServiceAccount> = bed.api();
        let theirs = json!({"metadata": {"name": "mcp", "annotations": {"theirs": "yes"}}});
        let theirs =
            accounts.create(&PostParams::default(), &serde_json::from_value(theirs)?).await?;
        bed.apply(&bed.oauth_server("mcp", &hq)).await?;
        let refused = bed.until_reason("mcp", "Accepted", "NameTaken").await?;
        let message = &condition(&refused, "Accepted").ok_or("no condition")?.message;
        assert!(message.contains("ServiceAccount") && message.contains("mcp"), "{message}");
        let now = accounts.get("mcp").await?;
        assert_eq!(
            (now.resource_version(), now.annotations()),
            (theirs.resource_version(), theirs.annotations())
        );

        accounts.delete("mcp", &DeleteParams::background()).await?;
        bed.apply_until_ready(&bed.oauth_server("mcp", &hq)).await?;
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn a_missing_secret_is_named_and_a_changed_one_rolls_the_pods() {
    prove(|bed| async move {
        let hq = bed.hq().await?;
        bed.secret("lenses", json!({"api-key": SERVICE_ACCOUNT_TOKEN})).await?;
        let manifest = bed.api_key_server("mcp", &hq);
        bed.apply(&manifest).await?;
        let refused = bed.until_reason("mcp", "Accepted", "ReferenceNotFound").await?;
        let message = &condition(&refused, "Accepted").ok_or("no condition")?.message;
        assert!(message.contains("Secret") && message.contains("callers"), "{message}");

        bed.secret("callers", json!({"token": "the-first-token-0123456789"})).await?;
        let made = bed.apply_until_ready(&manifest).await?;
        let application = Application::new("a script", &mcp_url(&made)?, "alice")?;
        application.connect(Some("the-first-token-0123456789")).await?;

        let old_pod = bed.only_pod("mcp").await?.name_any();
        let changed = json!({"stringData": {"token": "the-second-token-0123456789"}});
        bed.api::<Secret>()
            .patch("callers", &PatchParams::default(), &Patch::Merge(changed))
            .await?;
        until(&bed.api::<Pod>(), &old_pod, "the old pod to be gone", |pod| pod.is_none()).await?;
        application.connect(Some("the-second-token-0123456789")).await?;
        assert!(
            application.connect(Some("the-first-token-0123456789")).await.is_err(),
            "the old token still works"
        );
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn a_service_that_appears_late_or_changes_its_port_is_followed() {
    prove(|bed| async move {
        let spec = json!({
            "lenses": {
                "serviceRef": {"name": "hq", "port": "http"},
                "advertisedUrl": format!("http://{}:9991", bed.host("hq")),
            },
            "auth": {"oauth": {}},
        });
        bed.apply(&server("mcp", &spec)).await?;
        let refused = bed.until_reason("mcp", "Accepted", "ReferenceNotFound").await?;
        let message = &condition(&refused, "Accepted").ok_or("no condition")?.message;
        assert!(message.contains("Service") && message.contains("hq"), "{message}");

        bed.hq().await?;
        bed.apply_until_ready(&server("mcp", &spec)).await?;
        let other_port = json!([{"op": "replace", "path": "/spec/ports/0/port", "value": 9993}]);
        let patch = Patch::Json::<()>(serde_json::from_value(other_port)?);
        bed.api::<Service>().patch("hq", &PatchParams::default(), &patch).await?;
        until(&bed.api::<LensesMcpServer>(), "mcp", "the new port", |server| {
            let status = server.and_then(|server| server.status.as_ref());
            let url = status.and_then(|status| status.lenses_url.as_deref());
            url.is_some_and(|url| url.ends_with(":9993"))
        })
        .await?;
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn scale_changes_the_replicas_and_paused_keeps_everything_as_it_is() {
    prove(|bed| async move {
        let hq = bed.hq().await?;
        bed.apply_until_ready(&bed.oauth_server("mcp", &hq)).await?;
        let deployments: Api<Deployment> = bed.api();
        let ready = |wanted: i32| {
            move |deployment: Option<&Deployment>| {
                let status = deployment.and_then(|deployment| deployment.status.as_ref());
                status.and_then(|status| status.ready_replicas) == Some(wanted)
            }
        };
        bed.kubectl(&["scale", "lensesmcpserver/mcp", "--replicas=2"], None).await?;
        until(&deployments, "mcp", "2 ready pods", ready(2)).await?;

        let servers: Api<LensesMcpServer> = bed.api();
        let pause = |paused: bool, replicas: i32| {
            Patch::Merge(json!({"spec": {"paused": paused, "replicas": replicas}}))
        };
        let paused = servers.patch("mcp", &PatchParams::default(), &pause(true, 1)).await?;
        until(&servers, "mcp", "the paused generation to be reported", |server| {
            let observed = server.and_then(|server| server.status.as_ref()?.observed_generation);
            observed == paused.metadata.generation
        })
        .await?;
        let made = deployments.get("mcp").await?;
        assert!(ready(2)(Some(&made)), "a paused server was scaled");

        // Without the label by which it is watched, the Deployment is still observed, and it gets
        // the label back.
        let by_hand = json!({
            "metadata": {"labels": {"app.kubernetes.io/managed-by": null}},
            "spec": {"replicas": 3},
        });
        deployments.patch("mcp", &PatchParams::default(), &Patch::Merge(by_hand)).await?;
        until(&servers, "mcp", "3 ready pods in the status", |server| {
            server.and_then(|server| Some(server.status.as_ref()?.ready_replicas)) == Some(3)
        })
        .await?;
        servers.patch("mcp", &PatchParams::default(), &pause(false, 1)).await?;
        until(&deployments, "mcp", "1 ready pod and the label", |deployment| {
            let has_labels = |found: &Deployment| found.metadata.labels == made.metadata.labels;
            ready(1)(deployment) && deployment.is_some_and(has_labels)
        })
        .await?;
        Ok(())
    })
    .await;
}

/// Kind and name of everything that the operator made here.
async fn children(bed: &Bed) -> Result<Vec<String>, Trouble> {
    let kinds = "serviceaccounts,secrets,configmaps,deployments,services,networkpolicies";
    let mine = "app.kubernetes.io/managed-by=lenses-mcp-operator";
    let names = bed.kubectl(&["get", kinds, "--selector", mine, "-o", "name"], None).await?;
    Ok(names.lines().map(str::to_owned).collect())
}
