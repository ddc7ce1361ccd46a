//! Alerts and dashboards: each metric that they name is one that the operator or a server has, and
//! each alert has a runbook and a test.

use std::{collections::BTreeSet, fs, path::Path, time::Duration};

use lenses_mcp_crds::yaml;
use lenses_mcp_operator::metrics::{ConditionLabels, Gauges, Metrics, Outcome};
use serde_json::Value;

use super::text;

const CHART: &str = "lenses-mcp-operator";

fn repository(file: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(file)).unwrap()
}

/// The metrics of the operator, of a server, and of kube-state-metrics with the chart's file.
fn existing() -> BTreeSet<String> {
    let metrics = Metrics::default();
    metrics.reconciled(Outcome::Failed, 0.0);
    metrics.failed("apply");
    metrics.requested("get", Some(200));
    metrics.checked("Secret", 1);
    let ready = ConditionLabels { condition: "Ready", status: "True" };
    let gauges = Gauges {
        conditions: [(ready, 1)].into(),
        oldest_verification: Some(Duration::ZERO),
        ..Gauges::default()
    };
    let exposition = metrics.encode(&gauges).unwrap();
    // The table is made from the server's registry.
    let table = repository("docs/operation.md");
    let state: Value =
        yaml::from_documents(&text(CHART, "files/kube-state-metrics.yaml")).unwrap().remove(0);
    let mut names: BTreeSet<String> = BTreeSet::new();
    for line in exposition.lines().filter_map(|line| line.strip_prefix("# TYPE ")) {
        let (name, kind) = line.split_once(' ').unwrap();
        names.extend(series(name, kind));
    }
    for line in table.lines().filter_map(|line| line.strip_prefix("| `")) {
        let Some((name, rest)) = line.split_once("` | ") else { continue };
        let kind = rest.split(' ').next().unwrap();
        names.extend(series(name.trim_end_matches("_total"), kind));
    }
    for resource in state["spec"]["resources"].as_array().unwrap() {
        let prefix = resource["metricNamePrefix"].as_str().unwrap();
        for metric in resource["metrics"].as_array().unwrap() {
            names.insert(format!("{prefix}_{}", metric["name"].as_str().unwrap()));
        }
    }
    names
}

/// The series of a metric, as Prometheus stores them.
fn series(name: &str, kind: &str) -> Vec<String> {
    let suffixes: &[&str] = match kind {
        "counter" => &["_total"],
        "histogram" => &["_bucket", "_sum", "_count"],
        "info" => &["_info"],
        _ => &[""],
    };
    suffixes.iter().map(|suffix| format!("{name}{suffix}")).collect()
}

/// What in a text has the prefix of a metric.
fn named(text: &str) -> BTreeSet<String> {
    let prefixes = ["lenses_mcp_", "mcp_server_", "process_", "kube_lensesmcpserver_"];
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .filter(|word| prefixes.iter().any(|prefix| word.starts_with(prefix)))
        .map(str::to_owned)
        .collect()
}

#[test]
fn every_metric_of_alerts_and_dashboards_exists() {
    let existing = existing();
    let dashboards = ["operator", "server", "servers"];
    let files = dashboards.map(|name| format!("files/dashboards/{name}.json"));
    for file in files.iter().map(String::as_str).chain(["files/alerts.yaml"]) {
        let named = named(&text(CHART, file));
        assert!(named.len() > 4, "{file} names {named:?}");
        let missing: Vec<_> = named.difference(&existing).collect();
        assert!(missing.is_empty(), "{file}: {missing:?}, of {existing:?}");
    }
}

#[test]
fn every_alert_has_a_runbook_and_a_test() {
    let rules: Value = yaml::from_documents(&text(CHART, "files/alerts.yaml")).unwrap().remove(0);
    let (runbooks, tests) =
        (repository("docs/runbooks.md"), repository("e2e/alerts/alerts_test.yaml"));
    let groups = rules["groups"].as_array().unwrap();
    let rules: Vec<&Value> =
        groups.iter().flat_map(|group| group["rules"].as_array().unwrap()).collect();
    assert!(!rules.is_empty());
    for alert in rules {
        let alert = alert["alert"].as_str().unwrap();
        assert!(runbooks.lines().any(|line| line == format!("## {alert}")), "{alert}: no runbook");
        assert!(tests.contains(&format!("alertname=\"{alert}\"")), "{alert}: no test");
    }
}
