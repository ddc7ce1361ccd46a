//! What `kubectl apply` accepts and refuses, and that each refusal says what to write. The rules run here as they run in
//! the API server, defaults first.

#![expect(clippy::unwrap_used, clippy::needless_pass_by_value, reason = "tables are read more easily so")]

use std::sync::LazyLock;

use kube::core::cel::Validator;
use lenses_mcp_crds::schema::custom_resource_definition;
use serde_json::{Value, json};

static SCHEMA: LazyLock<Value> = LazyLock::new(|| {
    let crd = serde_json::to_value(custom_resource_definition()).unwrap();
    crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"].clone()
});

/// All messages of the rules that the resource breaks, in one line.
fn refusals(name: &str, spec: &Value) -> String {
    let object = json!({
        "apiVersion": "mcp.lenses.io/v1alpha1",
        "kind": "LensesMcpServer",
        "metadata": { "name": name, "namespace": "lenses" },
        "spec": spec,
    });
    Validator::new().validate(&SCHEMA, &object, None).map_or_else(|errors| errors.to_string(), |()| String::new())
}

fn spec(lenses: Value, auth: Value) -> Value {
    json!({ "lenses": lenses, "auth": auth })
}

fn with_endpoint(url: &str) -> Value {
    json!({ "lenses": { "url": "https://hq.example.com" }, "auth": { "oauth": {} }, "endpoint": { "url": url } })
}

fn with_advertised(url: &str) -> Value {
    spec(json!({ "url": "http://hq:9991", "advertisedUrl": url }), json!({ "oauth": {} }))
}

fn api_key(callers: Value) -> Value {
    let key = json!({ "name": "hq", "key": "token" });
    spec(json!({ "url": "http://hq:9991" }), json!({ "apiKey": { "secretKeyRef": key, "callers": callers } }))
}

#[test]
fn good_manifests_are_accepted() {
    let service = json!({ "name": "hq", "port": "http" });
    let token = json!({ "name": "caller", "key": "token" });
    for spec in [
        spec(json!({ "url": "https://lenses.example.com" }), json!({ "oauth": {} })),
        spec(json!({ "url": "https://lenses.example.com/prefix" }), json!({ "oauth": { "scopes": ["read"] } })),
        spec(json!({ "url": "http://hq.lenses.svc:9991" }), json!({ "oauth": {} })),
        spec(json!({ "serviceRef": service, "advertisedUrl": "https://hq.example.com" }), json!({ "oauth": {} })),
        spec(
            json!({ "url": "https://hq.example.com" }),
            json!({ "oauth": { "introspection": { "cacheTtl": "30s" } } }),
        ),
        spec(json!({ "url": "https://hq.example.com" }), json!({ "oauth": { "introspection": { "cacheTtl": "1h" } } })),
        api_key(json!({ "tokenSecretRef": token })),
        api_key(json!({ "anyone": true })),
        api_key(json!({ "tokenSecretRef": token, "anyone": false })),
        // Without OAuth no browser is sent to HQ, so its inside address is all there is.
        spec(
            json!({ "serviceRef": service }),
            json!({ "apiKey": { "secretKeyRef": { "name": "hq", "key": "token" }, "callers": { "anyone": true } } }),
        ),
    ] {
        assert_eq!(refusals("lenses-mcp", &spec), "", "{spec}");
    }
}

#[test]
fn a_contradictory_manifest_is_refused_with_what_to_write() {
    let key = json!({ "secretKeyRef": { "name": "hq", "key": "token" }, "callers": { "anyone": true } });
    let url = json!({ "url": "https://hq.example.com" });
    let service = json!({ "name": "hq", "port": 80 });
    let token = json!({ "name": "caller", "key": "token" });
    for (spec, said) in [
        (json!({ "lenses": url }), "exactly one of auth.oauth ({} is enough) and auth.apiKey"),
        (spec(url.clone(), json!({})), "exactly one of auth.oauth ({} is enough) and auth.apiKey"),
        (spec(url.clone(), json!({ "oauth": {}, "apiKey": key })), "exactly one of auth.oauth"),
        (spec(json!({}), json!({ "oauth": {} })), "exactly one of lenses.url and lenses.serviceRef"),
        (
            spec(json!({ "url": "https://hq.example.com", "serviceRef": service }), json!({ "oauth": {} })),
            "exactly one of lenses.url and lenses.serviceRef",
        ),
        (spec(json!({ "serviceRef": service }), json!({ "oauth": {} })), "needs lenses.advertisedUrl"),
        (spec(json!({ "url": "http://hq.example.com" }), json!({ "oauth": {} })), "add lenses.advertisedUrl"),
        (api_key(json!({})), "exactly one of callers.tokenSecretRef and callers.anyone"),
        (api_key(json!({ "anyone": false })), "exactly one of callers.tokenSecretRef and callers.anyone"),
        (api_key(json!({ "anyone": true, "tokenSecretRef": token })), "exactly one of callers.tokenSecretRef"),
        (spec(url.clone(), json!({ "oauth": { "introspection": { "cacheTtl": "2h" } } })), "a duration from 0s to 1h"),
    ] {
        let refusals = refusals("lenses-mcp", &spec);
        assert!(refusals.contains(said), "{spec} gave {refusals:?}");
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
        for (field, spec) in [("endpoint.url", with_endpoint(url)), ("lenses.advertisedUrl", with_advertised(url))] {
            let refusals = refusals("lenses-mcp", &spec);
            assert!(refusals.contains(said), "{field} {url:?} gave {refusals:?}");
        }
    }
}

#[test]
fn lenses_url_itself_may_be_plain_http_but_must_be_a_bare_url() {
    for url in ["http://hq.example.com:9991", "http://10.0.0.1", "http://hq.lenses.svc/prefix"] {
        let spec = spec(json!({ "url": url, "advertisedUrl": "https://hq.example.com" }), json!({ "oauth": {} }));
        assert_eq!(refusals("lenses-mcp", &spec), "", "{url}");
    }
    for url in ["hq:9991", "http://hq?x", "http://u:p@hq", "http://hq#x", "http:///x", "http://h q"] {
        let spec = spec(json!({ "url": url, "advertisedUrl": "https://hq.example.com" }), json!({ "oauth": {} }));
        assert!(refusals("lenses-mcp", &spec).contains("absolute http or https URL"), "{url}");
    }
}

#[test]
fn a_name_that_no_service_can_have_is_refused() {
    let good = spec(json!({ "url": "https://hq.example.com" }), json!({ "oauth": {} }));
    for name in ["lenses-mcp", "a", "a1"] {
        assert_eq!(refusals(name, &good), "", "{name}");
    }
    for name in ["1mcp", "a.b", &"a".repeat(64)] {
        assert!(refusals(name, &good).contains("metadata.name becomes a Service's name"), "{name}");
    }
}
