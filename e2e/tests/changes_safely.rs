//! A change that narrows takes the old pods down first; an image that does not come up leaves the
//! old one serving.

use k8s_openapi::api::{
    apps::v1::Deployment,
    core::v1::{ConfigMap, Pod},
    networking::v1::{Ingress, IngressClass},
};
use kube::{
    Api, ResourceExt,
    api::{DeleteParams, PostParams},
};
use lenses_mcp_crds::LensesMcpServer;
use lenses_mcp_e2e::{
    bed::{Bed, Trouble, condition, mcp_url, prove, until},
    client::{Application, Ticks},
};
use serde_json::{Value, json};

#[tokio::test]
async fn narrowed_scopes_stop_the_old_pods_first_and_the_status_says_so() {
    prove(|bed| async move {
        let mut manifest = bed.oauth_server("mcp", &bed.hq().await?);
        bed.apply_until_ready(&manifest).await?;
        let old = bed.only_pod("mcp").await?.name_any();

        manifest["spec"]["auth"]["oauth"]["scopes"] = json!(["read"]);
        bed.apply(&manifest).await?;
        let said = until(&bed.api::<LensesMcpServer>(), "mcp", "what was narrowed", |server| {
            server
                .and_then(|server| condition(server, "Available"))
                .is_some_and(|c| c.message.contains("no longer has"))
        })
        .await?
        .ok_or("gone")?;
        let message = &condition(&said, "Available").ok_or("no condition")?.message;
        assert!(
            message.contains("spec.auth.oauth.scopes no longer has delete, write"),
            "{message}"
        );
        let now = bed.apply_until_ready(&manifest).await?;
        let pods: Api<Pod> = bed.api();
        assert!(
            pods.get_opt(&old).await?.is_none(),
            "the old pod is still there while the new one serves"
        );

        // The next change rolls again.
        until(&bed.api::<Deployment>(), "mcp", "RollingUpdate", |deployment| {
            let strategy =
                deployment.and_then(|deployment| deployment.spec.as_ref()?.strategy.as_ref());
            strategy.and_then(|strategy| strategy.type_.as_deref()) == Some("RollingUpdate")
        })
        .await?;
        assert!(now.status.is_some_and(|status| {
            status.image_digest.is_some_and(|digest| digest.starts_with("sha256:"))
        }));
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn pods_that_the_api_server_refuses_leave_the_running_ones_their_settings() {
    prove(|bed| async move {
        let mut manifest = bed.oauth_server("mcp", &bed.hq().await?);
        bed.apply_until_ready(&manifest).await?;
        let settings = bed.settings("mcp").await?;
        let pod = bed.only_pod("mcp").await?.name_any();

        // The template mounts a volume that there is not.
        let mount = json!({"name": "nowhere", "mountPath": "/nowhere"});
        manifest["spec"]["podTemplate"] = json!({"spec": {"containers": [
            {"name": "lenses-mcp-server", "volumeMounts": [mount]},
        ]}});
        manifest["spec"]["tools"] = json!({"readOnly": true});
        bed.apply(&manifest).await?;
        let refused = bed.until_reason("mcp", "Ready", "ApplyFailed").await?;
        let message = &condition(&refused, "Ready").ok_or("no condition")?.message;
        assert!(message.contains("nowhere"), "{message}");
        let kept = bed.settings("mcp").await?;
        assert_eq!((kept.uid(), &kept.data), (settings.uid(), &settings.data));
        assert_eq!(bed.only_pod("mcp").await?.name_any(), pod, "the server got another pod");

        // What is accepted takes their place, and they are deleted.
        manifest["spec"]["podTemplate"] = Value::Null;
        bed.apply_until_ready(&manifest).await?;
        let settings = kept.name_any();
        until(&bed.api::<ConfigMap>(), &settings, "no old settings", |map| map.is_none()).await?;
        let now = bed.settings("mcp").await?.data.unwrap_or_default();
        assert!(now.values().any(|file| file.contains("MCP_READ_ONLY='true'")), "{now:?}");
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn a_failing_image_leaves_the_old_one_serving_and_both_are_named() {
    prove(|bed| {
        Box::pin(async move {
            let mut manifest = bed.oauth_server("mcp", &bed.hq().await?);
            manifest["spec"]["rollout"] = json!({"progressDeadlineSeconds": 10});
            let made = bed.apply_until_ready(&manifest).await?;
            let serves =
                made.status.as_ref().and_then(|status| status.image.clone()).ok_or("no image")?;

            manifest["spec"]["image"] = json!("registry.invalid/nothing:2");
            bed.apply(&manifest).await?;
            let stalled = bed.until_reason("mcp", "Available", "RolloutStalled").await?;
            let message = &condition(&stalled, "Available").ok_or("no condition")?.message;
            assert!(
                message.starts_with("registry.invalid/nothing:2 does not become ready: "),
                "{message}"
            );
            assert!(message.ends_with(&format!("; {serves} serves on")), "{message}");
            assert!(condition(&stalled, "Stalled").is_some());
            let alice = Application::new("Claude", &mcp_url(&stalled)?, "alice")?
                .sign_in(Ticks::AsAsked)
                .await?;
            let result = alice.call("list_environments", json!({})).await?;
            assert_ne!(result.is_error, Some(true), "{result:?}");
            Ok(())
        })
    })
    .await;
}

#[tokio::test]
async fn an_ingress_whose_class_leaves_the_spec_gets_the_default_class() {
    prove(|bed| {
        Box::pin(async move {
            // No other test of this file makes an Ingress, and files run one after the other.
            let classes: Api<IngressClass> = Api::all(bed.client.clone());
            let default = json!({
                "metadata": {
                    "name": "the-default",
                    "annotations": {"ingressclass.kubernetes.io/is-default-class": "true"},
                },
                "spec": {"controller": "example.com/none"},
            });
            classes.create(&PostParams::default(), &serde_json::from_value(default)?).await?;
            let done = class_leaves_the_spec(&bed).await;
            classes.delete("the-default", &DeleteParams::background()).await?;
            done
        })
    })
    .await;
}

async fn class_leaves_the_spec(bed: &Bed) -> Result<(), Trouble> {
    let ingresses: Api<Ingress> = bed.api();
    let class = |ingress: &Ingress| ingress.spec.as_ref()?.ingress_class_name.clone();
    let mut manifest = bed.oauth_server("mcp", &bed.hq().await?);
    for (name, wanted) in [(json!("another"), "another"), (Value::Null, "the-default")] {
        manifest["spec"]["endpoint"]["ingress"] =
            json!({"host": "mcp.example.com", "className": name});
        bed.apply(&manifest).await?;
        until(&ingresses, "mcp", wanted, |ingress| {
            ingress.and_then(class).as_deref() == Some(wanted)
        })
        .await?;
    }
    Ok(())
}
