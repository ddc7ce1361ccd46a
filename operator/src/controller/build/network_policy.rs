//! The `NetworkPolicy`: callers, scrapers and the operator in; HQ, DNS and what else the settings
//! name out; and between the server's own pods the admin port, through which an answer to a question
//! gets to the pod that asked.

use std::collections::BTreeMap;

use k8s_openapi::{
    api::networking::v1::{
        NetworkPolicy, NetworkPolicyEgressRule, NetworkPolicyIngressRule, NetworkPolicyPeer,
        NetworkPolicyPort, NetworkPolicySpec,
    },
    apimachinery::pkg::{apis::meta::v1::LabelSelector, util::intstr::IntOrString},
};

use super::{
    metadata,
    pod_layout::{ADMIN_PORT, MCP_PORT},
};
use crate::{
    MANAGER,
    controller::validate::{Destination, ValidServer},
    names::selector,
};

pub(super) fn build(server: &ValidServer) -> NetworkPolicy {
    NetworkPolicy {
        metadata: metadata(server),
        spec: Some(NetworkPolicySpec {
            pod_selector: Some(labelled(selector(&server.name))),
            policy_types: Some(vec!["Ingress".to_owned(), "Egress".to_owned()]),
            ingress: Some(ingress(server)),
            egress: Some(egress(server)),
        }),
    }
}

fn ingress(server: &ValidServer) -> Vec<NetworkPolicyIngressRule> {
    let policy = &server.network.policy;
    let mut callers = policy.ingress_from.clone();
    if !callers.is_empty() {
        callers.push(operator(&server.network.operator_namespace));
    }
    let mut scrapers = policy.metrics_from.clone();
    if scrapers.is_empty() && server.observability.metrics.service_monitor.is_some() {
        scrapers.push(any_pod());
    }
    vec![
        NetworkPolicyIngressRule {
            // None is anyone.
            from: (!callers.is_empty()).then_some(callers),
            ports: Some(vec![port("TCP", IntOrString::Int(MCP_PORT.into()))]),
        },
        NetworkPolicyIngressRule {
            from: Some([vec![replicas(&server.name)], scrapers].concat()),
            ports: Some(vec![port("TCP", IntOrString::Int(ADMIN_PORT.into()))]),
        },
    ]
}

fn egress(server: &ValidServer) -> Vec<NetworkPolicyEgressRule> {
    let policy = &server.network.policy;
    let dns = IntOrString::Int(policy.dns.port);
    let mut rules = vec![
        NetworkPolicyEgressRule {
            to: (!policy.dns.to.is_empty()).then(|| policy.dns.to.clone()),
            ports: Some(vec![port("UDP", dns.clone()), port("TCP", dns)]),
        },
        NetworkPolicyEgressRule {
            to: Some(vec![replicas(&server.name)]),
            ports: Some(vec![port("TCP", IntOrString::Int(ADMIN_PORT.into()))]),
        },
    ];
    rules.extend(server.network.destinations.iter().map(to));
    rules.extend(policy.extra_egress.iter().cloned());
    rules
}

fn to(destination: &Destination) -> NetworkPolicyEgressRule {
    match destination {
        Destination::Pods { namespace, labels, port: number } => NetworkPolicyEgressRule {
            to: Some(vec![NetworkPolicyPeer {
                pod_selector: Some(labelled(labels.clone())),
                ..in_namespace(namespace)
            }]),
            ports: Some(vec![port("TCP", number.clone())]),
        },
        Destination::Namespace(namespace) => {
            NetworkPolicyEgressRule { to: Some(vec![in_namespace(namespace)]), ports: None }
        }
        Destination::Port(number) => NetworkPolicyEgressRule {
            to: None,
            ports: Some(vec![port("TCP", IntOrString::Int((*number).into()))]),
        },
    }
}

/// The operator's pods, which check the endpoint as a client would.
fn operator(namespace: &str) -> NetworkPolicyPeer {
    let name = [("app.kubernetes.io/name".to_owned(), MANAGER.to_owned())].into();
    NetworkPolicyPeer { pod_selector: Some(labelled(name)), ..in_namespace(namespace) }
}

/// The server's own pods, in its own namespace.
fn replicas(name: &str) -> NetworkPolicyPeer {
    NetworkPolicyPeer {
        pod_selector: Some(labelled(selector(name))),
        ..NetworkPolicyPeer::default()
    }
}

/// Who scrapes for a `ServiceMonitor` is not known: a pod of any namespace, and nobody from outside.
fn any_pod() -> NetworkPolicyPeer {
    NetworkPolicyPeer {
        namespace_selector: Some(LabelSelector::default()),
        ..NetworkPolicyPeer::default()
    }
}

/// Every namespace carries its name as a label.
fn in_namespace(name: &str) -> NetworkPolicyPeer {
    let name = [("kubernetes.io/metadata.name".to_owned(), name.to_owned())].into();
    NetworkPolicyPeer { namespace_selector: Some(labelled(name)), ..NetworkPolicyPeer::default() }
}

fn labelled(labels: BTreeMap<String, String>) -> LabelSelector {
    LabelSelector { match_labels: Some(labels), ..LabelSelector::default() }
}

fn port(protocol: &str, port: IntOrString) -> NetworkPolicyPort {
    NetworkPolicyPort {
        protocol: Some(protocol.to_owned()),
        port: Some(port),
        ..NetworkPolicyPort::default()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::controller::fixtures::{api_key_server, metadata_json, oauth_server, valid};

    fn whole(ingress: &Value, egress: &Value) -> Value {
        json!({
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": metadata_json(),
            "spec": {
                "podSelector": { "matchLabels": {
                    "app.kubernetes.io/name": "lenses-mcp-server", "app.kubernetes.io/instance": "team-mcp",
                } },
                "policyTypes": ["Ingress", "Egress"],
                "ingress": ingress,
                "egress": egress,
            },
        })
    }

    /// The server's own pods.
    fn replicas() -> Value {
        json!({ "podSelector": { "matchLabels": {
            "app.kubernetes.io/name": "lenses-mcp-server", "app.kubernetes.io/instance": "team-mcp",
        } } })
    }

    fn namespace(name: &str) -> Value {
        json!({ "matchLabels": { "kubernetes.io/metadata.name": name } })
    }

    #[test]
    fn by_default_anyone_may_call_and_the_pods_reach_hq_dns_and_each_other_only() {
        let tcp = |port: u16| json!({ "protocol": "TCP", "port": port });
        let dns = json!({ "ports": [{ "protocol": "UDP", "port": 53 }, tcp(53)] });
        let ingress = json!([
            { "ports": [tcp(8000)] },
            { "from": [replicas()], "ports": [tcp(9090)] },
        ]);
        let others = json!({ "to": [replicas()], "ports": [tcp(9090)] });
        let hq_pods = json!({
            "to": [{ "namespaceSelector": namespace("lenses"), "podSelector": { "matchLabels": { "app": "hq" } } }],
            "ports": [{ "protocol": "TCP", "port": "http" }],
        });
        assert_eq!(
            serde_json::to_value(build(&valid(&oauth_server()))).unwrap(),
            whole(&ingress, &json!([dns, others, hq_pods]))
        );
        assert_eq!(
            serde_json::to_value(build(&valid(&api_key_server()))).unwrap(),
            whole(&ingress, &json!([dns, others, { "ports": [tcp(9991)] }]))
        );
    }

    #[test]
    fn named_callers_and_scrapers_come_in_the_operator_with_them_and_what_is_asked_for_goes_out() {
        let mut server = api_key_server();
        let proxy = json!({ "to": [{ "ipBlock": { "cidr": "10.1.0.0/16" } }], "ports": [{ "port": 3128 }] });
        server.spec.network_policy = serde_json::from_value(json!({
            "ingressFrom": [{ "namespaceSelector": namespace("ingress") }],
            "metricsFrom": [{ "namespaceSelector": namespace("monitoring") }],
            "extraEgress": [proxy],
            "dns": { "to": [{ "namespaceSelector": namespace("openshift-dns") }], "port": 5353 },
        }))
        .unwrap();
        let tcp = |port: u16| json!({ "protocol": "TCP", "port": port });
        let operator = json!({
            "namespaceSelector": namespace("lenses-system"),
            "podSelector": { "matchLabels": { "app.kubernetes.io/name": "lenses-mcp-operator" } },
        });
        let ingress = json!([
            { "from": [{ "namespaceSelector": namespace("ingress") }, operator], "ports": [tcp(8000)] },
            {
                "from": [replicas(), { "namespaceSelector": namespace("monitoring") }],
                "ports": [tcp(9090)],
            },
        ]);
        let others = json!({ "to": [replicas()], "ports": [tcp(9090)] });
        let dns = json!({
            "to": [{ "namespaceSelector": namespace("openshift-dns") }],
            "ports": [{ "protocol": "UDP", "port": 5353 }, tcp(5353)],
        });
        assert_eq!(
            serde_json::to_value(build(&valid(&server))).unwrap(),
            whole(&ingress, &json!([dns, others, { "ports": [tcp(9991)] }, proxy]))
        );
    }

    #[test]
    fn a_service_monitor_lets_the_pods_of_the_cluster_scrape_unless_it_is_said_who() {
        let mut server = api_key_server();
        let scraped = |server: &_| {
            build(&valid(server)).spec.unwrap().ingress.unwrap().into_iter().nth(1).unwrap().from
        };
        server.spec.observability =
            serde_json::from_value(json!({ "metrics": { "serviceMonitor": {} } })).unwrap();
        assert_eq!(
            serde_json::to_value(scraped(&server)).unwrap(),
            json!([replicas(), { "namespaceSelector": {} }])
        );
        let monitoring = json!({ "namespaceSelector": namespace("monitoring") });
        server.spec.network_policy =
            serde_json::from_value(json!({ "metricsFrom": [monitoring] })).unwrap();
        assert_eq!(
            serde_json::to_value(scraped(&server)).unwrap(),
            json!([replicas(), monitoring])
        );
    }
}
