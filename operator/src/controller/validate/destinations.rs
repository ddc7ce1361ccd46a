//! Where the pods go: what their network policy has to let them reach.
//!
//! A policy knows pods, namespaces and ports, and no host names. It sees a connection behind the
//! Service, so what counts is the port of the pods. The name of a Service tells its namespace;
//! where its pods and their port are not known, all of that namespace is let through. To any other
//! host only its port is known, so that port is let through to everywhere.

use std::collections::BTreeMap;

use k8s_openapi::{api::core::v1::Service, apimachinery::pkg::util::intstr::IntOrString};
use kube::ResourceExt;
use lenses_mcp_crds::LensesMcpServer;
use url::{Host, Url};

use super::SignIn;
use crate::{context::Defaults, controller::observed::Dereferenced, probe::Proxy};

/// Something that the pods connect to.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Destination {
    /// These pods, at their own port.
    Pods { namespace: String, labels: BTreeMap<String, String>, port: IntOrString },
    /// Anything in a namespace.
    Namespace(String),
    /// A port, anywhere.
    Port(u16),
}

/// HQ, the proxy towards it, the introspection endpoint if that is somewhere else, and the receiver
/// of traces.
pub(super) fn destinations(
    server: &LensesMcpServer,
    found: &Dereferenced,
    defaults: &Defaults,
    lenses_url: &str,
    sign_in: &SignIn,
    proxy: Option<&Proxy>,
) -> Vec<Destination> {
    let own = server.namespace().unwrap_or_default();
    let mut all = Vec::new();
    let mut add = |more: Vec<Destination>| {
        for destination in more {
            if !all.contains(&destination) {
                all.push(destination);
            }
        }
    };
    // All of them have been parsed before.
    let lenses = Url::parse(lenses_url);
    match (&lenses, &server.spec.lenses.service_ref, &found.lenses_service) {
        (Ok(url), Some(reference), Some(service)) => {
            add(behind_service(reference.namespace.as_deref().unwrap_or(&own), service, url));
        }
        (Ok(url), ..) => add(at_url(url, &own, &defaults.cluster_domain)),
        (Err(_), ..) => {}
    }
    if let Some(url) = proxy.and_then(|proxy| Url::parse(&proxy.url).ok()) {
        add(at_url(&url, &own, &defaults.cluster_domain));
    }
    if let SignIn::OAuth { introspection_url, .. } = sign_in
        && let (Ok(lenses), Ok(url)) = (&lenses, Url::parse(introspection_url))
        && lenses.origin() != url.origin()
    {
        add(at_url(&url, &own, &defaults.cluster_domain));
    }
    if let Some(url) =
        server.spec.observability.tracing.as_ref().and_then(|to| Url::parse(&to.otlp_endpoint).ok())
    {
        add(at_url(&url, &own, &defaults.cluster_domain));
    }
    all
}

/// Behind this port of a Service.
fn behind_service(namespace: &str, service: &Service, url: &Url) -> Vec<Destination> {
    let (Some(spec), Some(number)) = (&service.spec, url.port_or_known_default()) else {
        return Vec::new();
    };
    let port = spec.ports.iter().flatten().find(|port| port.port == i32::from(number));
    let target =
        port.and_then(|port| port.target_port.clone()).unwrap_or(IntOrString::Int(number.into()));
    match (&spec.selector, target) {
        (Some(labels), port) if !labels.is_empty() => {
            vec![Destination::Pods {
                namespace: namespace.to_owned(),
                labels: labels.clone(),
                port,
            }]
        }
        // Its endpoints are written by hand, or it stands for a host outside.
        (_, IntOrString::Int(port)) => {
            vec![Destination::Port(u16::try_from(port).unwrap_or(number))]
        }
        (_, IntOrString::String(_)) => vec![Destination::Port(number)],
    }
}

/// At this URL.
fn at_url(url: &Url, own_namespace: &str, cluster_domain: &str) -> Vec<Destination> {
    let Some(port) = url.port_or_known_default() else { return Vec::new() };
    let Some(Host::Domain(host)) = url.host() else { return vec![Destination::Port(port)] };
    let in_cluster =
        host.strip_suffix(&format!(".svc.{cluster_domain}")).or_else(|| host.strip_suffix(".svc"));
    let labels: Vec<_> = in_cluster.unwrap_or(host).split('.').collect();
    match (in_cluster.is_some(), labels.as_slice()) {
        (true, [.., namespace]) => vec![Destination::Namespace((*namespace).to_owned())],
        (false, [_]) => vec![Destination::Namespace(own_namespace.to_owned())],
        // hq.lenses is a Service to a pod, and example.com is not: it cannot be told which this is.
        (false, [_, namespace]) => {
            vec![Destination::Namespace((*namespace).to_owned()), Destination::Port(port)]
        }
        _ => vec![Destination::Port(port)],
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn a_url_tells_a_namespace_or_a_port() {
        let namespace = |name: &str| Destination::Namespace(name.to_owned());
        for (url, destinations) in [
            ("https://hq.example.com", vec![Destination::Port(443)]),
            ("http://hq.example.com", vec![Destination::Port(80)]),
            ("https://hq.example.com:8443/x", vec![Destination::Port(8443)]),
            ("http://10.0.0.7:9991", vec![Destination::Port(9991)]),
            ("http://[fd00::1]:9991", vec![Destination::Port(9991)]),
            ("http://hq:9991", vec![namespace("tools")]),
            ("http://hq.lenses.svc:9991", vec![namespace("lenses")]),
            ("http://hq.lenses.svc.cluster.local", vec![namespace("lenses")]),
            ("http://hq-0.hq.lenses.svc", vec![namespace("lenses")]),
            ("http://hq.lenses:9991", vec![namespace("lenses"), Destination::Port(9991)]),
            ("http://hq.lenses.svc.other.domain", vec![Destination::Port(80)]),
        ] {
            assert_eq!(
                at_url(&Url::parse(url).unwrap(), "tools", "cluster.local"),
                destinations,
                "{url}"
            );
        }
    }

    #[test]
    fn a_service_tells_its_pods_and_their_port() {
        let labels = BTreeMap::from([("app".to_owned(), "hq".to_owned())]);
        let pods = |port| {
            vec![Destination::Pods { namespace: "lenses".to_owned(), labels: labels.clone(), port }]
        };
        let ports = |target: Value| {
            json!({
                "selector": { "app": "hq" }, "ports": [{ "port": 80, "targetPort": target }]
            })
        };
        for (spec, destinations) in [
            (ports(json!(9991)), pods(IntOrString::Int(9991))),
            (ports(json!("http")), pods(IntOrString::String("http".to_owned()))),
            (
                json!({ "selector": { "app": "hq" }, "ports": [{ "port": 80 }] }),
                pods(IntOrString::Int(80)),
            ),
            (
                json!({ "ports": [{ "port": 80, "targetPort": 9991 }] }),
                vec![Destination::Port(9991)],
            ),
            (
                json!({ "type": "ExternalName", "externalName": "hq.example.com" }),
                vec![Destination::Port(80)],
            ),
        ] {
            let service = serde_json::from_value(json!({ "spec": spec })).unwrap();
            let url = Url::parse("http://hq.lenses.svc").unwrap();
            assert_eq!(behind_service("lenses", &service, &url), destinations, "{spec}");
        }
    }
}
