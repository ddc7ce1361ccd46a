//! An API that a cluster lacks holds nothing else back, and is taken up when it comes. The Gateway
//! API is the whole cluster's, so this is the only test that needs it.

#![cfg(target_os = "linux")]

use k8s_openapi::api::apps::v1::Deployment;
use kube::{
    api::DynamicObject,
    runtime::wait::{Condition, await_condition},
};
use lenses_mcp_e2e::{
    bed::{Authority, Bed, OptionalApi, Publishes, Trouble, condition, mcp_url, prove, until},
    client::{Application, Ticks},
};
use serde_json::json;

#[tokio::test]
async fn a_later_gateway_api_is_noticed_and_clients_call_through_a_gateway() {
    prove(|bed| async move {
        OptionalApi::Gateway.remove().await?;
        let proved = comes_and_goes(&bed).await;
        OptionalApi::Gateway.remove().await?;
        proved
    })
    .await;
}

async fn comes_and_goes(bed: &Bed) -> Result<(), Trouble> {
    let (hq, authority) = (bed.hq().await?, Authority::new()?);
    bed.apply(&authority.config_map("authorities")).await?;
    let mut manifest = bed.oauth_server("mcp", &hq);
    manifest["spec"]["lenses"]["caBundle"] =
        json!({"configMapKeyRef": {"name": "authorities", "key": "ca.crt"}});
    manifest["spec"]["endpoint"]["httpRoute"] =
        json!({"parentRefs": [{"name": "traefik"}], "hostnames": [bed.host("traefik")]});
    bed.apply(&manifest).await?;
    until_missed(bed).await?;
    until(&bed.api::<Deployment>(), "mcp", "pods that serve all the same", |deployment| {
        let status = deployment.and_then(|deployment| deployment.status.as_ref());
        status.and_then(|status| status.available_replicas) == Some(1)
    })
    .await?;

    OptionalApi::Gateway.install().await?;
    let traefik = bed.traefik(Publishes::HttpRoutes, &authority).await?;
    let accepted = |route: Option<&DynamicObject>| {
        let parents = route.and_then(|route| route.data["status"]["parents"].as_array());
        parents
            .into_iter()
            .flatten()
            .filter_map(|parent| parent["conditions"].as_array())
            .flatten()
            .any(|condition| condition["type"] == "Accepted" && condition["status"] == "True")
    };
    until_route(bed, accepted).await?;
    let url = mcp_url(&bed.until_ready("mcp").await?)?;
    assert_eq!(url, format!("https://{}/mcp", traefik.host()));
    traefik.until_it_leads_on(&url).await?;
    let alice = Application::new("Claude", &url, "alice")?
        .trusting(authority.pem())
        .sign_in(Ticks::AsAsked)
        .await?;
    let environments = alice.call("list_environments", json!({})).await?;
    assert_ne!(environments.is_error, Some(true), "{environments:?}");

    let mut unpublished = manifest.clone();
    unpublished["spec"]["endpoint"] = json!({"url": url.trim_end_matches("/mcp")});
    bed.apply(&unpublished).await?;
    until_route(bed, |route: Option<&DynamicObject>| route.is_none()).await?;
    bed.apply(&manifest).await?;
    bed.until_ready("mcp").await?;

    OptionalApi::Gateway.remove().await?;
    until_missed(bed).await
}

async fn until_route(bed: &Bed, holds: impl Condition<DynamicObject>) -> Result<(), Trouble> {
    let holds = await_condition(bed.http_routes(), "mcp", holds);
    tokio::time::timeout(std::time::Duration::from_mins(1), holds).await??;
    Ok(())
}

async fn until_missed(bed: &Bed) -> Result<(), Trouble> {
    let missed = bed.until_reason("mcp", "Accepted", "MissingApi").await?;
    let message =
        condition(&missed, "Accepted").map(|accepted| accepted.message.clone()).unwrap_or_default();
    let parts = [
        "spec.endpoint.httpRoute",
        "HTTPRoute (gateway.networking.k8s.io/v1)",
        "the Gateway API's CRDs",
    ];
    assert!(parts.iter().all(|part| message.contains(part)), "{message}");
    Ok(())
}
