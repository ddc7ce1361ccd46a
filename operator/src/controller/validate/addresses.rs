//! The addresses inside the cluster: HQ as the pods reach it, and the names and the port of the
//! server's own Service.

use k8s_openapi::{api::core::v1::ServicePort, apimachinery::pkg::util::intstr::IntOrString};
use kube::ResourceExt;
use lenses_mcp_crds::{DerivedSetting, Endpoint, LensesMcpServer};
use url::Url;

use super::Rejection;
use crate::{
    context::Defaults, controller::observed::Dereferenced, watching::references::ReferenceKind,
};

const SERVICE_REF: &str = "spec.lenses.serviceRef";

/// `LENSES_URL`: as written, or made from the Service.
pub(super) fn lenses_url(
    server: &LensesMcpServer,
    found: &Dereferenced,
    defaults: &Defaults,
    derived: &mut Vec<DerivedSetting>,
    rejections: &mut Vec<Rejection>,
) -> Option<String> {
    let lenses = &server.spec.lenses;
    if let Some(advertised) = &lenses.advertised_url {
        checked("spec.lenses.advertisedUrl", advertised, rejections)?;
    }
    let reference = match (&lenses.url, &lenses.service_ref) {
        (Some(url), None) => return checked("spec.lenses.url", url, rejections),
        (None, Some(reference)) => reference,
        _ => {
            let message = "write exactly one of url and serviceRef".to_owned();
            rejections.push(Rejection::InvalidSpec { field: "spec.lenses", message });
            return None;
        }
    };
    let namespace = reference.namespace.clone().or_else(|| server.namespace()).unwrap_or_default();
    let name = reference.name.clone();
    let Some(service) = &found.lenses_service else {
        let watched = defaults.namespaces.is_empty() || defaults.namespaces.contains(&namespace);
        let hint = if watched {
            ""
        } else {
            ", as far as this operator sees: it does not watch that namespace"
        };
        let hint = hint.to_owned();
        rejections.push(Rejection::ReferenceNotFound {
            field: SERVICE_REF,
            kind: ReferenceKind::Service.as_str(),
            namespace,
            name,
            hint,
        });
        return None;
    };
    let ports = service.spec.as_ref().and_then(|spec| spec.ports.as_deref()).unwrap_or_default();
    let Some(port) = port(&reference.port, ports) else {
        let port = match &reference.port {
            IntOrString::Int(number) => number.to_string(),
            IntOrString::String(name) if name.parse::<u16>().is_ok() => {
                format!("named {name}: to name a number, write it without quotes")
            }
            IntOrString::String(name) => name.clone(),
        };
        // The author need not be allowed to see Services of other namespaces.
        let has = (server.namespace().as_ref() == Some(&namespace)).then(|| list(ports));
        rejections.push(Rejection::PortNotFound { field: SERVICE_REF, namespace, name, port, has });
        return None;
    };
    let url =
        format!("{}://{name}.{namespace}.svc:{port}{}", reference.scheme.as_str(), reference.path);
    let url = checked(SERVICE_REF, &url, rejections)?;
    derived.push(DerivedSetting {
        setting: "LENSES_URL".to_owned(),
        value: url.clone(),
        rule: format!("Service {namespace}/{name}, port {}", written(&reference.port, port)),
    });
    Some(url)
}

/// The port of the Service: as written, or that of its scheme.
pub(super) fn service_port(server: &LensesMcpServer) -> i32 {
    let endpoint = &server.spec.endpoint;
    endpoint.service.port.unwrap_or(if endpoint.tls.is_some() { 443 } else { 80 })
}

/// The names by which a Service is called, the full one last.
pub(super) fn service_names(name: &str, namespace: &str, cluster_domain: &str) -> Vec<String> {
    vec![
        name.to_owned(),
        format!("{name}.{namespace}"),
        format!("{name}.{namespace}.svc"),
        format!("{name}.{namespace}.svc.{cluster_domain}"),
    ]
}

/// `MCP_ALLOWED_HOSTS`: every host that leads to the server, besides that of its public URL.
pub(super) fn allowed_hosts(
    service_names: &[String],
    endpoint: &Endpoint,
    derived: &mut Vec<DerivedSetting>,
) -> Vec<String> {
    let route = endpoint.http_route.as_ref();
    let hosts: Vec<_> = service_names
        .iter()
        .chain(route.into_iter().flat_map(|route| &route.hostnames))
        .cloned()
        .collect();
    let of_route = if route.is_some() { " and spec.endpoint.httpRoute.hostnames" } else { "" };
    derived.push(DerivedSetting {
        setting: "MCP_ALLOWED_HOSTS".to_owned(),
        value: hosts.join(","),
        rule: format!("the DNS names of the Service{of_route}"),
    });
    hosts
}

/// The URL as it was written, if it is one; the schema's pattern lets through a few that are not,
/// such as port 70000.
pub(super) fn checked(
    field: &'static str,
    url: &str,
    rejections: &mut Vec<Rejection>,
) -> Option<String> {
    match Url::parse(url) {
        Ok(_) => Some(url.to_owned()),
        Err(error) => {
            let message = format!(
                "{url:?} is not a URL: {error}; write one such as https://lenses.example.com"
            );
            rejections.push(Rejection::InvalidSpec { field, message });
            None
        }
    }
}

/// A Service without any port (an `ExternalName`, as a rule) leaves the number to the author.
fn port(wanted: &IntOrString, ports: &[ServicePort]) -> Option<i32> {
    match wanted {
        IntOrString::Int(number) if ports.is_empty() && (1..=65535).contains(number) => {
            Some(*number)
        }
        IntOrString::Int(number) => {
            ports.iter().find(|port| port.port == *number).map(|port| port.port)
        }
        IntOrString::String(name) => {
            ports.iter().find(|port| port.name.as_ref() == Some(name)).map(|port| port.port)
        }
    }
}

fn list(ports: &[ServicePort]) -> String {
    if ports.is_empty() {
        return "none".to_owned();
    }
    ports.iter().map(described).collect::<Vec<_>>().join(", ")
}

/// A port as the author wrote it, and its number: its name is not for whoever wrote the number.
fn written(port: &IntOrString, number: i32) -> String {
    match port {
        IntOrString::Int(_) => number.to_string(),
        IntOrString::String(name) => format!("{name} ({number})"),
    }
}

fn described(port: &ServicePort) -> String {
    match &port.name {
        Some(name) => format!("{name} ({})", port.port),
        None => port.port.to_string(),
    }
}
