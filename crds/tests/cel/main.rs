//! What `kubectl apply` accepts and refuses, and that each refusal says what to write. The rules
//! run here as they run in the API server, defaults first.

#![expect(
    clippy::unwrap_used,
    clippy::needless_pass_by_value,
    reason = "tables are read more easily so"
)]

mod endpoint;
mod pods;

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
    Validator::new()
        .validate(&SCHEMA, &object, None)
        .map_or_else(|errors| errors.to_string(), |()| String::new())
}

/// The same for a change of `old` to `new`.
fn refusals_of_change(old: &Value, new: &Value) -> String {
    let object = |spec: &Value| {
        json!({
            "apiVersion": "mcp.lenses.io/v1alpha1",
            "kind": "LensesMcpServer",
            "metadata": { "name": "lenses-mcp", "namespace": "lenses" },
            "spec": spec,
        })
    };
    let changed = Validator::new().validate(&SCHEMA, &object(new), Some(&object(old)));
    changed.map_or_else(|errors| errors.to_string(), |()| String::new())
}

/// A good spec with one more field.
fn with(field: &str, value: Value) -> Value {
    let mut spec = spec(json!({ "url": "https://hq.example.com" }), json!({ "oauth": {} }));
    spec[field] = value;
    spec
}

fn spec(lenses: Value, auth: Value) -> Value {
    json!({ "lenses": lenses, "auth": auth })
}

fn with_endpoint(url: &str) -> Value {
    json!({
        "lenses": { "url": "https://hq.example.com" }, "auth": { "oauth": {} },
        "endpoint": { "url": url }
    })
}

fn with_advertised(url: &str) -> Value {
    spec(json!({ "url": "http://hq:9991", "advertisedUrl": url }), json!({ "oauth": {} }))
}

fn api_key(callers: Value) -> Value {
    let key = json!({ "name": "hq", "key": "token" });
    spec(
        json!({ "url": "http://hq:9991" }),
        json!({ "apiKey": { "secretKeyRef": key, "callers": callers } }),
    )
}

fn verified(verification: Value) -> Value {
    let mut spec = spec(json!({ "url": "https://hq.example.com" }), json!({ "oauth": {} }));
    spec["verification"] = verification;
    spec
}

fn digest() -> String {
    format!("sha256:{}", "0".repeat(64))
}

#[test]
fn good_manifests_are_accepted() {
    let service = json!({ "name": "hq", "port": "http" });
    let token = json!({ "name": "caller", "key": "token" });
    for spec in [
        spec(json!({ "url": "https://lenses.example.com" }), json!({ "oauth": {} })),
        spec(
            json!({ "url": "https://lenses.example.com/prefix" }),
            json!({ "oauth": { "scopes": ["read"] } }),
        ),
        spec(json!({ "url": "http://hq.lenses.svc:9991" }), json!({ "oauth": {} })),
        spec(
            json!({ "serviceRef": service, "advertisedUrl": "https://hq.example.com" }),
            json!({ "oauth": {} }),
        ),
        spec(
            json!({ "url": "https://hq.example.com" }),
            json!({ "oauth": { "introspection": { "cacheTtl": "30s" } } }),
        ),
        spec(
            json!({ "url": "https://hq.example.com" }),
            json!({ "oauth": { "introspection": { "cacheTtl": "1h" } } }),
        ),
        api_key(json!({ "tokenSecretRef": token })),
        verified(json!({})),
        verified(json!({ "interval": "10s", "credentialSecretRef": token })),
        verified(json!({ "interval": "24h" })),
        verified(json!({ "credentialSecretRef": token, "expectedToolsDigest": digest() })),
        api_key(json!({ "anyone": true })),
        api_key(json!({ "tokenSecretRef": token, "anyone": false })),
        // Without OAuth no browser is sent to HQ, so its inside address is all there is.
        spec(
            json!({ "serviceRef": service }),
            json!({
                "apiKey": {
                    "secretKeyRef": { "name": "hq", "key": "token" }, "callers": { "anyone": true }
                }
            }),
        ),
    ] {
        assert_eq!(refusals("lenses-mcp", &spec), "", "{spec}");
    }
}

#[test]
fn a_contradictory_manifest_is_refused_with_what_to_write() {
    let key =
        json!({ "secretKeyRef": { "name": "hq", "key": "token" }, "callers": { "anyone": true } });
    let url = json!({ "url": "https://hq.example.com" });
    let service = json!({ "name": "hq", "port": 80 });
    let token = json!({ "name": "caller", "key": "token" });
    for (spec, said) in [
        (json!({ "lenses": url }), "exactly one of auth.oauth ({} is enough) and auth.apiKey"),
        (spec(url.clone(), json!({})), "exactly one of auth.oauth ({} is enough) and auth.apiKey"),
        (spec(url.clone(), json!({ "oauth": {}, "apiKey": key })), "exactly one of auth.oauth"),
        (
            spec(json!({}), json!({ "oauth": {} })),
            "exactly one of lenses.url and lenses.serviceRef",
        ),
        (
            spec(
                json!({ "url": "https://hq.example.com", "serviceRef": service }),
                json!({ "oauth": {} }),
            ),
            "exactly one of lenses.url and lenses.serviceRef",
        ),
        (
            spec(json!({ "serviceRef": service }), json!({ "oauth": {} })),
            "needs lenses.advertisedUrl",
        ),
        (
            spec(json!({ "url": "http://hq.example.com" }), json!({ "oauth": {} })),
            "add lenses.advertisedUrl",
        ),
        (api_key(json!({})), "exactly one of callers.tokenSecretRef and callers.anyone"),
        (
            api_key(json!({ "anyone": false })),
            "exactly one of callers.tokenSecretRef and callers.anyone",
        ),
        (
            api_key(json!({ "anyone": true, "tokenSecretRef": token })),
            "exactly one of callers.tokenSecretRef",
        ),
        (
            spec(url.clone(), json!({ "oauth": { "introspection": { "cacheTtl": "2h" } } })),
            "a duration from 0s to 1h",
        ),
        (verified(json!({ "interval": "9s" })), "a duration from 10s to 24h"),
        (verified(json!({ "interval": "25h" })), "a duration from 10s to 24h"),
        (
            verified(json!({ "expectedToolsDigest": digest() })),
            "add verification.credentialSecretRef",
        ),
    ] {
        let refusals = refusals("lenses-mcp", &spec);
        assert!(refusals.contains(said), "{spec} gave {refusals:?}");
    }
}

fn good_but_for(field: &str, part: Value) -> Value {
    let mut spec = spec(json!({ "url": "https://hq.example.com" }), json!({ "oauth": {} }));
    spec[field] = part;
    spec
}

#[test]
fn a_proxy_is_written_down_or_the_operators() {
    let lenses = |proxy: Value| json!({ "url": "https://hq.example.com", "proxy": proxy });
    for proxy in [
        json!({ "url": "http://proxy.example.com:3128" }),
        json!({ "url": "http://[fd00::1]:3128/", "noProxy": [".svc", "10.0.0.0/8"] }),
        json!({ "url": "http://proxy", "credentialsSecretRef": { "name": "proxy" } }),
        json!({ "fromEnvironment": true }),
    ] {
        let refusals = refusals("lenses-mcp", &good_but_for("lenses", lenses(proxy.clone())));
        assert_eq!(refusals, "", "{proxy}");
    }
    for (proxy, remedy) in [
        (json!({}), "exactly one of proxy.url and proxy.fromEnvironment"),
        (json!({ "fromEnvironment": false }), "exactly one of proxy.url"),
        (json!({ "url": "http://proxy", "fromEnvironment": true }), "exactly one of proxy.url"),
        (json!({ "fromEnvironment": true, "noProxy": ["a"] }), "leave noProxy"),
        (json!({ "url": "https://proxy" }), "http://host:port"),
        (json!({ "url": "http://user:secret@proxy" }), "proxy.credentialsSecretRef"),
        (json!({ "url": "http://proxy/path" }), "http://host:port"),
    ] {
        let refusals = refusals("lenses-mcp", &good_but_for("lenses", lenses(proxy.clone())));
        assert!(refusals.contains(remedy), "{proxy}: {refusals}");
    }
}

#[test]
fn limits_have_limits_and_a_query_ends_before_its_request() {
    for limits in [
        json!({}),
        json!({ "sqlTimeout": "1m", "requestTimeout": "1m30s" }),
        json!({ "requestTimeout": "1h" }),
        json!({ "trustedProxies": ["10.0.0.7", "10.244.0.0/16", "fd00::/8", "10.0.0.0/10"] }),
    ] {
        assert_eq!(refusals("lenses-mcp", &good_but_for("limits", limits.clone())), "", "{limits}");
    }
    for (limits, said) in [
        (json!({ "sqlTimeout": "0s" }), "from 1s to 1h"),
        (json!({ "requestTimeout": "2h" }), "from 1s to 1h"),
        (json!({ "sqlTimeout": "1m" }), "lower the one or raise the other"),
        (json!({ "requestTimeout": "30s" }), "lower the one or raise the other"),
        (json!({ "trustedProxies": ["10.0.0.7", "0.0.0.0/0"] }), "trusts every client"),
        (json!({ "trustedProxies": ["::/0"] }), "trusts every client"),
    ] {
        let refusals = refusals("lenses-mcp", &good_but_for("limits", limits.clone()));
        assert!(refusals.contains(said), "{limits} gave {refusals:?}");
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
