//! Every field of the API does something: each is changed alone, and the objects must differ.

mod changes;

use std::sync::Arc;

use serde_json::Value;

use super::build;
use crate::controller::{
    fixtures::{defaults, found, server},
    observed::Ownership,
    validate::validate,
};
use changes::{Change, changes, merge};

/// Fields that no object shows, each with what proves them.
const ELSEWHERE: [(&str, &str); 6] = [
    ("paused", "controller::status::tests::a_paused_resource_says_so, e2e converges"),
    (
        "verification.mode",
        "controller::verify::tests::the_mode_of_the_resource_counts_before_the_default",
    ),
    ("verification.interval", "controller::verify::tests::what_the_spec_says_is_what_is_looked_at"),
    (
        "verification.credentialSecretRef.name",
        "probe::credentials::tests::only_what_the_spec_names_for_it_is_read",
    ),
    (
        "verification.credentialSecretRef.key",
        "probe::credentials::tests::only_what_the_spec_names_for_it_is_read",
    ),
    (
        "verification.expectedToolsDigest",
        "controller::verify::tests::what_the_spec_says_is_what_is_looked_at",
    ),
];

#[test]
fn every_field_of_the_api_changes_what_is_built() {
    let mut fields = Vec::new();
    let crd = serde_json::to_value(lenses_mcp_crds::schema::custom_resource_definition()).unwrap();
    leaves(
        "",
        &crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"],
        &mut fields,
    );
    fields.retain(|field| !ELSEWHERE.iter().any(|(elsewhere, _)| elsewhere == field));
    let mut proved = Vec::new();
    for Change { base, patch } in changes() {
        let mut changed = base.clone();
        merge(&mut changed, &patch);
        assert_ne!(objects(&base), objects(&changed), "{patch} changes nothing");
        proved.extend(fields.iter().filter(|field| is_in(&patch, field)).cloned());
    }
    fields.retain(|field| !proved.contains(field));
    assert_eq!(
        fields,
        Vec::<String>::new(),
        "have no change in this test, which is to show what they do"
    );
}

/// Everything that the spec becomes.
fn objects(spec: &Value) -> Vec<Value> {
    let mut found = found();
    let version = found.config_maps["authorities"].clone();
    found.config_maps.insert("other".into(), version);
    // One that does not say what it gives counts as open to all, so that signing in narrows it.
    found.children.deployment = Ownership::Own(Arc::default());
    let valid = validate(&server(spec), &found, &defaults())
        .unwrap_or_else(|rejections| panic!("{spec}: {}", rejections.message()));
    let mut children = build(&valid);
    // They repeat parts of the spec, whether or not anything else follows from these.
    if let Some(deployment) = &mut children.deployment {
        deployment.metadata.annotations = None;
    }
    children.objects().map(Result::unwrap).collect()
}

/// Fields of Kubernetes' own types, which are handed on whole.
const WHOLE: [&str; 7] = [
    "autoscaling.behavior",
    "autoscaling.metrics",
    "networkPolicy.ingressFrom",
    "networkPolicy.metricsFrom",
    "networkPolicy.extraEgress",
    "networkPolicy.dns.to",
    "podTemplate",
];

/// The fields that hold values, as `a.b[].c`.
fn leaves(path: &str, schema: &Value, found: &mut Vec<String>) {
    if WHOLE.contains(&path) {
        return found.push(path.to_owned());
    }
    let inner = if schema["items"]["properties"].is_object() { &schema["items"] } else { schema };
    let path = if std::ptr::eq(inner, schema) { path.to_owned() } else { format!("{path}[]") };
    match inner["properties"].as_object() {
        Some(properties) => {
            for (name, property) in properties {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                leaves(&path, property, found);
            }
        }
        None => found.push(path),
    }
}

fn is_in(patch: &Value, field: &str) -> bool {
    let pointer = format!("/{}", field.replace("[]", ".0").replace('.', "/"));
    patch.pointer(&pointer).is_some_and(|value| !value.is_null())
}
