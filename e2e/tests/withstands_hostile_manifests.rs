//! Manifests of an author who may write a `LensesMcpServer` and nothing else: none leads the
//! operator to show a credential, to dial what only it can reach, or to make pods with power over
//! their node.

#![cfg(target_os = "linux")]

mod hostile;

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::Pod;
use kube::api::ListParams;
use lenses_mcp_e2e::bed::{Bed, Trouble, condition, prove, server};
use serde_json::json;

use hostile::{
    corpus::{Hostile, corpus},
    recorder::Recorder,
};

/// What the Secrets hold: no request may have any of it.
const SECRET: &str = "canary-0123456789-of-somebody-else";

#[tokio::test]
async fn thirty_hostile_manifests_are_refused_and_get_no_credential() {
    prove(|bed| async move {
        let hq = bed.hq().await?;
        let recorder = Recorder::start(&bed, hq.issuer()).await?;
        secrets(&bed).await?;
        let all = corpus(&hq, recorder.url());
        assert!(all.len() >= 30, "{} manifests", all.len());
        let names: BTreeSet<_> = all.iter().map(|hostile| hostile.name).collect();
        assert_eq!(names.len(), all.len(), "two manifests have one name");
        for hostile in &all {
            bed.apply(&server(hostile.name, &hostile.spec)).await?;
        }
        for hostile in &all {
            ends_as_said(&bed, hostile).await?;
        }

        let requests = recorder.requests();
        assert!(!requests.is_empty(), "the listener was never asked, so it says nothing");
        for request in &requests {
            assert!(!request.contains(SECRET), "a Secret's value was sent: {request}");
            let shown = request.to_ascii_lowercase().contains("\nauthorization:");
            assert!(!shown, "a credential was sent: {request}");
        }
        no_pod_has_power_over_its_node(&bed).await
    })
    .await;
}

async fn ends_as_said(bed: &Bed, hostile: &Hostile) -> Result<(), Trouble> {
    let Hostile { name, kind, reason, said, .. } = hostile;
    let seen = bed.until_reason(name, kind, reason).await?;
    let message = &condition(&seen, kind).ok_or("no condition")?.message;
    assert!(message.contains(said), "{name}: {said:?} is not in {message:?}");
    // The ports of Services of other namespaces are not listed.
    assert!(!message.contains("it has"), "{name}: {message:?}");
    let status = serde_json::to_string(&seen.status)?;
    assert!(!status.contains(SECRET), "{name}: {status}");
    Ok(())
}

/// Secrets of others, with and without the label.
async fn secrets(bed: &Bed) -> Result<(), Trouble> {
    let data = json!({
        "token": SECRET, "client_id": SECRET, "client_secret": SECRET, "tls.crt": SECRET,
        "tls.key": SECRET,
    });
    for (name, label) in
        [("unlabelled", None), ("refusing", Some("false")), ("labelled", Some("true"))]
    {
        bed.secret(name, data.clone()).await?;
        if let Some(value) = label {
            let label = format!("mcp.lenses.io/operator-may-read={value}");
            bed.kubectl(&["label", "secret", name, &label], None).await?;
        }
    }
    Ok(())
}

/// The namespace enforces the Pod Security Standard `restricted`, so the templates are looked at,
/// too.
async fn no_pod_has_power_over_its_node(bed: &Bed) -> Result<(), Trouble> {
    let deployments = bed.kubectl(&["get", "deployments", "--output=json"], None).await?;
    let pods = bed.api::<Pod>().list(&ListParams::default()).await?;
    let made = format!("{deployments}{}", serde_json::to_string(&pods.items)?);
    for power in ["hostPath", "\"privileged\"", "hostNetwork", "hostPID", "hostPort", "SYS_ADMIN"] {
        assert!(!made.contains(power), "something has {power}");
    }
    Ok(())
}
