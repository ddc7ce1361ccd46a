//! What publishes a server is made as the spec asks for it and removed when it no longer does; the
//! URL follows, and so do the objects that the spec refers to. And clients find their way through
//! it.

#![cfg(target_os = "linux")]

use k8s_openapi::api::{
    apps::v1::Deployment,
    core::v1::{ConfigMap, Secret, Service},
    networking::v1::Ingress,
};
use kube::{
    Api, ResourceExt,
    api::{Patch, PatchParams, PostParams},
};
use lenses_mcp_crds::LensesMcpServer;
use lenses_mcp_e2e::{
    bed::{Authority, Bed, Publishes, Trouble, condition, mcp_url, prove, server, until},
    client::{Application, Ticks},
};
use serde_json::{Value, json};

fn published(endpoint: &Value) -> Value {
    let spec = json!({
        "lenses": {"url": "https://lenses.example.com"}, "auth": {"oauth": {}}, "endpoint": endpoint
    });
    server("mcp", &spec)
}

fn by_hand() -> PatchParams {
    PatchParams::default()
}

#[tokio::test]
async fn clients_of_two_servers_share_one_host_through_a_real_ingress_controller() {
    prove(|bed| async move {
        let (hq, authority) = (bed.hq().await?, Authority::new()?);
        bed.apply(&authority.config_map("authorities")).await?;
        let traefik = bed.traefik(Publishes::Ingresses, &authority).await?;
        for team in ["team-a", "team-b"] {
            let mut manifest = bed.oauth_server(team, &hq);
            manifest["spec"]["lenses"]["caBundle"] = json!({
                "configMapKeyRef": {"name": "authorities", "key": "ca.crt"}
            });
            manifest["spec"]["endpoint"]["ingress"] = json!({
                "host": traefik.host(), "path": format!("/{team}"), "className": "traefik",
                "tls": {"secretName": "traefik"},
            });
            let made = bed.apply_until_ready(&manifest).await?;
            let url = mcp_url(&made)?;
            assert_eq!(url, format!("https://{}/{team}/mcp", traefik.host()));
            traefik.until_it_leads_on(&url).await?;

            let alice = Application::new("Claude", &url, "alice")?.trusting(authority.pem());
            let alice = alice.sign_in(Ticks::AsAsked).await?;
            let environments = alice.call("list_environments", json!({})).await?;
            assert_ne!(environments.is_error, Some(true), "{environments:?}");
        }
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn an_ingress_is_made_put_right_and_removed_as_the_spec_says() {
    prove(|bed| async move {
        let ingresses: Api<Ingress> = bed.api();
        bed.apply(&published(&json!({"ingress": {"host": "mcp.example.com", "path": "/team-a"}})))
            .await?;
        until_url(&bed, "https://mcp.example.com/team-a/mcp").await?;
        let made = until(&ingresses, "mcp", "the Ingress", |ingress| ingress.is_some())
            .await?
            .ok_or("gone")?;

        let other =
            json!([{"op": "replace", "path": "/spec/rules/0/host", "value": "other.example.com"}]);
        ingresses
            .patch("mcp", &by_hand(), &Patch::Json::<()>(serde_json::from_value(other)?))
            .await?;
        until(&ingresses, "mcp", "the host as it was", |now| {
            now.is_some_and(|now| now.spec == made.spec)
        })
        .await?;

        bed.apply(&published(&json!({"url": "https://mcp.example.com"}))).await?;
        until(&ingresses, "mcp", "no Ingress", |ingress| ingress.is_none()).await?;
        until_url(&bed, "https://mcp.example.com/mcp").await?;
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn an_ingress_that_belongs_to_someone_else_is_untouched_and_named() {
    prove(|bed| async move {
        let ingresses: Api<Ingress> = bed.api();
        let theirs = json!({
            "metadata": {"name": "mcp"},
            "spec": {"defaultBackend": {"service": {"name": "x", "port": {"number": 1}}}}
        });
        let theirs =
            ingresses.create(&PostParams::default(), &serde_json::from_value(theirs)?).await?;
        bed.apply(&published(&json!({"ingress": {"host": "mcp.example.com"}}))).await?;
        let refused = bed.until_reason("mcp", "Accepted", "NameTaken").await?;
        let message = condition(&refused, "Accepted")
            .map(|accepted| accepted.message.clone())
            .unwrap_or_default();
        assert!(message.contains("Ingress mcp belongs to someone else"), "{message}");
        // One that is not asked for is in nobody's way.
        bed.apply(&published(&json!({"url": "https://mcp.example.com"}))).await?;
        bed.until_reason("mcp", "Accepted", "Accepted").await?;
        assert_eq!(ingresses.get("mcp").await?.resource_version(), theirs.resource_version());
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn the_operator_waits_for_a_load_balancers_address_and_advertises_it() {
    prove(|bed| async move {
        certificate(&bed).await?;
        let endpoint = json!({
            "service": {"type": "LoadBalancer", "loadBalancerClass": "example.com/none"},
            "tls": {"secretName": "certificate"}
        });
        bed.apply(&published(&endpoint)).await?;
        until_url(&bed, &format!("https://{}/mcp", bed.host("mcp"))).await?;
        for (address, url) in
            [("203.0.113.7", "https://203.0.113.7/mcp"), ("203.0.113.8", "https://203.0.113.8/mcp")]
        {
            let assigned = json!({"status": {"loadBalancer": {"ingress": [{"ip": address}]}}});
            bed.api::<Service>().patch_status("mcp", &by_hand(), &Patch::Merge(assigned)).await?;
            until_url(&bed, url).await?;
        }
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn a_changed_ca_bundle_is_followed_and_a_certificate_needs_no_rollout() {
    prove(|bed| async move {
        certificate(&bed).await?;
        let mut manifest = published(&json!({"tls": {"secretName": "certificate"}}));
        manifest["spec"]["lenses"]["caBundle"] =
            json!({"configMapKeyRef": {"name": "authorities", "key": "ca.crt"}});
        bed.apply(&manifest).await?;
        let lacking = bed.until_reason("mcp", "Accepted", "ReferenceNotFound").await?;
        let message = condition(&lacking, "Accepted")
            .map(|accepted| accepted.message.clone())
            .unwrap_or_default();
        assert!(
            message.starts_with("spec.lenses.caBundle.configMapKeyRef: ConfigMap"),
            "{message}"
        );

        let config_maps: Api<ConfigMap> = bed.api();
        let authorities = json!({"metadata": {"name": "authorities"}, "data": {"ca.crt": "one"}});
        config_maps.create(&PostParams::default(), &serde_json::from_value(authorities)?).await?;
        bed.until_reason("mcp", "Accepted", "Accepted").await?;
        let deployments: Api<Deployment> = bed.api();
        let before = until(&deployments, "mcp", "the Deployment", |now| now.is_some())
            .await?
            .ok_or("gone")?;

        let template =
            |deployment: &Deployment| deployment.spec.as_ref().map(|spec| spec.template.clone());
        let replicas =
            |deployment: &Deployment| deployment.spec.as_ref().and_then(|spec| spec.replicas);
        let renewed = json!({"stringData": {"tls.crt": "renewed"}});
        bed.api::<Secret>().patch("certificate", &by_hand(), &Patch::Merge(renewed)).await?;
        // A change after it, which shows when the operator has been here.
        manifest["spec"]["replicas"] = json!(2);
        bed.apply(&manifest).await?;
        let scaled =
            until(&deployments, "mcp", "two replicas", |now| now.and_then(replicas) == Some(2))
                .await?;
        assert_eq!(scaled.as_ref().and_then(template), template(&before));

        config_maps
            .patch("authorities", &by_hand(), &Patch::Merge(json!({"data": {"ca.crt": "two"}})))
            .await?;
        until(&deployments, "mcp", "other pods", |now| now.and_then(template) != template(&before))
            .await?;
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn the_annotation_renews_the_sealing_key_and_rolls_the_pods() {
    prove(|bed| async move {
        bed.apply(&published(&json!({"url": "https://mcp.example.com"}))).await?;
        let (secrets, deployments): (Api<Secret>, Api<Deployment>) = (bed.api(), bed.api());
        let deployment = until(&deployments, "mcp", "the Deployment", |now| now.is_some())
            .await?
            .ok_or("gone")?;
        let old = secrets.get("mcp").await?;
        bed.kubectl(
            &["annotate", "lensesmcpserver", "mcp", "mcp.lenses.io/rotate-sealing-key=1"],
            None,
        )
        .await?;
        let other = |now: Option<&Secret>| now.is_some_and(|now| now.uid() != old.uid());
        let new = until(&secrets, "mcp", "another Secret", other).await?.ok_or("gone")?;
        assert!(new.data.is_some() && new.data != old.data && new.immutable == Some(true));
        until(&deployments, "mcp", "other pods", |now| {
            now.is_some_and(|now| now.metadata.generation > deployment.metadata.generation)
        })
        .await?;
        assert_eq!(secrets.get("mcp").await?.uid(), new.uid(), "made anew once");
        Ok(())
    })
    .await;
}

async fn certificate(bed: &Bed) -> Result<(), Trouble> {
    bed.secret("certificate", json!({"tls.crt": "a certificate", "tls.key": "its key"})).await
}

async fn until_url(bed: &Bed, url: &str) -> Result<(), Trouble> {
    let is_url =
        |server: &LensesMcpServer| server.status.as_ref()?.url.as_ref().map(|shown| shown == url);
    until(&bed.api::<LensesMcpServer>(), "mcp", url, |server| server.and_then(is_url) == Some(true))
        .await
        .map(drop)
}
