//! The CRD file and the chart's copy of it are what the types say, and the API server can take it.

use lenses_mcp_crds::schema;

const COMMITTED: &str = include_str!("../lensesmcpservers.yaml");
const IN_CHART: &str = include_str!("../../charts/lenses-mcp-operator/files/lensesmcpservers.yaml");

/// What `kubectl apply` can keep in its last-applied annotation.
const CLIENT_SIDE_APPLY_LIMIT: usize = 256 * 1024;

#[test]
fn the_committed_crd_is_what_the_types_say() {
    let made = schema::manifest().unwrap();
    assert!(made == COMMITTED, "crds/lensesmcpservers.yaml is out of date: run `make generate`");
    assert!(made == IN_CHART, "the chart's CRD is out of date: run `make generate`");
}

#[test]
fn the_crd_fits_client_side_apply() {
    let json = serde_json::to_vec(&schema::custom_resource_definition()).unwrap();
    assert!(json.len() < CLIENT_SIDE_APPLY_LIMIT, "{} bytes", json.len());
}

#[test]
fn every_field_of_spec_and_status_is_described() {
    let crd = serde_json::to_value(schema::custom_resource_definition()).unwrap();
    let schema = &crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
    let mut silent = Vec::new();
    for part in ["spec", "status"] {
        undescribed(part, &schema["properties"][part], &mut silent);
    }
    // The condition type is Kubernetes' own and described there.
    assert_eq!(silent, Vec::<String>::new());
}

#[test]
fn integer_formats_are_those_that_kubernetes_knows() {
    assert!(!COMMITTED.contains("format: uint"));
}

fn undescribed(path: &str, schema: &serde_json::Value, silent: &mut Vec<String>) {
    if schema["description"].as_str().is_none_or(str::is_empty) {
        silent.push(path.to_owned());
    }
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        // Kubernetes' own fields, described at `kubectl explain pod`.
        if path == "spec" && name == "podTemplate" {
            assert!(property["description"].is_string());
            continue;
        }
        undescribed(&format!("{path}.{name}"), property, silent);
    }
    if schema["items"]["properties"].is_object() {
        for (name, property) in schema["items"]["properties"].as_object().into_iter().flatten() {
            undescribed(&format!("{path}[].{name}"), property, silent);
        }
    }
}
