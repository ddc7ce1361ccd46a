//! Specs whose `endpoint` is bad.

use serde_json::{Value, json};

use super::Bad;

#[expect(clippy::too_many_lines, reason = "it is one table")]
pub(super) fn parts() -> Vec<Bad> {
    const NO_MATCH: &str = "should match";
    let endpoint = |value: Value| json!({"endpoint": value});
    let service = |value: Value| json!({"endpoint": {"service": value}});
    let ingress = |value: Value| json!({"endpoint": {"ingress": value}});
    let route = |hostnames: Value, path: &str| {
        json!({
            "parentRefs": [{"name": "gw"}], "hostnames": hostnames, "path": path
        })
    };
    vec![
        (
            "an Ingress and a route",
            endpoint(json!({
                "ingress": {"host": "a.example.com"},
                "httpRoute": route(json!(["a.example.com"]), "/")
            })),
            "one of endpoint.ingress and endpoint.httpRoute",
        ),
        ("an Ingress without a host", ingress(json!({})), "host: Required value"),
        ("an Ingress for every host", ingress(json!({"host": "*.example.com"})), NO_MATCH),
        ("an Ingress of a URL", ingress(json!({"host": "https://a.example.com"})), NO_MATCH),
        (
            "an Ingress path without its slash",
            ingress(json!({"host": "a.example.com", "path": "a"})),
            NO_MATCH,
        ),
        (
            "an Ingress path that ends with a slash",
            ingress(json!({"host": "a.example.com", "path": "/a/"})),
            NO_MATCH,
        ),
        (
            "an Ingress path that is hidden",
            ingress(json!({"host": "a.example.com", "path": "/.well-known"})),
            NO_MATCH,
        ),
        (
            "an Ingress path with /mcp",
            ingress(json!({"host": "a.example.com", "path": "/a/mcp"})),
            "leave /mcp out",
        ),
        (
            "an Ingress with a certificate of no Secret",
            ingress(json!({"host": "a.example.com", "tls": {}})),
            "secretName: Required value",
        ),
        (
            "a URL of another host than the Ingress",
            endpoint(json!({"url": "https://b.example.com", "ingress": {"host": "a.example.com"}})),
            "write the host and the path of the ingress",
        ),
        (
            "a URL of another path than the Ingress",
            endpoint(json!({
                "url": "https://a.example.com",
                "ingress": {"host": "a.example.com", "path": "/a"}
            })),
            "write the host and the path of the ingress",
        ),
        (
            "a route of no Gateway",
            endpoint(json!({"httpRoute": {"hostnames": ["a.example.com"]}})),
            "parentRefs: Required value",
        ),
        (
            "a route of an empty list of Gateways",
            endpoint(json!({"httpRoute": {"parentRefs": [], "hostnames": ["a.example.com"]}})),
            "at least 1 items",
        ),
        (
            "a route for no host",
            endpoint(json!({"httpRoute": route(json!([]), "/")})),
            "at least 1 items",
        ),
        (
            "a route for a host twice",
            endpoint(json!({"httpRoute": route(json!(["a.example.com", "a.example.com"]), "/")})),
            "Duplicate value",
        ),
        (
            "a route with /mcp",
            endpoint(json!({"httpRoute": route(json!(["a.example.com"]), "/mcp")})),
            "leave /mcp out",
        ),
        (
            "a URL of another host than the route",
            endpoint(json!({
                "url": "https://c.example.com",
                "httpRoute": route(json!(["a.example.com", "b.example.com"]), "/")
            })),
            "write one of its hostnames and its path",
        ),
        (
            "a URL of another path than the route",
            endpoint(json!({
                "url": "https://a.example.com/b",
                "httpRoute": route(json!(["a.example.com"]), "/a")
            })),
            "write one of its hostnames and its path",
        ),
        ("a certificate of no Secret", endpoint(json!({"tls": {}})), "secretName: Required value"),
        (
            "an origin with a path",
            endpoint(json!({"allowedOrigins": ["https://a.example.com/x"]})),
            NO_MATCH,
        ),
        (
            "a load balancer in the clear",
            service(json!({"type": "LoadBalancer"})),
            "write endpoint.tls, or, where TLS ends",
        ),
        (
            "a type that is none",
            service(json!({"type": "ExternalName"})),
            "supported values: \"ClusterIP\", \"NodePort\", \"LoadBalancer\"",
        ),
        ("port 0", service(json!({"port": 0})), "greater than or equal to 1"),
        ("port 70000", service(json!({"port": 70000})), "less than or equal to 65535"),
        (
            "a load balancer's class without one",
            service(json!({"loadBalancerClass": "x"})),
            "need type: LoadBalancer",
        ),
        (
            "a load balancer's sources without one",
            service(json!({"type": "NodePort", "loadBalancerSourceRanges": ["203.0.113.0/24"]})),
            "need type: LoadBalancer",
        ),
        (
            "a source that is no range",
            endpoint(json!({
                "tls": {"secretName": "t"},
                "service": {"type": "LoadBalancer", "loadBalancerSourceRanges": ["203.0.113.7"]}
            })),
            NO_MATCH,
        ),
        (
            "outside traffic to an inside Service",
            service(json!({"externalTrafficPolicy": "Local"})),
            "needs type: LoadBalancer or NodePort",
        ),
        (
            "a traffic policy that is none",
            service(json!({"type": "NodePort", "externalTrafficPolicy": "Nearest"})),
            "supported values: \"Cluster\", \"Local\"",
        ),
    ]
}
