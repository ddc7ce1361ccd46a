//! Names in the text of the pages: fields, values, environment variables and metrics exist.

use std::{collections::BTreeSet, fs};

use lenses_mcp_crds::yaml;
use lenses_mcp_operator::cli;
use regex::Regex;
use serde_json::Value;

use crate::blocks::{self, root};

/// What looks like a field and is none: a setting of Qwen Code, attributes of traces, and a field
/// of a `SealedSecret`.
const OTHER_FIELDS: [&str; 5] = [
    "tools.toolSearch.enabled",
    "lenses.operation",
    "lenses.outcome",
    "lenses.resource",
    "spec.template.metadata.labels",
];
/// Variables of the Python server that `docs/from-python.md` names.
const PYTHON_VARIABLES: [&str; 4] = ["MCP_HOST", "MCP_PORT", "MCP_SCOPE", "MCP_TRANSPORT"];

/// The code of all pages: its spans and the lines of its blocks, with the page that has it.
fn code() -> Vec<(String, String)> {
    let mut code = blocks::spans();
    for block in blocks::all() {
        code.extend(block.text.lines().map(|line| (block.place(), line.to_owned())));
    }
    code
}

fn file(path: &str) -> Value {
    let text = fs::read_to_string(root().join(path)).unwrap();
    yaml::from_documents(&text).unwrap().remove(0)
}

/// Whether the schema has a field at this path. Lists stand for their items.
fn has(schema: &Value, path: &[&str]) -> bool {
    if schema["type"] == "array" {
        return has(&schema["items"], path);
    }
    let Some((field, rest)) = path.split_first() else { return true };
    let known = &schema["properties"][field];
    match known {
        // A map of any names, or an object whose fields are Kubernetes' own.
        Value::Null => {
            schema.get("additionalProperties").is_some_and(|names| names != false)
                || schema["x-kubernetes-preserve-unknown-fields"] == true
        }
        known => has(known, rest),
    }
}

#[test]
fn every_field_and_chart_value_that_a_page_names_exists() {
    let definition = file("crds/lensesmcpservers.yaml");
    let resource = &definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
    let (spec, status) = (&resource["properties"]["spec"], &resource["properties"]["status"]);
    let charts = ["lenses-mcp-operator", "lenses-mcp-servers"]
        .map(|chart| file(&format!("charts/{chart}/values.schema.json")));
    let schemas: Vec<_> = [resource, spec, status].into_iter().chain(&charts).collect();
    let is_path = Regex::new(r"^([a-z][A-Za-z]*(?:\.[a-z][A-Za-z]*)+)(?::.*)?$").unwrap();
    let mut checked = 0;
    for (page, span) in blocks::spans() {
        let Some(found) = is_path.captures(&span) else { continue };
        let path: Vec<_> = found[1].split('.').collect();
        if path.last() == Some(&"rs") || OTHER_FIELDS.contains(&&found[1]) {
            continue;
        }
        if schemas.iter().any(|schema| schema["properties"].get(path[0]).is_some()) {
            let known = schemas.iter().any(|schema| has(schema, &path));
            assert!(known, "{page}: `{span}` is no field of a resource and no value of a chart");
            checked += 1;
        }
    }
    assert!(checked >= 100, "{checked} were checked");
}

#[test]
fn every_setting_that_a_page_names_exists() {
    let settings = fs::read_to_string(root().join("docs/settings.md")).unwrap();
    let row = Regex::new(r"(?m)^\| `([A-Z_]+)`").unwrap();
    let mut known: BTreeSet<_> =
        row.captures_iter(&settings).map(|found| found[1].to_owned()).collect();
    for command in cli::plugin().get_subcommands() {
        let variables = command.get_arguments().filter_map(clap::Arg::get_env);
        known.extend(variables.map(|name| name.to_string_lossy().into_owned()));
    }
    let variable = Regex::new(r"\b(?:MCP|LENSES|INTROSPECTION|OAUTH|ADMIN|LOG)_[A-Z_]*[A-Z]\b");
    let variable = variable.unwrap();
    let mut checked = 0;
    for (page, span) in code() {
        for found in variable.find_iter(&span) {
            let name = found.as_str().trim_end_matches("_FILE");
            let exists = known.contains(name)
                || known.contains(found.as_str())
                || PYTHON_VARIABLES.contains(&name);
            assert!(exists, "{page}: `{span}` names {}, which is no setting", found.as_str());
            checked += 1;
        }
    }
    assert!(checked >= 50, "{checked} were checked");
}

#[test]
fn every_metric_that_a_page_names_exists() {
    let tables = ["docs/operation.md", "docs/operator.md"]
        .map(|page| fs::read_to_string(root().join(page)).unwrap())
        .concat();
    let metric = Regex::new(r"\blenses_mcp_[a-z_]*[a-z]\b").unwrap();
    let mut checked = 0;
    for (page, span) in code() {
        // Filter directives of the log have the name of the crate.
        for found in metric.find_iter(&span).filter(|name| name.as_str() != "lenses_mcp_operator") {
            let row = format!("| `{}` | ", found.as_str());
            assert!(tables.contains(&row), "{page}: `{span}`: there is no such metric");
            checked += 1;
        }
    }
    assert!(checked >= 40, "{checked} were checked");
}
