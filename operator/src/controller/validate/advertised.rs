//! `MCP_ADVERTISED_URL`: the server as clients reach it, without `/mcp` and without a slash at its
//! end.

use lenses_mcp_crds::{DerivedSetting, LensesMcpServer, ServiceType};

use super::{
    Rejection,
    addresses::{checked, service_port},
};
use crate::controller::observed::Dereferenced;

/// The URL, and whether it is one for the time being only.
pub(super) struct Advertised {
    pub(super) url: String,
    /// Whether the Service's load balancer is yet to be given the address that belongs here.
    pub(super) awaits_address: bool,
}

/// As written, or from the first that the spec has of: route, Ingress, load balancer, Service. TLS
/// ends somewhere on the way to a route's host, since clients are not told plain http outside of
/// the cluster.
pub(super) fn advertised(
    server: &LensesMcpServer,
    service_names: &[String],
    found: &Dereferenced,
    derived: &mut Vec<DerivedSetting>,
    rejections: &mut Vec<Rejection>,
) -> Option<Advertised> {
    let endpoint = &server.spec.endpoint;
    if let Some(url) = &endpoint.url {
        let url = checked("spec.endpoint.url", url, rejections)?.trim_end_matches('/').to_owned();
        return Some(Advertised { url, awaits_address: false });
    }
    let published =
        |host: &str, path: &str| format!("https://{host}{path}").trim_end_matches('/').to_owned();
    let routed = endpoint
        .http_route
        .as_ref()
        .and_then(|route| Some(published(route.hostnames.first()?, &route.path)));
    let ingress = endpoint.ingress.as_ref().map(|ingress| published(&ingress.host, &ingress.path));
    let (scheme, default_port) = if endpoint.tls.is_some() { ("https", 443) } else { ("http", 80) };
    let direct = |host: &str| match service_port(server) {
        port if port == default_port => format!("{scheme}://{host}"),
        port => format!("{scheme}://{host}:{port}"),
    };
    let balanced = endpoint.service.type_ == ServiceType::LoadBalancer;
    let address = balanced.then(|| load_balancer(found)).flatten().map(|host| direct(&host));
    let awaits_address = balanced && routed.is_none() && ingress.is_none() && address.is_none();
    let name = direct(service_names.last()?);
    let (url, rule) = match (routed, ingress, address) {
        (Some(url), _, _) => (url, "https, the first host and the path of spec.endpoint.httpRoute"),
        (None, Some(url), _) => (url, "https, the host and the path of spec.endpoint.ingress"),
        (None, None, Some(url)) => (url, "the address of the Service's load balancer"),
        (None, None, None) if balanced => {
            (name, "the DNS name of the Service, until its load balancer has an address")
        }
        (None, None, None) => {
            (name, "the DNS name of the Service, since spec.endpoint says nothing else")
        }
    };
    derived.push(DerivedSetting {
        setting: "MCP_ADVERTISED_URL".to_owned(),
        value: url.clone(),
        rule: rule.to_owned(),
    });
    Some(Advertised { url, awaits_address })
}

/// The address that the Service's load balancer was given: a name before a number, since
/// certificates are for names.
fn load_balancer(found: &Dereferenced) -> Option<String> {
    let status = found.children.service.own()?.status.as_ref()?;
    let addresses = status.load_balancer.as_ref()?.ingress.as_deref().unwrap_or_default();
    let name = addresses.iter().find_map(|address| address.hostname.clone());
    let number = || addresses.iter().find_map(|address| address.ip.clone());
    name.or_else(number).map(|host| if host.contains(':') { format!("[{host}]") } else { host })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::{Value, json};

    use crate::controller::{
        fixtures::{defaults, found, server},
        observed::Ownership,
        validate::{ValidServer, validate},
    };

    fn with(endpoint: &Value, addresses: &Value) -> ValidServer {
        let server = server(&json!({
            "lenses": { "url": "https://hq.example.com" },
            "auth": { "oauth": {} },
            "endpoint": endpoint,
        }));
        let service = json!({ "status": { "loadBalancer": { "ingress": addresses } } });
        let mut found = found();
        found.children.service = Ownership::Own(Arc::new(serde_json::from_value(service).unwrap()));
        validate(&server, &found, &defaults())
            .unwrap_or_else(|rejections| panic!("{}", rejections.message()))
    }

    fn derived(endpoint: &Value, addresses: &Value) -> (String, String) {
        let server = with(endpoint, addresses);
        let derived = server.derived.iter().find(|derived| derived.setting == "MCP_ADVERTISED_URL");
        (
            server.endpoint.advertised_url.clone(),
            derived.map(|derived| derived.rule.clone()).unwrap_or_default(),
        )
    }

    #[test]
    fn the_url_is_derived_by_the_first_rule_that_applies() {
        let certificate = json!({ "secretName": "certificate" });
        let route = json!({
            "parentRefs": [{ "name": "gw" }], "hostnames": ["a.example.com", "b.example.com"],
            "path": "/team"
        });
        let ingress = json!({ "host": "mcp.example.com" });
        let balancer = json!({ "type": "LoadBalancer" });
        let ip = json!([{ "ip": "203.0.113.7" }]);
        for (endpoint, addresses, url, rule) in [
            (
                json!({ "url": "https://x.example.com/team/", "httpRoute": route }),
                &ip,
                "https://x.example.com/team",
                "",
            ),
            (
                json!({ "httpRoute": route, "service": balancer }),
                &ip,
                "https://a.example.com/team",
                "httpRoute",
            ),
            (
                json!({ "ingress": ingress, "service": balancer }),
                &ip,
                "https://mcp.example.com",
                "ingress",
            ),
            (
                json!({ "tls": certificate, "service": balancer }),
                &ip,
                "https://203.0.113.7",
                "load balancer",
            ),
            (
                json!({ "tls": certificate, "service": { "type": "LoadBalancer", "port": 8443 } }),
                &json!([{ "ip": "2001:db8::7" }]),
                "https://[2001:db8::7]:8443",
                "load balancer",
            ),
            (
                json!({ "tls": certificate, "service": balancer }),
                &json!([{ "ip": "203.0.113.7" }, { "hostname": "lb.example.com" }]),
                "https://lb.example.com",
                "load balancer",
            ),
            (
                json!({ "tls": certificate }),
                &json!([]),
                "https://team-mcp.tools.svc.cluster.local",
                "the DNS name of the Service, since spec.endpoint says nothing else",
            ),
            (
                json!({ "service": { "port": 8080 } }),
                &ip,
                "http://team-mcp.tools.svc.cluster.local:8080",
                "DNS name",
            ),
        ] {
            let (found, said) = derived(&endpoint, addresses);
            assert_eq!(found, url, "{endpoint}");
            assert!(said.contains(rule), "{endpoint} gave {said:?}");
        }
    }

    #[test]
    fn the_dns_name_is_advertised_until_a_load_balancer_has_an_address() {
        let endpoint = json!({
            "tls": { "secretName": "certificate" }, "service": { "type": "LoadBalancer" }
        });
        let server = with(&endpoint, &json!([]));
        assert!(server.endpoint.awaits_address);
        assert_eq!(server.endpoint.advertised_url, "https://team-mcp.tools.svc.cluster.local");
        assert!(!with(&endpoint, &json!([{ "ip": "203.0.113.7" }])).endpoint.awaits_address);
        let routed = json!({
            "ingress": { "host": "mcp.example.com" }, "service": { "type": "LoadBalancer" }
        });
        assert!(!with(&routed, &json!([])).endpoint.awaits_address);
    }
}
