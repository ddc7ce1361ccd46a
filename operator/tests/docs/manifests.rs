//! YAML and JSON: resources are valid, values are those of the chart, all else can be read.

use std::{
    fs,
    io::Write,
    process::{Command, Stdio},
};

use lenses_mcp_crds::yaml;
use serde_json::{Map, Value, json};

use crate::blocks::{self, Block, root};

/// What a part of a resource is put into.
fn resource(spec: &Value) -> Value {
    let mut whole = json!({
        "apiVersion": "mcp.lenses.io/v1alpha1",
        "kind": "LensesMcpServer",
        "metadata": {"name": "lenses-mcp", "namespace": "lenses"},
        "spec": {"lenses": {"url": "https://lenses.example.com"}, "auth": {"oauth": {}}},
    });
    merge(&mut whole["spec"], spec);
    whole
}

fn merge(into: &mut Value, from: &Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (name, value) in from {
                merge(into.entry(name).or_insert(Value::Null), value);
            }
        }
        (into, from) => *into = from.clone(),
    }
}

/// What `check` says against the manifest.
fn faults(manifest: &Value) -> Vec<Value> {
    let mut check = Command::new(env!("CARGO_BIN_EXE_lenses-mcp-operator"))
        .args(["check", "-f", "-", "-o", "json"])
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let written = yaml::to_string(manifest).unwrap();
    check.stdin.take().unwrap().write_all(written.as_bytes()).unwrap();
    let output = check.wait_with_output().unwrap();
    let entries: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(entries.len(), 1, "{manifest}");
    entries[0]["faults"].as_array().unwrap().clone()
}

/// The blocks of this language that are to be valid, with the documents in each.
fn documents(language: &str) -> Vec<(Block, Vec<Value>)> {
    let blocks = blocks::all().into_iter();
    let blocks = blocks.filter(|block| block.language == language && block.no_test.is_none());
    blocks
        .map(|block| {
            let read = yaml::from_documents(&block.text);
            let documents = read.unwrap_or_else(|error| panic!("{}: {error}", block.place()));
            (block, documents)
        })
        .collect()
}

/// The chart in whose README the block is.
fn chart(block: &Block) -> Option<&str> {
    block.page.strip_suffix("/README.md").filter(|directory| directory.starts_with("charts/"))
}

#[test]
fn each_resource_and_each_part_of_one_is_valid() {
    let definition = fs::read_to_string(root().join("crds/lensesmcpservers.yaml")).unwrap();
    let definition: Value = yaml::from_documents(&definition).unwrap().remove(0);
    let schema = &definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
    let fields = &schema["properties"]["spec"]["properties"];
    let mut checked = 0;
    for (block, documents) in documents("yaml") {
        if chart(&block).is_some() || block.test.is_some() {
            continue;
        }
        for document in documents {
            let keys = document.as_object().unwrap();
            let manifest = if document["kind"] == "LensesMcpServer" {
                document
            } else if keys.keys().eq(["spec"]) {
                resource(&document["spec"])
            } else {
                let unknown = keys.keys().find(|key| fields.get(key.as_str()).is_none());
                assert_eq!(unknown, None, "{} is no part of a spec", block.place());
                resource(&document)
            };
            assert_eq!(faults(&manifest), [Value::Null; 0], "{}", block.place());
            checked += 1;
        }
    }
    assert!(checked >= 10, "{checked} were checked");
}

#[test]
fn values_of_a_charts_page_are_those_of_its_schema() {
    let mut checked = 0;
    for (block, documents) in documents("yaml") {
        let Some(chart) = chart(&block) else { continue };
        let schema = fs::read_to_string(root().join(chart).join("values.schema.json")).unwrap();
        let schema = jsonschema::validator_for(&serde_json::from_str(&schema).unwrap()).unwrap();
        for values in documents {
            let faults: Vec<_> =
                schema.iter_errors(&values).map(|error| error.to_string()).collect();
            assert_eq!(faults, [""; 0], "{}", block.place());
            checked += 1;
        }
    }
    assert!(checked >= 1, "{checked} were checked");
}

#[test]
fn each_json_block_is_one_json_document() {
    for block in blocks::all().iter().filter(|block| block.language == "json") {
        let read = serde_json::from_str::<Map<String, Value>>(&block.text);
        assert!(read.is_ok(), "{}: {}", block.place(), read.unwrap_err());
    }
}
