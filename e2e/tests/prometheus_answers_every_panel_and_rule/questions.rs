//! What Prometheus is asked: the query of each panel, the values of each variable of a dashboard,
//! and each metric that an alert names.

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::ConfigMap;
use kube::Api;
use lenses_mcp_e2e::bed::{Bed, OPERATOR_NAMESPACE, Trouble};
use serde_json::Value;

use super::prometheus::Prometheus;

/// A query that must have data.
#[derive(Debug)]
pub(crate) struct Question {
    /// Who asks.
    _who: String,
    /// What is asked.
    pub(crate) query: String,
}

/// All of them.
///
/// # Errors
/// When a dashboard is unreadable, a query wrong, or a rule cannot be evaluated.
pub(crate) async fn all(bed: &Bed, prometheus: &Prometheus) -> Result<Vec<Question>, Trouble> {
    let config_maps: Api<ConfigMap> = Api::namespaced(bed.client.clone(), OPERATOR_NAMESPACE);
    let files = config_maps.get("lenses-mcp-operator-dashboards").await?.data.unwrap_or_default();
    let mut questions = Vec::new();
    for (file, text) in &files {
        let dashboard: Value = serde_json::from_str(text)?;
        let found = panels(bed, file, &dashboard);
        assert!(!found.is_empty(), "{file} has no panels");
        questions.extend(found);
        questions.extend(variables(bed, file, &dashboard));
    }
    questions.extend(alerts(prometheus).await?);
    Ok(questions)
}

fn panels(bed: &Bed, file: &str, dashboard: &Value) -> Vec<Question> {
    let panels = dashboard["panels"].as_array().into_iter().flatten();
    let targets = panels.flat_map(|panel| {
        let targets = panel["targets"].as_array().into_iter().flatten();
        targets.map(move |target| (&panel["title"], target["expr"].as_str().unwrap_or_default()))
    });
    targets.map(|(title, query)| question(bed, format!("{file}: {title}"), query)).collect()
}

fn variables(bed: &Bed, file: &str, dashboard: &Value) -> Vec<Question> {
    let variables = dashboard["templating"]["list"].as_array().into_iter().flatten();
    let queries = variables.filter_map(|variable| {
        // label_values(SELECTOR, LABEL)
        let query = variable["query"]["query"].as_str()?;
        let (selector, label) = query.strip_prefix("label_values(")?.rsplit_once(", ")?;
        let label = label.trim_end_matches(')');
        let value = format!("${}", variable["name"].as_str()?);
        Some(question(
            bed,
            format!("{file}: {value}"),
            &format!(
                "group by ({label}) ({selector}) and on ({label}) label_replace(vector(1), \
                 \"{label}\", \"{value}\", \"\", \"\")"
            ),
        ))
    });
    queries.collect()
}

/// A query as Grafana sends it with the server `mcp` selected.
fn question(bed: &Bed, who: String, query: &str) -> Question {
    let query = query
        .replace("$__rate_interval", "5m")
        .replace("$namespace", &bed.namespace)
        .replace("$service", "mcp");
    Question { _who: who, query }
}

async fn alerts(prometheus: &Prometheus) -> Result<Vec<Question>, Trouble> {
    let groups = prometheus.get("rules", &[("type", "alert")]).await?;
    let groups = groups["groups"].as_array().cloned().unwrap_or_default();
    let mut questions = Vec::new();
    for rule in groups.iter().filter_map(|group| group["rules"].as_array()).flatten() {
        let query = rule["query"].as_str().ok_or("a rule without a query")?;
        assert_ne!(rule["health"], "err", "{rule}");
        let mut names = BTreeSet::new();
        selected(&prometheus.get("parse_query", &[("query", query)]).await?, &mut names);
        assert!(!names.is_empty(), "{query} selects nothing");
        questions.extend(names.into_iter().map(|name| Question {
            _who: format!("alert {}", rule["name"]),
            query: format!("count({name})"),
        }));
    }
    assert!(questions.len() > 20, "{questions:?}");
    Ok(questions)
}

/// The names of the metrics that a parsed query selects.
fn selected(node: &Value, names: &mut BTreeSet<String>) {
    match node {
        Value::Object(members) => {
            if node["type"] == "vectorSelector"
                && let Some(name) = node["name"].as_str()
            {
                names.insert(name.to_owned());
            }
            members.values().for_each(|member| selected(member, names));
        }
        Value::Array(items) => items.iter().for_each(|item| selected(item, names)),
        _ => {}
    }
}

/// An alert waits for its time, and names the one resource that is not Ready.
///
/// # Errors
/// When Prometheus does not answer.
pub(crate) async fn name_what_is_not_ready(
    bed: &Bed,
    prometheus: &Prometheus,
    name: &str,
) -> Result<(), Trouble> {
    let alerts = prometheus.get("alerts", &[]).await?;
    let alerts = alerts["alerts"].as_array().cloned().unwrap_or_default();
    let named: Vec<_> = alerts
        .iter()
        .map(|alert| &alert["labels"])
        .filter(|labels| labels["alertname"] == "LensesMcpServerNotReady")
        .map(|labels| (labels["namespace"].clone(), labels["name"].clone()))
        .collect();
    assert_eq!(named, [(bed.namespace.clone().into(), name.into())], "{alerts:?}");
    Ok(())
}
