//! Changes by others: the operator undoes those of its own fields, and leaves no entry of an older
//! manager.

use k8s_openapi::api::{
    apps::v1::Deployment,
    core::v1::{ConfigMap, Secret, Service, ServiceAccount},
    networking::v1::NetworkPolicy,
};
use kube::{
    Api, ResourceExt,
    api::{DeleteParams, Patch, PatchParams},
};
use lenses_mcp_e2e::bed::{Bed, Trouble, prove, until};
use serde_json::json;

#[tokio::test]
async fn manual_changes_to_children_are_put_back_and_deleted_children_come_back() {
    prove(|bed| async move {
        let hq = bed.hq().await?;
        bed.apply_until_ready(&bed.oauth_server("mcp", &hq)).await?;
        let by_hand = PatchParams::default();

        let deployments: Api<Deployment> = bed.api();
        let wanted = deployments.get("mcp").await?.spec;
        let other = json!({"spec": {
            "replicas": 3,
            "template": {"spec": {"containers": [
                {"name": "lenses-mcp-server", "image": "docker.io/somebody/else:1"},
            ]}},
        }});
        deployments.patch("mcp", &by_hand, &Patch::Strategic(other)).await?;
        until(&deployments, "mcp", "the Deployment as it was", |deployment| {
            deployment.is_some_and(|deployment| deployment.spec == wanted)
        })
        .await?;

        let labels = deployments.get("mcp").await?.metadata.labels;
        let unlabelled = json!({"metadata": {"labels": {"app.kubernetes.io/managed-by": null}}});
        deployments.patch("mcp", &by_hand, &Patch::Merge(unlabelled)).await?;
        until(&deployments, "mcp", "the label by which it is watched", |deployment| {
            deployment.is_some_and(|found| found.metadata.labels == labels)
        })
        .await?;

        let services: Api<Service> = bed.api();
        let port = |service: &Service| {
            service.spec.as_ref()?.ports.as_ref()?.first().map(|port| port.port)
        };
        let other = json!([{"op": "replace", "path": "/spec/ports/0/port", "value": 81}]);
        let other = Patch::Json::<()>(serde_json::from_value(other)?);
        services.patch("mcp", &by_hand, &other).await?;
        until(&services, "mcp", "port 80", |service| service.and_then(port) == Some(80)).await?;

        let config_maps: Api<ConfigMap> = bed.api();
        let settings = bed.settings("mcp").await?;
        let name = settings.name_any();
        let open = Patch::Merge(json!({"data": {"settings.env": "OAUTH_ENABLED=false"}}));
        let edited = config_maps.patch(&name, &by_hand, &open).await;
        assert!(edited.is_err(), "the settings can be edited");
        config_maps.delete(&name, &DeleteParams::background()).await?;
        until(&config_maps, &name, "the settings as they were", |map| {
            map.is_some_and(|map| map.data == settings.data)
        })
        .await?;

        let secrets: Api<Secret> = bed.api();
        let key = secrets.get("mcp").await?;
        let renamed = json!({"app.kubernetes.io/part-of": "something-else"});
        let renamed = json!({"metadata": {"labels": renamed}});
        secrets.patch("mcp", &by_hand, &Patch::Merge(renamed)).await?;
        let labels = key.metadata.labels.clone();
        let as_it_was = until(&secrets, "mcp", "the labels as they were", |secret| {
            secret.is_some_and(|secret| secret.metadata.labels == labels)
        })
        .await?;
        assert_eq!(as_it_was.and_then(|secret| secret.data), key.data, "the key is another");

        let now = DeleteParams::background();
        services.delete("mcp", &now).await?;
        until(&services, "mcp", "the Service again", |service| service.is_some()).await?;
        let accounts: Api<ServiceAccount> = bed.api();
        accounts.delete("mcp", &now).await?;
        until(&accounts, "mcp", "the ServiceAccount again", |account| account.is_some()).await?;
        let policies: Api<NetworkPolicy> = bed.api();
        let wanted = policies.get("mcp").await?.spec;
        policies.delete("mcp", &now).await?;
        until(&policies, "mcp", "the NetworkPolicy again", |policy| {
            policy.is_some_and(|policy| policy.spec == wanted)
        })
        .await?;
        secrets.delete("mcp", &now).await?;
        until(&secrets, "mcp", "the Secret again", |secret| secret.is_some()).await?;
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn what_others_add_where_it_changes_the_meaning_is_taken_out() {
    prove(|bed| {
        Box::pin(async move {
            let hq = bed.hq().await?;
            bed.apply_until_ready(&bed.oauth_server("mcp", &hq)).await?;
            let by_hand = PatchParams::default();

            let services: Api<Service> = bed.api();
            let wanted = services.get("mcp").await?.spec;
            for added in [
                json!({"spec": {"selector": {"another": "label"}}}),
                json!({"spec": {"ports": [{"name": "admin", "port": 9090}]}}),
            ] {
                services.patch("mcp", &by_hand, &Patch::Strategic(added)).await?;
                until(&services, "mcp", "the Service as it was", |service| {
                    service.is_some_and(|service| service.spec == wanted)
                })
                .await?;
            }

            let policies: Api<NetworkPolicy> = bed.api();
            let wanted = policies.get("mcp").await?.spec;
            let added = json!({"spec": {"podSelector": {"matchLabels": {"another": "label"}}}});
            policies.patch("mcp", &by_hand, &Patch::Merge(added)).await?;
            until(&policies, "mcp", "the NetworkPolicy as it was", |policy| {
                policy.is_some_and(|policy| policy.spec == wanted)
            })
            .await?;

            let deployments: Api<Deployment> = bed.api();
            let paused = json!({"spec": {"paused": true}});
            deployments.patch("mcp", &by_hand, &Patch::Merge(paused)).await?;
            until(&deployments, "mcp", "a Deployment that is not paused", |deployment| {
                let spec = deployment.and_then(|deployment| deployment.spec.as_ref());
                spec.is_some_and(|spec| spec.paused != Some(true))
            })
            .await?;
            only_one_entry_is_the_operators(&bed).await
        })
    })
    .await;
}

#[tokio::test]
async fn fields_once_written_by_update_go_when_the_spec_drops_them() {
    prove(|bed| {
        Box::pin(async move {
            let mut manifest = bed.oauth_server("mcp", &bed.hq().await?);
            bed.apply_until_ready(&manifest).await?;
            let deployments: Api<Deployment> = bed.api();
            // As the operator did after the API server had refused an apply.
            let as_operator = PatchParams {
                field_manager: Some("lenses-mcp-operator".to_owned()),
                ..PatchParams::default()
            };
            let updated = json!({"spec": {
                "strategy": {"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
                "template": {"spec": {"containers": [{
                    "name": "lenses-mcp-server",
                    "env": [{"name": "LEFT_OVER", "value": "yes"}],
                }]}},
            }});
            deployments.patch("mcp", &as_operator, &Patch::Strategic(updated)).await?;

            // A change that narrows, for which the strategy must be Recreate.
            manifest["spec"]["auth"]["oauth"]["scopes"] = json!(["read"]);
            bed.apply(&manifest).await?;
            until(&deployments, "mcp", "a Deployment without what was left over", |deployment| {
                deployment.is_some_and(|deployment| {
                    let containers =
                        &deployment.spec.as_ref().and_then(|spec| spec.template.spec.as_ref());
                    let mut env = containers
                        .iter()
                        .flat_map(|spec| &spec.containers)
                        .flat_map(|container| container.env.iter().flatten());
                    env.all(|variable| variable.name != "LEFT_OVER")
                        && deployment.annotations().contains_key("mcp.lenses.io/access")
                })
            })
            .await?;
            bed.apply_until_ready(&manifest).await?;
            only_one_entry_is_the_operators(&bed).await
        })
    })
    .await;
}

/// Whether the operator has no more than one entry in the `managedFields` of each object.
async fn only_one_entry_is_the_operators(bed: &Bed) -> Result<(), Trouble> {
    let kinds = "serviceaccounts,secrets,configmaps,deployments,services,networkpolicies";
    let mine = "app.kubernetes.io/managed-by=lenses-mcp-operator";
    let get = ["get", kinds, "--selector", mine, "--show-managed-fields", "-o", "json"];
    let list: serde_json::Value = serde_json::from_str(&bed.kubectl(&get, None).await?)?;
    let objects = list["items"].as_array().ok_or("no list")?;
    assert_eq!(objects.len(), 6);
    for object in objects {
        let entries = object["metadata"]["managedFields"].as_array().ok_or("no entries")?;
        let own = entries.iter().filter(|entry| entry["manager"] == "lenses-mcp-operator");
        assert_eq!(own.count(), 1, "{}: {entries:?}", object["kind"]);
    }
    Ok(())
}
