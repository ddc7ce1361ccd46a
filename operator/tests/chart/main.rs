//! The chart says what is so: its versions are the operator's, and its values are all described and all have a schema.

#![expect(clippy::unwrap_used, reason = "a test fails where something is not as it must be")]

use std::path::PathBuf;

use lenses_mcp_crds::yaml;
use serde_json::Value;

fn text(file: &str) -> String {
    let path =
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../charts/lenses-mcp-operator").join(file);
    std::fs::read_to_string(path).unwrap()
}

fn document(file: &str) -> Value {
    yaml::from_documents(&text(file)).unwrap().remove(0)
}

#[test]
fn chart_and_operator_have_one_version() {
    let chart = document("Chart.yaml");
    assert_eq!(chart["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(chart["appVersion"], env!("CARGO_PKG_VERSION"));
}

#[test]
fn every_value_is_in_the_schema_and_in_the_readme() {
    let (values, readme) = (document("values.yaml"), text("README.md"));
    let schema: Value = serde_json::from_str(&text("values.schema.json")).unwrap();
    check("", &values, &schema, &readme);
}

fn check(prefix: &str, values: &Value, schema: &Value, readme: &str) {
    for (name, value) in values.as_object().into_iter().flatten() {
        let path = format!("{prefix}{name}");
        let property = &schema["properties"][name];
        assert!(property.is_object(), "{path} is not in values.schema.json");
        if property["properties"].is_object() {
            check(&format!("{path}."), value, property, readme);
        } else {
            assert!(readme.contains(&format!("`{path}`")), "{path} is not in README.md");
        }
    }
}
