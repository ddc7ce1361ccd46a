//! How the server is published, and the URLs that clients and browsers get.

use serde_json::{Value, json};

use super::{good_but_for, refusals, spec, with_advertised, with_endpoint};

#[test]
fn every_way_of_publishing_is_accepted() {
    let certificate = json!({ "secretName": "certificate" });
    let ingress = json!({ "host": "mcp.example.com" });
    let under_path = json!({ "host": "mcp.example.com", "path": "/team-a" });
    let route = json!({
        "parentRefs": [{ "name": "gw" }], "hostnames": ["a.example.com", "b.example.com"],
        "path": "/team-a"
    });
    for endpoint in [
        json!({ "ingress": ingress }),
        json!({ "ingress": ingress, "url": "https://mcp.example.com" }),
        json!({ "ingress": ingress, "url": "https://mcp.example.com:8443/" }),
        json!({ "ingress": { "host": "mcp.localhost" }, "url": "http://mcp.localhost:8088" }),
        json!({ "ingress": under_path, "url": "https://mcp.example.com/team-a" }),
        json!({ "ingress": under_path, "url": "https://mcp.example.com/team-a/" }),
        json!({ "httpRoute": route }),
        json!({ "httpRoute": route, "url": "https://b.example.com/team-a" }),
        json!({ "tls": certificate, "service": { "type": "LoadBalancer" } }),
        json!({ "url": "https://mcp.example.com", "service": { "type": "LoadBalancer" } }),
        json!({ "url": "https://mcp.example.com", "service": {
            "type": "LoadBalancer",
            "loadBalancerClass": "service.k8s.aws/nlb",
            "loadBalancerSourceRanges": ["203.0.113.0/24", "2001:db8::/32"],
            "externalTrafficPolicy": "Local",
        } }),
        json!({ "service": { "type": "NodePort", "externalTrafficPolicy": "Local" } }),
    ] {
        assert_eq!(
            refusals("lenses-mcp", &good_but_for("endpoint", endpoint.clone())),
            "",
            "{endpoint}"
        );
    }
}

#[test]
fn an_endpoint_that_clients_could_not_reach_is_refused_with_the_remedy() {
    let ingress = json!({ "host": "mcp.example.com" });
    let under_path = json!({ "host": "mcp.example.com", "path": "/team-a" });
    let route = json!({
        "parentRefs": [{ "name": "gw" }], "hostnames": ["a.example.com", "b.example.com"],
        "path": "/team-a"
    });
    for (endpoint, said) in [
        (
            json!({ "ingress": ingress, "httpRoute": route }),
            "one of endpoint.ingress and endpoint.httpRoute",
        ),
        (
            json!({ "ingress": ingress, "url": "https://other.example.com" }),
            "write the host and the path of the ingress",
        ),
        (
            json!({ "ingress": ingress, "url": "https://mcp.example.com.evil.example" }),
            "write the host and the path",
        ),
        (
            json!({ "ingress": ingress, "url": "https://mcp.example.com/team-a" }),
            "write the host and the path",
        ),
        (
            json!({ "ingress": under_path, "url": "https://mcp.example.com" }),
            "write the host and the path",
        ),
        (
            json!({ "ingress": under_path, "url": "https://mcp.example.com/team-ab" }),
            "write the host and the path",
        ),
        (
            json!({ "httpRoute": route, "url": "https://c.example.com/team-a" }),
            "write one of its hostnames and its path",
        ),
        (
            json!({ "httpRoute": route, "url": "https://a.example.com" }),
            "write one of its hostnames and its path",
        ),
        (json!({ "ingress": { "host": "mcp.example.com", "path": "/mcp" } }), "leave /mcp out"),
        (
            json!({ "service": { "type": "LoadBalancer" } }),
            "write endpoint.tls, or, where TLS ends at the load balancer, endpoint.url",
        ),
        (json!({ "service": { "loadBalancerClass": "x" } }), "need type: LoadBalancer"),
        (
            json!({
                "service": { "type": "NodePort", "loadBalancerSourceRanges": ["10.0.0.0/8"] }
            }),
            "need type: LoadBalancer",
        ),
        (
            json!({ "service": { "externalTrafficPolicy": "Local" } }),
            "needs type: LoadBalancer or NodePort",
        ),
    ] {
        let refusals = refusals("lenses-mcp", &good_but_for("endpoint", endpoint.clone()));
        assert!(refusals.contains(said), "{endpoint} gave {refusals:?}");
    }
}

#[test]
fn certificates_are_in_one_place() {
    let key = json!({ "name": "ca", "key": "ca.crt" });
    let lenses = |bundle: Value| json!({ "url": "https://hq.example.com", "caBundle": bundle });
    for bundle in [json!({ "configMapKeyRef": key }), json!({ "secretKeyRef": key })] {
        assert_eq!(
            refusals("lenses-mcp", &good_but_for("lenses", lenses(bundle.clone()))),
            "",
            "{bundle}"
        );
    }
    for bundle in [json!({}), json!({ "configMapKeyRef": key, "secretKeyRef": key })] {
        let refusals = refusals("lenses-mcp", &good_but_for("lenses", lenses(bundle)));
        assert!(
            refusals.contains("exactly one of caBundle.configMapKeyRef and caBundle.secretKeyRef"),
            "{refusals}"
        );
    }
}

#[test]
fn urls_that_stand_alone_are_accepted_as_advertised() {
    for url in [
        "https://mcp.example.com",
        "https://mcp.example.com/",
        "https://mcp.example.com:8443/team-a",
        "https://mcp.example.com/mcp-servers",
        "http://localhost:8000",
        "http://127.0.0.1:8000",
        "http://127.1.2.3",
        "http://[::1]:8000",
        "http://app.localhost:3000",
        "http://lenses-mcp",
        "http://lenses-mcp:8080/x",
        "http://lenses-mcp.lenses.svc",
        "http://lenses-mcp.lenses.svc.cluster.local:80",
    ] {
        assert_eq!(refusals("lenses-mcp", &with_endpoint(url)), "", "endpoint.url {url}");
        assert_eq!(refusals("lenses-mcp", &with_advertised(url)), "", "lenses.advertisedUrl {url}");
    }
}

#[test]
fn urls_that_would_mislead_or_leak_are_refused_as_advertised() {
    for (url, said) in [
        ("https://mcp.example.com/mcp", "leave /mcp out"),
        ("https://mcp.example.com/mcp/", "leave /mcp out"),
        ("https://mcp.example.com/x/mcp", "leave /mcp out"),
        ("https://mcp.example.com?a=b", "absolute http or https URL"),
        ("https://mcp.example.com/#x", "absolute http or https URL"),
        ("https://me:secret@mcp.example.com", "absolute http or https URL"),
        ("mcp.example.com", "absolute http or https URL"),
        ("/mcp-server", "absolute http or https URL"),
        ("ftp://mcp.example.com", "absolute http or https URL"),
        ("https://", "absolute http or https URL"),
        ("", "absolute http or https URL"),
        ("http://mcp.example.com", "plain http"),
        ("http://127.evil.example", "plain http"),
        ("http://127.0.0.1.example.com", "plain http"),
        ("http://localhost.example.com", "plain http"),
        ("http://hq.lenses", "plain http"),
        ("http://10.0.0.1:8000", "plain http"),
        ("http://svc", ""),
    ] {
        for (field, spec) in
            [("endpoint.url", with_endpoint(url)), ("lenses.advertisedUrl", with_advertised(url))]
        {
            let refusals = refusals("lenses-mcp", &spec);
            assert!(refusals.contains(said), "{field} {url:?} gave {refusals:?}");
        }
    }
}

#[test]
fn lenses_url_may_be_plain_http_but_must_be_a_bare_url() {
    for url in ["http://hq.example.com:9991", "http://10.0.0.1", "http://hq.lenses.svc/prefix"] {
        let spec = spec(
            json!({ "url": url, "advertisedUrl": "https://hq.example.com" }),
            json!({ "oauth": {} }),
        );
        assert_eq!(refusals("lenses-mcp", &spec), "", "{url}");
    }
    for url in ["hq:9991", "http://hq?x", "http://u:p@hq", "http://hq#x", "http:///x", "http://h q"]
    {
        let spec = spec(
            json!({ "url": url, "advertisedUrl": "https://hq.example.com" }),
            json!({ "oauth": {} }),
        );
        assert!(refusals("lenses-mcp", &spec).contains("absolute http or https URL"), "{url}");
    }
}
