//! Specs whose `lenses` or `auth` is bad.

use serde_json::{Value, json};

use super::Bad;

pub(super) fn parts() -> Vec<Bad> {
    const NO_MATCH: &str = "should match";
    let lenses = |field: &str, value: Value| {
        json!({
            "lenses": {"url": "https://lenses.example.com", field: value}
        })
    };
    let service_ref = |value: Value| {
        json!({
            "lenses": {"serviceRef": value, "advertisedUrl": "https://lenses.example.com"}
        })
    };
    let oauth = |value: Value| json!({"auth": {"oauth": value}});
    let api_key = |key: Value, callers: Value| {
        json!({
            "auth": {"apiKey": {"secretKeyRef": key, "callers": callers}}
        })
    };
    let key = || json!({"name": "k", "key": "k"});
    vec![
        (
            "lenses.url of another scheme",
            json!({"lenses": {"url": "ftp://lenses.example.com"}}),
            "write an absolute http or https URL",
        ),
        (
            "lenses.url of a kilobyte",
            json!({"lenses": {"url": format!("https://h/{}", "a".repeat(1024))}}),
            "may not be more than 1024",
        ),
        (
            "an empty bundle",
            lenses("caBundle", json!({})),
            "exactly one of caBundle.configMapKeyRef and caBundle.secretKeyRef",
        ),
        (
            "a bundle in two places",
            lenses("caBundle", json!({"configMapKeyRef": key(), "secretKeyRef": key()})),
            "exactly one of caBundle.configMapKeyRef and caBundle.secretKeyRef",
        ),
        (
            "a bundle without a key",
            lenses("caBundle", json!({"configMapKeyRef": {"name": "ca"}})),
            "key: Required value",
        ),
        (
            "a bundle's key that is a path",
            lenses("caBundle", json!({"secretKeyRef": {"name": "ca", "key": "a/b"}})),
            NO_MATCH,
        ),
        (
            "a client certificate of no Secret",
            lenses("clientCertificate", json!({})),
            "secretName: Required value",
        ),
        (
            "a proxy that is not named",
            lenses("proxy", json!({})),
            "exactly one of proxy.url and proxy.fromEnvironment",
        ),
        (
            "a proxy with its password",
            lenses("proxy", json!({"url": "http://user:secret@proxy:3128"})),
            "proxy.credentialsSecretRef",
        ),
        (
            "two exceptions in one",
            lenses("proxy", json!({"url": "http://proxy", "noProxy": ["a,b"]})),
            NO_MATCH,
        ),
        ("a Service without a port", service_ref(json!({"name": "hq"})), "port: Required value"),
        (
            "a Service without a name",
            service_ref(json!({"name": "", "port": 80})),
            "at least 1 chars long",
        ),
        (
            "a scheme that is none",
            service_ref(json!({"name": "hq", "port": 80, "scheme": "ftp"})),
            "supported values: \"http\", \"https\"",
        ),
        (
            "a path without its slash",
            service_ref(json!({"name": "hq", "port": 80, "path": "hq"})),
            NO_MATCH,
        ),
        (
            "an introspection URL that is a path",
            oauth(json!({"introspection": {"url": "/introspect"}})),
            "write an absolute http or https URL",
        ),
        (
            "an audience rule that is none",
            oauth(json!({"audience": "always"})),
            "supported values: \"required\", \"whenPresent\", \"ignored\"",
        ),
        ("a time that is none", oauth(json!({"introspection": {"cacheTtl": "soon"}})), NO_MATCH),
        ("a time before now", oauth(json!({"introspection": {"cacheTtl": "-1s"}})), NO_MATCH),
        ("a scope twice", oauth(json!({"scopes": ["read", "read"]})), "Duplicate value"),
        (
            "client credentials of no Secret",
            oauth(json!({"introspection": {"clientCredentialsSecretRef": {}}})),
            "name: Required value",
        ),
        (
            "no API key",
            json!({"auth": {"apiKey": {"callers": {"anyone": true}}}}),
            "secretKeyRef: Required value",
        ),
        (
            "an API key without a key",
            api_key(json!({"name": "k"}), json!({"anyone": true})),
            "key: Required value",
        ),
        (
            "no callers",
            json!({"auth": {"apiKey": {"secretKeyRef": key()}}}),
            "callers: Required value",
        ),
        (
            "a callers' token without a name",
            api_key(key(), json!({"tokenSecretRef": {"key": "k"}})),
            "name: Required value",
        ),
    ]
}
