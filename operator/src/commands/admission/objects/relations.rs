//! How the fields of an object depend on each other.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::Place;
use crate::quantity::amount;

/// The sources of which a probe, a hook or a variable has exactly one.
const ONE_OF: [(&str, &[&str]); 6] = [
    ("livenessProbe", &["exec", "grpc", "httpGet", "tcpSocket"]),
    ("readinessProbe", &["exec", "grpc", "httpGet", "tcpSocket"]),
    ("startupProbe", &["exec", "grpc", "httpGet", "tcpSocket"]),
    ("preStop", &["exec", "httpGet", "sleep", "tcpSocket"]),
    ("postStart", &["exec", "httpGet", "sleep", "tcpSocket"]),
    (
        "valueFrom",
        &["configMapKeyRef", "fieldRef", "fileKeyRef", "resourceFieldRef", "secretKeyRef"],
    ),
];
/// What of the pod a variable may show.
const FIELDS: [&str; 9] = [
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.nodeName",
    "spec.serviceAccountName",
    "status.hostIP",
    "status.hostIPs",
    "status.podIP",
    "status.podIPs",
];
/// The types of metrics, and the field of each.
const METRICS: [(&str, &str); 5] = [
    ("ContainerResource", "containerResource"),
    ("External", "external"),
    ("Object", "object"),
    ("Pods", "pods"),
    ("Resource", "resource"),
];
/// Resources of a container that have no prefix.
const RESOURCES: [&str; 3] = ["cpu", "ephemeral-storage", "memory"];
const HUGE_PAGES: &str = "hugepages-";

/// Checks the fields of one object against each other.
pub(super) fn check_object(place: Place<'_>, object: &Value, refusals: &mut Vec<String>) {
    let Place { path, parent, field } = place;
    let mut refuse = |at: &str, said: String| refusals.push(format!("{path}{at}: {said}"));
    let text = |field: &str| object[field].as_str().unwrap_or_default();
    if let Some((_, sources)) = ONE_OF.iter().find(|(name, _)| *name == field)
        && present(object, sources) != 1
    {
        refuse("", format!("write exactly one of {}", sources.join(", ")));
    }
    match field {
        "volumes" if object.as_object().is_some_and(|volume| volume.len() > 2) => {
            refuse("", "a volume has one source".to_owned());
        }
        "env" if !text("value").is_empty() && object["valueFrom"].is_object() => {
            refuse("", "write value or valueFrom".to_owned());
        }
        "fieldRef" if parent == "valueFrom" && !is_field(text("fieldPath")) => {
            refuse(
                ".fieldPath",
                format!("{:?}: no field that a variable can show", text("fieldPath")),
            );
        }
        "seccompProfile" | "appArmorProfile"
            if (text("type") == "Localhost") == text("localhostProfile").is_empty() =>
        {
            refuse(".localhostProfile", "write it with type: Localhost, and only then".to_owned());
        }
        "tolerations" => {
            if text("key").is_empty() && text("operator") != "Exists" {
                refuse(".operator", "write Exists, or a key".to_owned());
            }
            if text("operator") == "Exists" && !text("value").is_empty() {
                refuse(".value", "leave it out with operator: Exists".to_owned());
            }
            if !object["tolerationSeconds"].is_null() && text("effect") != "NoExecute" {
                refuse(".effect", "write NoExecute with tolerationSeconds".to_owned());
            }
        }
        "topologySpreadConstraints"
            if !object["minDomains"].is_null() && text("whenUnsatisfiable") != "DoNotSchedule" =>
        {
            refuse(".minDomains", "needs whenUnsatisfiable: DoNotSchedule".to_owned());
        }
        "matchExpressions" => {
            if let Err(said) = expression(object, parent) {
                refuse("", said);
            }
        }
        "from" | "to" if parent == "ingress" || parent == "egress" => {
            let selectors = present(object, &["podSelector", "namespaceSelector"]);
            if (selectors > 0) == object["ipBlock"].is_object() {
                refuse("", "write selectors or an ipBlock".to_owned());
            }
        }
        "ports"
            if !object["endPort"].is_null()
                && object["port"]
                    .as_i64()
                    .is_none_or(|port| Some(port) > object["endPort"].as_i64()) =>
        {
            refuse(".endPort", "write a number as port, and no less as endPort".to_owned());
        }
        "metrics" => {
            let source = METRICS.iter().find(|(kind, _)| *kind == text("type"));
            let sources = METRICS.map(|(_, source)| source);
            if source.is_none_or(|(_, source)| !object[*source].is_object())
                || present(object, &sources) != 1
            {
                refuse("", format!("write the one of {} that type names", sources.join(", ")));
            }
        }
        "resources" if parent == "containers" || parent == "initContainers" => {
            for (at, said) in resources(object) {
                refuse(&at, said);
            }
        }
        _ => {}
    }
}

/// Checks that no two items of a list are one, where the list is a map to the API server.
pub(super) fn check_list(place: Place<'_>, items: &[Value], refusals: &mut Vec<String>) {
    let keys: &[&str] = match (place.field, place.parent) {
        ("containers" | "initContainers" | "volumes" | "env", _) => &["name"],
        ("volumeMounts", _) => &["mountPath"],
        ("ports", "containers" | "initContainers") => &["containerPort", "protocol"],
        ("topologySpreadConstraints", _) => &["topologyKey", "whenUnsatisfiable"],
        ("hostAliases", _) => &["ip"],
        _ => return,
    };
    let mut seen = BTreeSet::new();
    for item in items {
        let key: Vec<_> = keys.iter().map(|key| item[*key].to_string()).collect();
        if !seen.insert(key) {
            let (path, keys) = (place.path, keys.join(" and "));
            refusals.push(format!("{path}: two items have the same {keys}"));
        }
    }
}

/// Checks what concerns a whole pod.
pub(super) fn check_pod(path: &str, pod: &Value, refusals: &mut Vec<String>) {
    let mut refuse =
        |at: &str, said: &str| refusals.push(format!("{path}.template.spec{at}: {said}"));
    if !pod["activeDeadlineSeconds"].is_null() {
        refuse(".activeDeadlineSeconds", "leave it out: the pods of a Deployment have none");
    }
    if pod["dnsPolicy"] == "None" && items(&pod["dnsConfig"]["nameservers"]).next().is_none() {
        refuse(".dnsConfig.nameservers", "write one, or leave dnsPolicy: None out");
    }
    let volumes: BTreeSet<_> =
        items(&pod["volumes"]).map(|volume| volume["name"].as_str()).collect();
    let mut names = BTreeSet::new();
    for list in ["containers", "initContainers"] {
        for container in items(&pod[list]) {
            let name = container["name"].as_str().unwrap_or_default();
            let at = format!(".{list}[{name}]");
            if !names.insert(name) && list == "initContainers" {
                refuse(&at, "a container has the same name");
            }
            if container["image"].is_null() {
                refuse(&format!("{at}.image"), "write an image");
            }
            for mount in items(&container["volumeMounts"]) {
                if !volumes.contains(&mount["name"].as_str()) {
                    let volume = &mount["name"];
                    refuse(&format!("{at}.volumeMounts"), &format!("there is no volume {volume}"));
                }
            }
        }
    }
}

/// A requirement of a selector: of labels, or of nodes.
fn expression(object: &Value, parent: &str) -> Result<(), String> {
    let operator = object["operator"].as_str().unwrap_or_default();
    let values = items(&object["values"]).count();
    let is_of_nodes = matches!(parent, "nodeSelectorTerms" | "preference");
    match operator {
        "In" | "NotIn" if values == 0 => Err(format!("write values with operator: {operator}")),
        "Exists" | "DoesNotExist" if values > 0 => {
            Err(format!("leave values out with operator: {operator}"))
        }
        "Gt" | "Lt" if is_of_nodes && values != 1 => {
            Err(format!("write one value with operator: {operator}"))
        }
        "In" | "NotIn" | "Exists" | "DoesNotExist" => Ok(()),
        "Gt" | "Lt" if is_of_nodes => Ok(()),
        _ => {
            let more = if is_of_nodes { ", Gt, Lt" } else { "" };
            Err(format!(
                "operator {operator:?}: write one of In, NotIn, Exists, DoesNotExist{more}"
            ))
        }
    }
}

/// What a container asks for, and what it is given at most.
fn resources(object: &Value) -> Vec<(String, String)> {
    let none = Map::new();
    let of = |part: &str| object[part].as_object().unwrap_or(&none);
    let mut refusals = Vec::new();
    for part in ["requests", "limits"] {
        for name in of(part).keys().filter(|name| !is_resource(name)) {
            let said = "no resource of a container: write cpu, memory, ephemeral-storage, \
                        hugepages-SIZE, or a name such as example.com/gpu";
            refusals.push((format!(".{part}.{name}"), said.to_owned()));
        }
    }
    for (name, request) in of("requests") {
        let limit = of("limits").get(name);
        let amounts = (number(request), limit.and_then(number));
        let said = match (amounts, RESOURCES.contains(&name.as_str())) {
            ((Some(request), Some(limit)), true) if request > limit => "more than its limit",
            ((Some(request), Some(limit)), false) if request.total_cmp(&limit).is_ne() => {
                "other than its limit"
            }
            ((_, None), false) => "needs a limit",
            _ => continue,
        };
        refusals.push((format!(".requests.{name}"), said.to_owned()));
    }
    refusals
}

fn is_resource(name: &str) -> bool {
    RESOURCES.contains(&name) || name.contains('/') || name.starts_with(HUGE_PAGES)
}

fn is_field(path: &str) -> bool {
    let is_of_map = |map: &str| path.strip_prefix(map).is_some_and(|key| key.ends_with("']"));
    FIELDS.contains(&path) || is_of_map("metadata.labels['") || is_of_map("metadata.annotations['")
}

fn number(quantity: &Value) -> Option<f64> {
    quantity.as_f64().or_else(|| amount(quantity.as_str()?))
}

fn present(object: &Value, fields: &[&str]) -> usize {
    fields.iter().filter(|field| !object[**field].is_null()).count()
}

fn items(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}

#[cfg(test)]
mod tests;
