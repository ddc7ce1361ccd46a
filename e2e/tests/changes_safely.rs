//! A change that narrows takes the old pods down first; an image that does not come up leaves the old one serving.

use k8s_openapi::api::{apps::v1::Deployment, core::v1::Pod};
use kube::{Api, ResourceExt};
use lenses_mcp_crds::LensesMcpServer;
use lenses_mcp_e2e::{
    bed::{condition, mcp_url, prove, until},
    client::{Application, Ticks},
};
use serde_json::json;

#[tokio::test]
async fn narrowed_scopes_take_the_old_pods_down_before_new_ones_come_and_it_is_said() {
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
async fn an_image_that_does_not_come_up_leaves_the_old_one_serving_and_both_are_named() {
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
            alice.call("list_environments", json!({})).await?;
            Ok(())
        })
    })
    .await;
}
