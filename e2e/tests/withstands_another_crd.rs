//! A CRD that is older or newer than the operator, and a resource that the operator can't read. The
//! CRD is the whole cluster's, so this is the only test of its file.

use k8s_openapi::api::apps::v1::Deployment;
use kube::api::{Patch, PatchParams};
use lenses_mcp_crds::LensesMcpServer;
use lenses_mcp_e2e::bed::{Bed, Trouble, prove};
use serde_json::{Value, json};

#[tokio::test]
async fn another_crd_version_or_an_unreadable_resource_stops_no_other_resource() {
    prove(|bed| async move {
        let hq = bed.hq().await?;
        let shipped = definition(&bed).await?;
        let outcome = Box::pin(through_versions(&bed, &hq, &shipped)).await;
        replace(&bed, &shipped).await?;
        outcome
    })
    .await;
}

async fn through_versions(
    bed: &Bed,
    hq: &lenses_mcp_e2e::bed::Hq,
    shipped: &Value,
) -> Result<(), Trouble> {
    // Newer: it takes what this operator does not know.
    let mut newer = shipped.clone();
    let spec = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    schema(&mut newer)["properties"]["spec"] = spec;
    replace(bed, &newer).await?;
    let mut unknown = bed.oauth_server("unknown", hq);
    unknown["spec"]["tools"] = json!({"confirm": "byTelephone"});
    bed.apply(&unknown).await?;
    let reason = r#"--for=jsonpath={.status.conditions[?(@.type=="Accepted")].reason}=InvalidSpec"#;
    bed.kubectl(&["wait", reason, "lensesmcpserver/unknown", "--timeout=90s"], None).await?;
    let refused = bed
        .kubectl(&["get", "lensesmcpserver", "unknown", "-o", "jsonpath={.status}"], None)
        .await?;
    assert!(refused.contains("byTelephone"), "{refused}");
    let mut further = bed.oauth_server("further", hq);
    further["spec"]["fieldOfTheFuture"] = json!({"a": 1});
    bed.apply_until_ready(&further).await?;
    let mended = Patch::Merge(json!({"spec": {"tools": {"confirm": "never"}}}));
    bed.api::<LensesMcpServer>().patch("unknown", &PatchParams::default(), &mended).await?;
    bed.until_ready("unknown").await?;

    // Older: fields that this operator knows are not there, in the spec and in the status.
    let mut older = shipped.clone();
    let unknown = ["verification", "observability", "podTemplate"];
    let spec = &mut schema(&mut older)["properties"]["spec"];
    remove(&mut spec["properties"], &unknown);
    // And so are the rules about them.
    if let Some(rules) = spec["x-kubernetes-validations"].as_array_mut() {
        rules.retain(|rule| {
            let rule = rule["rule"].as_str().unwrap_or_default();
            !unknown.iter().any(|field| rule.contains(&format!("self.{field}")))
        });
    }
    remove(
        &mut schema(&mut older)["properties"]["status"]["properties"],
        &["tools", "lastVerified", "derived"],
    );
    replace(bed, &older).await?;
    bed.apply_until_ready(&bed.oauth_server("mcp", hq)).await?;
    assert!(bed.api::<Deployment>().get("mcp").await.is_ok());
    Ok(())
}

/// The CRD as the chart installed it.
async fn definition(bed: &Bed) -> Result<Value, Trouble> {
    let text =
        bed.kubectl(&["get", "crd", "lensesmcpservers.mcp.lenses.io", "-o", "json"], None).await?;
    let mut definition: Value = serde_json::from_str(&text)?;
    remove(
        &mut definition["metadata"],
        &["resourceVersion", "uid", "generation", "creationTimestamp", "managedFields"],
    );
    remove(&mut definition, &["status"]);
    Ok(definition)
}

async fn replace(bed: &Bed, definition: &Value) -> Result<(), Trouble> {
    bed.kubectl(&["replace", "-f", "-"], Some(definition)).await?;
    let name = "crd/lensesmcpservers.mcp.lenses.io";
    bed.kubectl(&["wait", "--for=condition=Established", name], None).await.map(drop)
}

fn schema(definition: &mut Value) -> &mut Value {
    &mut definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
}

fn remove(object: &mut Value, fields: &[&str]) {
    if let Some(object) = object.as_object_mut() {
        object.retain(|field, _| !fields.contains(&field.as_str()));
    }
}
