//! The manifests that ship as examples are accepted.

use kube::core::cel::Validator;
use lenses_mcp_crds::{LensesMcpServer, schema::custom_resource_definition, yaml};
use serde_json::Value;

#[test]
fn every_example_is_a_resource_that_kubectl_apply_accepts() {
    let crd = serde_json::to_value(custom_resource_definition()).unwrap();
    let schema = &crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
    let mut found = 0;
    for file in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../examples")).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "yaml") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        for object in yaml::from_documents::<Value>(&text).unwrap() {
            if object["kind"] != "LensesMcpServer" {
                continue;
            }
            found += 1;
            Validator::new()
                .validate(schema, &object, None)
                .unwrap_or_else(|e| panic!("{}: {e}", path.display()));
            let parsed: LensesMcpServer = serde_json::from_value(object.clone()).unwrap();
            unknown_fields(
                &path.display().to_string(),
                &object,
                &serde_json::to_value(parsed).unwrap(),
            );
        }
    }
    assert!(found >= 3, "{found} examples");
}

/// What the types drop in reading would be refused or ignored by the API server too.
fn unknown_fields(path: &str, written: &Value, kept: &Value) {
    for (name, value) in written.as_object().into_iter().flatten() {
        let path = format!("{path}.{name}");
        assert!(kept.get(name).is_some(), "{path} is not a field");
        unknown_fields(&path, value, &kept[name]);
    }
}
