//! What was seen, judged link by link. Pure.

use k8s_openapi::api::{core::v1::Service, discovery::v1::EndpointSlice, networking::v1::Ingress};
use lenses_mcp_crds::{LensesMcpServer, VerificationMode};
use serde_json::Value;
use url::Url;

use super::Link;
use crate::probe::{AuthorizationServer, Callers, Endpoint, Lenses};

/// What is called: HQ, and the endpoint.
#[derive(Debug)]
pub(super) struct Target {
    pub(super) lenses: Lenses,
    pub(super) endpoint: Endpoint,
}

/// What the operator itself says: each condition that is not as it must be, or that all are.
pub(super) fn conditions(server: &LensesMcpServer) -> Vec<Link> {
    const LINK: &str = "resource";
    let Some(status) = server.status.as_ref().filter(|status| !status.conditions.is_empty()) else {
        let found =
            "the operator has said nothing of it: is it running, and does it watch this namespace?";
        return vec![Link::broken(LINK, found)];
    };
    if status.observed_generation != server.metadata.generation {
        return vec![Link::broken(
            LINK,
            "the operator has not taken up the latest change yet: is it running?",
        )];
    }
    let bad = status.conditions.iter().filter(|condition| match condition.type_.as_str() {
        "Reconciling" | "Stalled" | "Ready" => false,
        _ => condition.status != "True",
    });
    let bad: Vec<_> = bad
        .map(|condition| {
            let found = format!("{}: {}: {}", condition.type_, condition.reason, condition.message);
            if condition.status == "False" {
                Link::broken(LINK, found)
            } else {
                Link::not_seen(LINK, found)
            }
        })
        .collect();
    if bad.is_empty() { vec![Link::ok(LINK, "every condition of the operator holds")] } else { bad }
}

/// What the status names, as what is to be verified.
pub(super) fn target(server: &LensesMcpServer, namespace: &str) -> Result<Target, Link> {
    let status = server.status.clone().unwrap_or_default();
    let (Some(lenses_url), Some(url)) = (status.lenses_url, status.url) else {
        return Err(Link::not_seen(
            "endpoint",
            "the status names no URL yet, so there is nothing to call",
        ));
    };
    let parsed = |text: &str| {
        text.parse::<Url>()
            .map_err(|error| Link::broken("hq", format!("{text:?} is not a URL: {error}")))
    };
    let derived = |setting: &str| {
        status.derived.iter().find(|derived| derived.setting == setting).map(|d| d.value.clone())
    };
    let authorization_server = match &status.authorization_server {
        None => None,
        Some(issuer) => {
            let written =
                server.spec.auth.oauth.as_ref().and_then(|oauth| oauth.introspection.url.clone());
            let derived = || derived("INTROSPECTION_URL");
            let default = || format!("{}/oauth2/introspect", lenses_url.trim_end_matches('/'));
            let introspection_url = parsed(&written.or_else(derived).unwrap_or_else(default))?;
            let client_registration =
                server.spec.auth.oauth.as_ref().map(|oauth| oauth.client_registration);
            Some(AuthorizationServer {
                issuer: issuer.clone(),
                introspection_url,
                client_registration: client_registration.unwrap_or_default(),
            })
        }
    };
    let callers = match (&status.authorization_server, &server.spec.auth.api_key) {
        (Some(issuer), _) => Callers::SignedIn { issuer: issuer.clone() },
        (None, Some(api_key)) if api_key.callers.anyone => Callers::Anyone,
        (None, _) => Callers::WithToken,
    };
    let name = server.metadata.name.as_deref().unwrap_or_default();
    let (scheme, default_port) =
        if server.spec.endpoint.tls.is_some() { ("https", 443) } else { ("http", 80) };
    let port = server.spec.endpoint.service.port.unwrap_or(default_port);
    Ok(Target {
        lenses: Lenses { url: parsed(&lenses_url)?, authorization_server },
        endpoint: Endpoint {
            url,
            service: parsed(&format!("{scheme}://{name}.{namespace}.svc:{port}"))?,
            mode: VerificationMode::Endpoint,
            callers,
            expected_tools: server.spec.verification.expected_tools_digest.clone(),
        },
    })
}

/// A host without an address. A name of the cluster has none outside of it, which is no fault.
pub(super) fn unresolved(link: &'static str, host: &str, error: &str) -> Link {
    let of_the_cluster = !host.contains('.') || host.split('.').any(|label| label == "svc");
    if of_the_cluster {
        let found = format!(
            "{host} is a name of the cluster and has no address here: run doctor in a pod to look at it"
        );
        return Link::not_seen(link, found);
    }
    Link::broken(link, format!("{host}: {error}: make a DNS record for it, or correct the URL"))
}

/// The Service of the server.
pub(super) fn service(name: &str, service: Option<&Service>) -> Link {
    let Some(service) = service else {
        return Link::broken(
            "service",
            format!(
                "there is no Service {name}: the operator makes it, see the resource's conditions"
            ),
        );
    };
    let spec = service.spec.clone().unwrap_or_default();
    let ports: Vec<_> =
        spec.ports.unwrap_or_default().iter().map(|port| port.port.to_string()).collect();
    let kind = spec.type_.unwrap_or_else(|| "ClusterIP".to_owned());
    let balancer =
        service.status.as_ref().and_then(|status| status.load_balancer.as_ref()?.ingress.as_ref());
    if kind == "LoadBalancer" && balancer.is_none_or(Vec::is_empty) {
        let found = format!(
            "Service {name} waits for an address of a load balancer: does this cluster have one?"
        );
        return Link::broken("service", found);
    }
    Link::ok("service", format!("Service {name}, {kind}, port {}", ports.join(", ")))
}

/// The pods that the Service leads to.
pub(super) fn endpoints(name: &str, slices: &[EndpointSlice]) -> Link {
    let all = slices.iter().flat_map(|slice| &slice.endpoints);
    let is_ready = |endpoint: &&k8s_openapi::api::discovery::v1::Endpoint| {
        endpoint.conditions.as_ref().and_then(|conditions| conditions.ready) != Some(false)
    };
    let (ready, all) = (all.clone().filter(is_ready).count(), all.count());
    match (ready, all) {
        (0, 0) => Link::broken(
            "endpoints",
            format!("Service {name} leads to no pod: see condition Available, and spec.replicas"),
        ),
        (0, all) => Link::broken(
            "endpoints",
            format!("none of {all} pods is ready: see condition Available"),
        ),
        (ready, all) => Link::ok("endpoints", format!("{ready} of {all} pods ready")),
    }
}

/// The Ingress.
pub(super) fn ingress(name: &str, ingress: Option<&Ingress>) -> Link {
    let Some(ingress) = ingress else {
        return Link::broken(
            "route",
            format!(
                "there is no Ingress {name}: the operator makes it, see the resource's conditions"
            ),
        );
    };
    let addresses =
        ingress.status.as_ref().and_then(|status| status.load_balancer.as_ref()?.ingress.as_ref());
    if addresses.is_none_or(Vec::is_empty) {
        let class = ingress.spec.as_ref().and_then(|spec| spec.ingress_class_name.clone());
        let class = class
            .map_or_else(|| "and names no class".to_owned(), |class| format!("of class {class}"));
        return Link::not_seen(
            "route",
            format!(
                "Ingress {name} {class} shows no address: its controller has not taken it up, or does not say so"
            ),
        );
    }
    Link::ok("route", format!("Ingress {name} is taken up by its controller"))
}

/// The `HTTPRoute`, as its Gateways judge it.
pub(super) fn http_route(name: &str, route: Option<&Value>) -> Link {
    let Some(route) = route else {
        return Link::broken(
            "route",
            format!(
                "there is no HTTPRoute {name}: the operator makes it, see the resource's conditions"
            ),
        );
    };
    let parents = route["status"]["parents"].as_array().cloned().unwrap_or_default();
    if parents.is_empty() {
        let found = format!(
            "no Gateway has taken HTTPRoute {name} up: is the one that endpoint.httpRoute.parentRefs names there?"
        );
        return Link::broken("route", found);
    }
    let conditions = parents.iter().flat_map(|parent| {
        let gateway = parent["parentRef"]["name"].as_str().unwrap_or_default();
        let conditions = parent["conditions"].as_array().into_iter().flatten();
        conditions.map(move |condition| (gateway, condition))
    });
    let bad: Vec<_> = conditions
        .filter(|(_, condition)| condition["status"] == "False")
        .map(|(gateway, c)| {
            let text = |field: &str| c[field].as_str().unwrap_or_default().to_owned();
            format!(
                "Gateway {gateway}: {} is False, {}: {}",
                text("type"),
                text("reason"),
                text("message")
            )
        })
        .collect();
    if bad.is_empty() {
        Link::ok("route", format!("HTTPRoute {name} is accepted by its Gateways"))
    } else {
        Link::broken("route", bad.join("; "))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{super::State, *};

    fn server(status: &Value) -> LensesMcpServer {
        serde_json::from_value(json!({
            "apiVersion": "mcp.lenses.io/v1alpha1", "kind": "LensesMcpServer",
            "metadata": { "name": "team-mcp", "generation": 2 },
            "spec": { "lenses": { "url": "http://hq.lenses.svc:9991" }, "auth": { "oauth": {} } },
            "status": status,
        }))
        .unwrap()
    }

    fn condition(kind: &str, status: &str) -> Value {
        json!({ "type": kind, "status": status, "reason": "Why", "message": "what", "lastTransitionTime": "2026-01-01T00:00:00Z" })
    }

    #[test]
    fn what_the_operator_says_is_the_first_link() {
        for (status, state, said) in [
            (json!({}), State::Broken, "is it running"),
            (
                json!({ "observedGeneration": 1, "conditions": [condition("Accepted", "True")] }),
                State::Broken,
                "latest change",
            ),
            (
                json!({ "observedGeneration": 2, "conditions": [condition("Ready", "False"), condition("Available", "False"), condition("Reconciling", "True")] }),
                State::Broken,
                "Available: Why: what",
            ),
            (
                json!({ "observedGeneration": 2, "conditions": [condition("Accepted", "True"), condition("Verified", "Unknown")] }),
                State::NotSeen,
                "Verified: Why: what",
            ),
            (
                json!({ "observedGeneration": 2, "conditions": [condition("Accepted", "True")] }),
                State::Ok,
                "holds",
            ),
        ] {
            let links = conditions(&server(&status));
            assert_eq!(links.len(), 1, "{status}");
            assert_eq!(links[0].state, state, "{status}");
            assert!(links[0].found.contains(said), "{links:?}");
        }
    }

    #[test]
    fn what_is_verified_is_what_the_status_names() {
        let status = json!({ "lensesUrl": "http://hq.lenses.svc:9991", "url": "https://mcp.example.com/mcp", "authorizationServer": "https://hq.example.com" });
        let target = target(&server(&status), "tools").unwrap();
        assert_eq!(target.endpoint.url, "https://mcp.example.com/mcp");
        assert_eq!(target.endpoint.service.as_str(), "http://team-mcp.tools.svc/");
        assert_eq!(
            target.endpoint.callers,
            Callers::SignedIn { issuer: "https://hq.example.com".to_owned() }
        );
        let hq = target.lenses.authorization_server.unwrap();
        assert_eq!(hq.introspection_url.as_str(), "http://hq.lenses.svc:9991/oauth2/introspect");
        assert_eq!(super::target(&server(&json!({})), "tools").unwrap_err().state, State::NotSeen);
    }

    #[test]
    fn a_name_of_the_cluster_is_no_fault_outside_of_it_and_any_other_is() {
        for (host, state) in [
            ("hq", State::NotSeen),
            ("hq.lenses.svc", State::NotSeen),
            ("hq.lenses.svc.cluster.local", State::NotSeen),
            ("mcp.example.com", State::Broken),
        ] {
            assert_eq!(unresolved("dns", host, "no such host").state, state, "{host}");
        }
    }

    #[test]
    fn a_service_without_an_address_or_without_pods_is_broken() {
        let of = |value: Value| serde_json::from_value::<Service>(value).unwrap();
        assert_eq!(service("s", None).state, State::Broken);
        let balanced = json!({ "spec": { "type": "LoadBalancer", "ports": [{ "port": 80 }] } });
        assert_eq!(service("s", Some(&of(balanced))).state, State::Broken);
        let inside = of(json!({ "spec": { "ports": [{ "port": 80 }] } }));
        assert_eq!(
            service("s", Some(&inside)),
            Link::ok("service", "Service s, ClusterIP, port 80")
        );

        let slice = |ready: &[bool]| -> EndpointSlice {
            let endpoints: Vec<_> = ready
                .iter()
                .map(|ready| json!({ "addresses": ["10.0.0.1"], "conditions": { "ready": ready } }))
                .collect();
            serde_json::from_value(json!({ "addressType": "IPv4", "endpoints": endpoints }))
                .unwrap()
        };
        assert_eq!(endpoints("s", &[]).state, State::Broken);
        assert_eq!(endpoints("s", &[slice(&[false])]).state, State::Broken);
        assert_eq!(
            endpoints("s", &[slice(&[true, false]), slice(&[true])]),
            Link::ok("endpoints", "2 of 3 pods ready")
        );
    }

    #[test]
    fn a_route_holds_when_its_gateways_accept_it() {
        assert_eq!(http_route("r", None).state, State::Broken);
        assert_eq!(http_route("r", Some(&json!({}))).state, State::Broken);
        let parent = |status: &str| {
            json!({ "status": { "parents": [{ "parentRef": { "name": "gw" }, "conditions": [
                { "type": "Accepted", "status": status, "reason": "NotAllowedByListeners", "message": "m" },
            ] }] } })
        };
        assert_eq!(http_route("r", Some(&parent("True"))).state, State::Ok);
        let refused = http_route("r", Some(&parent("False")));
        assert_eq!(refused.found, "Gateway gw: Accepted is False, NotAllowedByListeners: m");
        assert_eq!(ingress("i", None).state, State::Broken);
        assert_eq!(ingress("i", Some(&Ingress::default())).state, State::NotSeen);
        let taken_up =
            json!({ "status": { "loadBalancer": { "ingress": [{ "ip": "10.0.0.1" }] } } });
        assert_eq!(ingress("i", Some(&serde_json::from_value(taken_up).unwrap())).state, State::Ok);
    }
}
