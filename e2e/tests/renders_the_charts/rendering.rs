//! What the charts render, as whole objects. The default is held against all its objects, and other
//! values against the objects that differ from the default's, and the names of those that are
//! absent.

use std::{collections::BTreeMap, fs};

use lenses_mcp_crds::yaml;
use lenses_mcp_e2e::bed::{Trouble, helm};
use serde_json::{Value, json};

use super::{CHARTS, HERE};

const CRD: &str = include_str!("../../../crds/lensesmcpservers.yaml");

/// Objects by kind, namespace and name.
type Objects = BTreeMap<String, Value>;

/// Values of the operator's chart, by file; release and namespace.
const CASES: [(&str, &str, &str); 21] = [
    ("chart-wide-metadata", RELEASE, NAMESPACE),
    ("digests", RELEASE, NAMESPACE),
    ("extras", RELEASE, NAMESPACE),
    ("full-name", RELEASE, NAMESPACE),
    ("high-availability", RELEASE, NAMESPACE),
    ("mirror", RELEASE, NAMESPACE),
    ("monitoring", RELEASE, NAMESPACE),
    ("name", "eu", NAMESPACE),
    ("namespaces", RELEASE, NAMESPACE),
    ("network-policy", RELEASE, NAMESPACE),
    // A release, and namespaces, that YAML reads as numbers and booleans if they are not quoted.
    ("odd-names", "1.0", "2024"),
    ("own-account", RELEASE, NAMESPACE),
    ("pod-monitor", RELEASE, NAMESPACE),
    ("proxy", RELEASE, NAMESPACE),
    // "helm upgrade --reuse-values" from a chart that had fewer values.
    ("reuse-values", RELEASE, NAMESPACE),
    ("scheduling", RELEASE, NAMESPACE),
    ("second-operator", "gold", NAMESPACE),
    ("security-context", RELEASE, NAMESPACE),
    ("service-monitor", RELEASE, NAMESPACE),
    ("startup-check", RELEASE, NAMESPACE),
    ("trust", RELEASE, NAMESPACE),
];
const RELEASE: &str = "lenses-mcp-operator";
const NAMESPACE: &str = "lenses";

#[tokio::test]
async fn default_values_render_these_objects() -> Result<(), Trouble> {
    compare("default", &render("lenses-mcp-operator", RELEASE, NAMESPACE, None).await?)
}

#[tokio::test]
async fn each_set_of_values_changes_these_objects() -> Result<(), Trouble> {
    let default = render("lenses-mcp-operator", RELEASE, NAMESPACE, None).await?;
    for (case, release, namespace) in CASES {
        let mut objects = render("lenses-mcp-operator", release, namespace, Some(case)).await?;
        let absent: Vec<_> = default.keys().filter(|name| !objects.contains_key(*name)).collect();
        let absent = json!({ "absent": absent });
        objects.retain(|name, object| default.get(name) != Some(object));
        // Another release has other names.
        if (release, namespace) == (RELEASE, NAMESPACE) {
            objects.insert(String::new(), absent);
        }
        compare(case, &objects)?;
    }
    Ok(())
}

#[tokio::test]
async fn a_fleet_renders_one_resource_for_each_server() -> Result<(), Trouble> {
    compare("fleet", &render("lenses-mcp-servers", "fleet", "lenses", Some("fleet")).await?)
}

#[tokio::test]
async fn every_file_of_values_is_a_case() -> Result<(), Trouble> {
    for file in fs::read_dir(format!("{HERE}/values"))? {
        let name = file?.file_name().to_string_lossy().replace(".yaml", "");
        let is_case = name == "fleet" || CASES.iter().any(|(case, ..)| *case == name);
        assert!(is_case, "{name} is rendered by no test");
    }
    Ok(())
}

async fn render(
    chart: &str,
    release: &str,
    namespace: &str,
    values: Option<&str>,
) -> Result<Objects, Trouble> {
    let chart = format!("{CHARTS}/{chart}");
    let mut arguments = vec!["template", release, &chart, "--namespace", namespace];
    // Without a cluster, Helm takes one of the version that it was built for.
    arguments.extend(["--kube-version", "1.34.0"]);
    let file = values.map(|case| format!("{HERE}/values/{case}.yaml"));
    if let Some(file) = &file {
        arguments.extend(["--values", file]);
    }
    let documents: Vec<Value> = yaml::from_documents(&helm(&arguments).await?)?;
    let mut objects = Objects::new();
    for mut object in documents {
        let field = |path| object.pointer(path).and_then(Value::as_str).unwrap_or_default();
        let kind = field("/kind").to_owned();
        let (namespace, name) = (field("/metadata/namespace"), field("/metadata/name"));
        let key = format!("{kind} {namespace}/{name}");
        if kind == "CustomResourceDefinition" {
            let made: Value = yaml::from_documents(CRD)?.pop().ok_or("no definition")?;
            assert_eq!(as_floats(&made["spec"]), as_floats(&object["spec"]));
            object["spec"] = "as in crds/lensesmcpservers.yaml".into();
        }
        assert!(objects.insert(key.clone(), object).is_none(), "{key} is there twice");
    }
    Ok(objects)
}

/// The value with all numbers as Helm has them.
fn as_floats(value: &Value) -> Value {
    match value {
        Value::Number(number) => number.as_f64().into(),
        Value::Array(values) => values.iter().map(as_floats).collect(),
        Value::Object(members) => {
            members.iter().map(|(name, value)| (name.clone(), as_floats(value))).collect()
        }
        value => value.clone(),
    }
}

fn compare(case: &str, objects: &Objects) -> Result<(), Trouble> {
    let path = format!("{HERE}/expected/{case}.yaml");
    if std::env::var_os("UPDATE_CHARTS").is_some() {
        let documents: Result<Vec<_>, _> = objects.values().map(yaml::to_string).collect();
        fs::write(path, documents?.join("---\n"))?;
        return Ok(());
    }
    let expected: Vec<Value> = yaml::from_documents(&fs::read_to_string(&path)?)?;
    let rendered: Vec<_> = objects.values().cloned().collect();
    assert_eq!(rendered, expected, "{case}: {path}");
    Ok(())
}
