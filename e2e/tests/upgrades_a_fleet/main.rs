//! A fleet is upgraded from one release to the next and back, under clients that call on and on.
//!
//! The previous release is this one in which a setting has another name. `make previous-images`
//! makes it of the same programs. Its operator writes the setting under that name. Each server
//! refuses the name of the other release, as it does with any setting that it does not know. So a
//! pod in which the image of one release meets the settings of the other ends with status 78. The
//! chart is the same; Helm gives it the images of one release or the other.

mod pods;

use std::time::Duration;

use k8s_openapi::api::{
    apps::v1::Deployment,
    core::v1::{Pod, Secret},
};
use kube::{ResourceExt, api::DeleteParams};
use lenses_mcp_crds::LensesMcpServer;
use lenses_mcp_e2e::{
    bed::{
        Bed, INSTALL, OPERATOR_NAMESPACE, OPERATOR_RELEASE, SERVICE_ACCOUNT_TOKEN, Trouble,
        condition, helm, mcp_url, prove, until,
    },
    client::{Application, Clients},
};
use serde_json::{Value, json};

use pods::{PREVIOUS, PodWatch, THIS};

/// The servers, in the order of their turns. Nothing can be done to the first.
const BROKEN: &str = "a";
const OTHERS: [&str; 4] = ["b", "c", "d", "e"];
/// What callers show.
const TOKEN: &str = "the-token-of-all-callers-0123456789";
/// Between two calls of a client, of which there are two for each server.
const PAUSE: Duration = Duration::from_millis(50);

#[tokio::test]
async fn upgrades_and_rollbacks_fail_no_call_and_leave_only_broken_servers_behind() {
    prove(|bed| async move {
        let outcome = Box::pin(there_and_back(&bed)).await;
        helm(&INSTALL).await?;
        outcome
    })
    .await;
}

async fn there_and_back(bed: &Bed) -> Result<(), Trouble> {
    install(bed, PREVIOUS).await?;
    let hq = bed.hq().await?;
    bed.secret("lenses", json!({"api-key": SERVICE_ACCOUNT_TOKEN})).await?;
    bed.secret("lenses-of-a", json!({"api-key": SERVICE_ACCOUNT_TOKEN})).await?;
    bed.secret("callers", json!({"token": TOKEN})).await?;
    let mut clients = Clients::default();
    for name in [BROKEN].into_iter().chain(OTHERS) {
        let mut manifest = bed.api_key_server(name, &hq);
        if name == BROKEN {
            manifest["spec"]["auth"]["apiKey"]["secretKeyRef"]["name"] = json!("lenses-of-a");
        }
        manifest["spec"]["limits"] = json!({"callsPerMinutePerUser": 0});
        bed.apply(&manifest).await?;
    }
    for name in [BROKEN].into_iter().chain(OTHERS) {
        let made = runs(bed, name, PREVIOUS).await?;
        let application = Application::new("a script", &mcp_url(&made)?, "alice")?;
        clients.start(&application, TOKEN, 1, PAUSE).await?;
    }
    bed.api::<Secret>().delete("lenses-of-a", &DeleteParams::background()).await?;
    bed.until_reason(BROKEN, "Accepted", "ReferenceNotFound").await?;

    let pods = PodWatch::start(bed).await?;
    install(bed, THIS).await?;
    for name in OTHERS {
        runs(bed, name, THIS).await?;
    }
    clients.still_call("the upgrade").await?;
    let behind = bed.api::<LensesMcpServer>().get(BROKEN).await?;
    assert!(image(&behind).is_some_and(|image| image.ends_with(PREVIOUS)), "{behind:?}");
    refuses_the_settings_of_the_next_release(bed).await?;

    // What held it back is mended: it need not wait for anybody.
    bed.secret("lenses-of-a", json!({"api-key": SERVICE_ACCOUNT_TOKEN})).await?;
    runs(bed, BROKEN, THIS).await?;
    clients.still_call("the upgrade of the one that was broken").await?;

    let back = ["rollback", OPERATOR_RELEASE, "--namespace", OPERATOR_NAMESPACE, "--wait"];
    helm(&[&back[..], &["--timeout", "90s"]].concat()).await?;
    for name in [BROKEN].into_iter().chain(OTHERS) {
        runs(bed, name, PREVIOUS).await?;
    }
    clients.still_call("the rollback").await?;
    let calls = clients.end().await?;
    let seen = pods.end().await?;
    println!("{calls} calls, none failed; {seen} pods, each with the settings of its image");
    // Each server had pods of the previous release, of this one, and of the previous one again.
    assert!(seen >= 3 * (1 + OTHERS.len()), "{seen}");
    Ok(())
}

/// Installs the operator of a release, which upgrades one server at a time in this namespace.
async fn install(bed: &Bed, release: &str) -> Result<(), Trouble> {
    let tag = if release == THIS { String::new() } else { release.to_owned() };
    let values = [
        format!("image.tag={tag}"),
        format!("serverImage.tag={tag}"),
        format!("watchNamespaces={{{}}}", bed.namespace),
        "upgradesAtOnce=1".to_owned(),
    ];
    let set = values.iter().flat_map(|value| ["--set", value.as_str()]);
    helm(&INSTALL.into_iter().chain(set).collect::<Vec<_>>()).await.map(drop)
}

/// Waits until a server is Ready with the image of a release.
async fn runs(bed: &Bed, name: &str, release: &str) -> Result<LensesMcpServer, Trouble> {
    let what = format!("Ready with the image of {release}");
    let server = until(&bed.api::<LensesMcpServer>(), name, &what, |server| {
        server.is_some_and(|server| {
            image(server).is_some_and(|image| image.ends_with(&format!(":{release}")))
                && condition(server, "Ready").is_some_and(|ready| ready.status == "True")
        })
    })
    .await?;
    Ok(server.ok_or("no server")?)
}

fn image(server: &LensesMcpServer) -> Option<&str> {
    server.status.as_ref()?.image.as_deref()
}

/// That no pod failed means something only if one with the wrong settings would have.
async fn refuses_the_settings_of_the_next_release(bed: &Bed) -> Result<(), Trouble> {
    let deployment = bed.api::<Deployment>().get(OTHERS[0]).await?;
    let template = deployment.spec.map(|spec| spec.template).unwrap_or_default();
    let mut spec = serde_json::to_value(template.spec)?;
    spec["restartPolicy"] = json!("Never");
    let image = spec["containers"][0]["image"].as_str().unwrap_or_default();
    let repository = image.rsplit_once(':').ok_or("no tag")?.0;
    spec["containers"][0]["image"] = json!(format!("{repository}:{PREVIOUS}"));
    let pod: Value =
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "mixed"}, "spec": spec});
    bed.apply(&pod).await?;
    let ended = |pod: Option<&Pod>| {
        let status = pod?.status.as_ref()?.container_statuses.as_ref()?.first()?;
        Some(status.state.as_ref()?.terminated.as_ref()?.exit_code)
    };
    let pod =
        until(&bed.api::<Pod>(), "mixed", "an exit status", |pod| ended(pod).is_some()).await?;
    assert_eq!(ended(pod.as_ref()), Some(78), "{:?}", pod.map(|pod| pod.name_any()));
    Ok(())
}
