//! Whether everything is as the specs say. It looks at the objects, and knows nothing of the
//! operator's code.

use std::collections::BTreeSet;

use kube::{Api, Client, ResourceExt, api::ListParams};
use lenses_mcp_crds::LensesMcpServer;
use serde_json::{Value, json};

use crate::{NAMESPACES, RESOURCES, children::Child};

const IMAGE: &str = concat!("lensesio/lenses-mcp-server:", env!("CARGO_PKG_VERSION"));

/// A kind, whether there is to be one of it, a field of it, and whether its value is right.
type Check<'a> = (&'a str, bool, &'a str, &'a dyn Fn(&Value) -> bool);

/// What is not as it should be, in words.
pub(crate) async fn wrong(client: &Client) -> kube::Result<Vec<String>> {
    let mut wrong = Vec::new();
    for namespace in NAMESPACES {
        let api = Api::<LensesMcpServer>::namespaced(client.clone(), namespace);
        let servers = api.list(&ListParams::default()).await?.items;
        let children = Child::all(client, namespace).await?;
        if servers.len() != RESOURCES {
            wrong.push(format!("{namespace}: {} resources", servers.len()));
        }
        let uids: BTreeSet<_> = servers.iter().filter_map(ResourceExt::uid).collect();
        for child in &children {
            wrong.extend(of_child(child, &uids).map(|what| told(namespace, child, &what)));
        }
        for server in &servers {
            let own: Vec<_> =
                children.iter().filter(|child| child.owner() == server.uid().as_deref()).collect();
            wrong.extend(
                of_server(server, &own)
                    .into_iter()
                    .map(|what| format!("{namespace}/{}: {what}", server.name_any())),
            );
        }
    }
    Ok(wrong)
}

fn told(namespace: &str, child: &Child, what: &str) -> String {
    format!("{namespace}/{} {}: {what}", child.object.name_any(), child.kind)
}

fn of_child(child: &Child, servers: &BTreeSet<String>) -> Option<String> {
    let manager = |entry: &&k8s_openapi::apimachinery::pkg::apis::meta::v1::ManagedFieldsEntry| {
        entry.manager.as_deref() == Some("lenses-mcp-operator") && entry.subresource.is_none()
    };
    let entries = child.object.managed_fields().iter().filter(manager).count();
    match child.owner() {
        None => Some("no resource is its controller".to_owned()),
        Some(uid) if !servers.contains(uid) => Some(format!("its resource {uid} is gone")),
        Some(_) if !child.is_labelled() => Some("it lacks the operator's label".to_owned()),
        Some(_) if entries != 1 => Some(format!("{entries} managedFields of the operator")),
        Some(_) => None,
    }
}

fn of_server(server: &LensesMcpServer, children: &[&Child]) -> Vec<String> {
    let mut wrong = Vec::new();
    let status = server.status.clone().unwrap_or_default();
    let generation = server.metadata.generation;
    if status.observed_generation != generation {
        wrong.push(format!("observed {:?} of {generation:?}", status.observed_generation));
    }
    match status.conditions.iter().find(|condition| condition.type_ == "Ready") {
        Some(ready) if ready.status == "True" => {}
        Some(ready) => wrong.push(format!("Ready {}: {}", ready.status, ready.message)),
        None => wrong.push("no condition Ready".to_owned()),
    }
    let spec = &server.spec;
    let name = server.name_any();
    let most = spec.autoscaling.as_ref().map_or(spec.replicas, |scaling| scaling.max_replicas);
    let host = spec.endpoint.ingress.as_ref().map(|ingress| ingress.host.as_str());
    let level = serde_json::to_value(spec.observability.log.level).unwrap_or_default();
    let line = format!("\nLOG_LEVEL='{}'\n", level.as_str().unwrap_or_default());
    let replicas = |value: &Value| {
        let replicas = value.as_i64().unwrap_or_default();
        if spec.autoscaling.is_some() {
            (1..=i64::from(most)).contains(&replicas)
        } else {
            replicas == i64::from(most)
        }
    };
    let is = |wanted: Value| move |value: &Value| *value == wanted;
    let has_line = |value: &Value| value.as_str().is_some_and(|text| text.contains(&line));
    let container = "/spec/template/spec/containers/0/image";
    let instance = "/spec/selector/app.kubernetes.io~1instance";
    let any = |_: &Value| true;
    let checks: [Check; 12] = [
        ("Deployment", true, "/spec/replicas", &replicas),
        ("Deployment", true, container, &is(json!(IMAGE))),
        ("Deployment", true, "/spec/template/spec/containers/1", &is(Value::Null)),
        ("Service", true, instance, &is(json!(name))),
        ("ConfigMap", true, "/data/settings.env", &has_line),
        ("ServiceAccount", true, "/automountServiceAccountToken", &is(json!(false))),
        ("Secret", true, "", &any),
        ("NetworkPolicy", spec.network_policy.enabled, "/spec/ingress/0", &|rule| rule.is_object()),
        ("NetworkPolicy", spec.network_policy.enabled, "/spec/egress/0", &|rule| rule.is_object()),
        ("Ingress", host.is_some(), "/spec/rules/0/host", &is(json!(host))),
        ("PodDisruptionBudget", most > 1, "/spec/maxUnavailable", &is(json!(1))),
        (
            "HorizontalPodAutoscaler",
            spec.autoscaling.is_some(),
            "/spec/maxReplicas",
            &is(json!(most)),
        ),
    ];
    for (kind, wanted, pointer, right) in checks {
        let of_kind: Vec<_> = children.iter().filter(|child| child.kind == kind).collect();
        if of_kind.len() != usize::from(wanted) {
            wrong.push(format!("{} of kind {kind}", of_kind.len()));
        }
        for child in of_kind {
            let value = child.at(pointer);
            if !right(value) {
                wrong.push(format!("{kind} {pointer} is {value}"));
            }
        }
    }
    wrong
}
