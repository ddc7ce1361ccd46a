//! What is in `dist/`, pushed to a registry and installed from there as a platform team does it.
//! The node has none of the images. `make release-test` runs this.

#![cfg(target_os = "linux")]

mod previous;
mod refusing;
mod registry;

use k8s_openapi::api::{
    apps::v1::Deployment,
    core::v1::{Event, Pod},
};
use kube::{Api, api::ListParams};
use lenses_mcp_crds::LensesMcpServer;
use lenses_mcp_e2e::{
    bed::{
        Bed, OPERATOR_NAMESPACE, OPERATOR_RELEASE, Trouble, condition, helm, mcp_url,
        prove_without_operator, until,
    },
    client::{Application, Ticks},
};
use previous::NEW_FIELD;
use registry::{PREVIOUS, PULL_SECRET, Registry, THIS, digest};
use serde_json::{Value, json};
use tokio::sync::Mutex;

/// Held by a test while it has the operator installed.
static RELEASE: Mutex<()> = Mutex::const_new(());
const OPERATOR: &str = "lenses-mcp-operator";
const SERVER: &str = "lenses-mcp-server";

#[tokio::test]
async fn a_release_installs_upgrades_and_rolls_back_from_a_registry() {
    prove_without_operator(|bed| async move {
        let _release = RELEASE.lock().await;
        let registry = Registry::start().await?;
        let refused = registry.push(false).await;
        is_refused(&refused, "authentication required");
        registry.push(true).await?;
        registry.push_previous().await?;
        namespaces(&bed, &registry).await?;
        let mut manifest = bed.oauth_server("mcp", &bed.hq().await?);
        let tag = |name: &str, version: &str| format!("{}:{version}", registry.image(name));

        install(&registry, OPERATOR_RELEASE, PREVIOUS).await?;
        bed.apply(&manifest).await?;
        runs(&bed, &tag(SERVER, PREVIOUS)).await?;
        manifest["spec"][NEW_FIELD] = json!({"callsPerMinutePerUser": 1000});
        is_refused(&bed.apply(&manifest).await, &format!("unknown field \"spec.{NEW_FIELD}\""));

        // The charts of a release name its images by digest.
        let operator = format!("{}@{}", registry.image(OPERATOR), digest(OPERATOR)?);
        let server = format!("{}@{}", registry.image(SERVER), digest(SERVER)?);
        let upgrade = ["upgrade", OPERATOR_RELEASE];
        registry.helm(&upgrade, THIS, &["--reset-then-reuse-values"]).await?;
        assert_eq!(operator_image(&bed).await?, operator);
        runs(&bed, &server).await?;
        was_pulled(&bed, OPERATOR_NAMESPACE, &operator).await?;
        was_pulled(&bed, &bed.namespace, &server).await?;
        roll_back(&bed, &tag).await?;

        // With all values of the first release, and so without digests.
        registry.helm(&upgrade, THIS, &["--reuse-values"]).await?;
        assert_eq!(operator_image(&bed).await?, tag(OPERATOR, THIS));
        bed.apply(&manifest).await?;
        runs(&bed, &tag(SERVER, THIS)).await?;
        roll_back(&bed, &tag).await?;

        uninstall(OPERATOR_RELEASE).await?;
        bed.kubectl(&["get", "crd", "lensesmcpservers.mcp.lenses.io"], None).await?;
        serves(&bed).await?;
        let another = format!("another-{OPERATOR}");
        is_refused(&install(&registry, &another, THIS).await, "invalid ownership metadata");
        uninstall(&another).await?;
        install(&registry, OPERATOR_RELEASE, THIS).await?;
        runs(&bed, &server).await?;
        uninstall(OPERATOR_RELEASE).await
    })
    .await;
}

/// Goes back to the first revision, of the previous release.
async fn roll_back(bed: &Bed, tag: &impl Fn(&str, &str) -> String) -> Result<(), Trouble> {
    let first = ["rollback", OPERATOR_RELEASE, "1", "--namespace", OPERATOR_NAMESPACE, "--wait"];
    helm(&first).await?;
    assert_eq!(operator_image(bed).await?, tag(OPERATOR, PREVIOUS));
    runs(bed, &tag(SERVER, PREVIOUS)).await
}

fn is_refused<T: std::fmt::Debug>(outcome: &Result<T, Trouble>, said: &str) {
    let told = |error: &Trouble| error.to_string().contains(said);
    assert!(outcome.as_ref().is_err_and(told), "not refused with {said:?}: {outcome:?}");
}

/// The operator's namespace without a release, with the strictest Pod Security Standard, and
/// credentials in it and in the bed's.
async fn namespaces(bed: &Bed, registry: &Registry) -> Result<(), Trouble> {
    uninstall(OPERATOR_RELEASE).await?;
    bed.apply(&json!({
        "apiVersion": "v1", "kind": "Namespace",
        "metadata": {
            "name": OPERATOR_NAMESPACE,
            "labels": {"pod-security.kubernetes.io/enforce": "restricted"},
        },
    }))
    .await?;
    registry.pull_secret(bed, OPERATOR_NAMESPACE).await?;
    registry.pull_secret(bed, &bed.namespace).await
}

/// Installs a version with what a private registry needs.
async fn install(registry: &Registry, release: &str, version: &str) -> Result<String, Trouble> {
    let values = [
        format!("global.imageRegistry={}", registry.address()),
        format!("imagePullSecrets[0].name={PULL_SECRET}"),
        format!("serverImagePullSecrets[0].name={PULL_SECRET}"),
    ];
    let values: Vec<_> = values.iter().flat_map(|value| ["--set", value.as_str()]).collect();
    registry.helm(&["install", release], version, &values).await
}

async fn uninstall(release: &str) -> Result<(), Trouble> {
    let arguments = ["uninstall", release, "--namespace", OPERATOR_NAMESPACE, "--wait"];
    helm(&[&arguments[..], &["--ignore-not-found"]].concat()).await.map(drop)
}

async fn operator_image(bed: &Bed) -> Result<String, Trouble> {
    let operators: Api<Deployment> = Api::namespaced(bed.client.clone(), OPERATOR_NAMESPACE);
    let pod = operators.get(OPERATOR).await?.spec.and_then(|spec| spec.template.spec);
    let image = pod.and_then(|pod| pod.containers.into_iter().next()?.image);
    image.ok_or_else(|| "no image".into())
}

/// Waits until the server is verified with an image, and calls a tool.
async fn runs(bed: &Bed, image: &str) -> Result<(), Trouble> {
    let what = format!("Verified with {image}");
    until(&bed.api::<LensesMcpServer>(), "mcp", &what, |server| {
        server.is_some_and(|server| {
            let shown = server.status.as_ref().and_then(|status| status.image.as_deref());
            let holds =
                |kind| condition(server, kind).is_some_and(|condition| condition.status == "True");
            shown == Some(image) && holds("Ready") && holds("Verified")
        })
    })
    .await?;
    serves(bed).await
}

async fn serves(bed: &Bed) -> Result<(), Trouble> {
    let url = mcp_url(&bed.api::<LensesMcpServer>().get("mcp").await?)?;
    let alice = Application::new("Claude", &url, "alice")?.sign_in(Ticks::AsAsked).await?;
    let environments = alice.call("list_environments", json!({})).await?;
    assert_ne!(environments.is_error, Some(true), "{environments:?}");
    Ok(())
}

/// The kubelet has pulled the image, and a pod runs it.
async fn was_pulled(bed: &Bed, namespace: &str, image: &str) -> Result<(), Trouble> {
    let pulled = ListParams::default().fields("reason=Pulled");
    let events = Api::<Event>::namespaced(bed.client.clone(), namespace).list(&pulled).await?;
    let said: Vec<_> = events.into_iter().filter_map(|event| event.message).collect();
    let wanted = format!("Successfully pulled image \"{image}\"");
    assert!(said.iter().any(|message| message.starts_with(&wanted)), "{image}: {said:?}");
    let pods = Api::<Pod>::namespaced(bed.client.clone(), namespace);
    let pods: Vec<Value> = pods
        .list(&ListParams::default())
        .await?
        .into_iter()
        .filter_map(|pod| pod.status.and_then(|status| status.container_statuses))
        .flatten()
        .map(|status| json!([status.image_id, status.ready]))
        .collect();
    assert!(pods.contains(&json!([image, true])), "no pod runs {image}: {pods:?}");
    Ok(())
}
