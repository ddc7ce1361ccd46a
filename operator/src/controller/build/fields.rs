//! Every field of the API does something: each is changed alone, and the objects must differ.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{Children, build};
use crate::controller::{
    dereference::Standing,
    fixtures::{defaults, found, server},
    validate::validate,
};

/// Fields that no object shows, each with what proves them.
const ELSEWHERE: [(&str, &str); 4] = [
    ("paused", "controller::status::tests::a_paused_resource_says_so, e2e converges"),
    ("verification.interval", "controller::verification::plan::tests::what_the_spec_says_is_what_is_looked_at"),
    (
        "verification.credentialSecretRef.name",
        "controller::verification::materials::tests::only_what_the_spec_names_for_it_is_read",
    ),
    (
        "verification.credentialSecretRef.key",
        "controller::verification::materials::tests::only_what_the_spec_names_for_it_is_read",
    ),
];

/// A spec that is accepted, and what changes one field of it.
struct Change {
    base: Value,
    /// A JSON merge patch (RFC 7396).
    patch: Value,
}

fn changes() -> Vec<Change> {
    let by_service = json!({
        "lenses": {
            "serviceRef": { "name": "hq-service", "namespace": "lenses", "port": "api" },
            "advertisedUrl": "https://hq.example.com",
            "caBundle": { "configMapKeyRef": { "name": "authorities", "key": "ca.pem" } },
            "clientCertificate": { "secretName": "mtls" },
        },
        "auth": { "oauth": { "introspection": { "clientCredentialsSecretRef": { "name": "hq-client" } } } },
        "endpoint": {
            "tls": { "secretName": "certificate" },
            "httpRoute": { "parentRefs": [{ "name": "gw" }], "hostnames": ["a.example.com"] },
        },
    });
    let by_url = json!({
        "lenses": {
            "url": "https://hq.example.com",
            "caBundle": { "secretKeyRef": { "name": "mtls", "key": "ca.crt" } },
        },
        "auth": { "oauth": {} },
        "endpoint": { "ingress": { "host": "a.example.com", "tls": { "secretName": "x" } } },
    });
    let by_key = json!({
        "lenses": { "url": "https://hq.example.com" },
        "auth": { "apiKey": {
            "secretKeyRef": { "name": "hq-account", "key": "token" },
            "callers": { "tokenSecretRef": { "name": "our-callers", "key": "bearer" } },
        } },
        "endpoint": { "service": { "type": "LoadBalancer" }, "tls": { "secretName": "certificate" } },
    });
    let of = |base: &Value, patches: Vec<Value>| -> Vec<Change> {
        patches.into_iter().map(|patch| Change { base: base.clone(), patch }).collect()
    };
    let lenses = |patch| json!({ "lenses": patch });
    let endpoint = |patch| json!({ "endpoint": patch });
    let ingress = |patch| endpoint(json!({ "ingress": patch }));
    let route = |patch| endpoint(json!({ "httpRoute": patch }));
    let service = |patch| endpoint(json!({ "service": patch }));
    let oauth = |patch| json!({ "auth": { "oauth": patch } });
    let key = |patch| json!({ "auth": { "apiKey": patch } });
    let tools = |patch| json!({ "tools": patch });
    let limits = |patch| json!({ "limits": patch });
    let mut changes = of(
        &by_service,
        vec![
            lenses(json!({ "serviceRef": { "name": "other" } })),
            lenses(json!({ "serviceRef": { "namespace": "other" } })),
            lenses(json!({ "serviceRef": { "port": 10000 } })),
            lenses(json!({ "serviceRef": { "scheme": "https" } })),
            lenses(json!({ "serviceRef": { "path": "/lenses" } })),
            lenses(json!({ "advertisedUrl": "https://other.example.com" })),
            lenses(json!({ "caBundle": { "configMapKeyRef": { "name": "other" } } })),
            lenses(json!({ "caBundle": { "configMapKeyRef": { "key": "other" } } })),
            lenses(json!({ "clientCertificate": { "secretName": "certificate" } })),
            oauth(json!({ "scopes": ["read"] })),
            oauth(json!({ "audience": "required" })),
            oauth(json!({ "introspection": { "url": "https://hq.example.com/x" } })),
            oauth(json!({ "introspection": { "cacheTtl": "30s" } })),
            oauth(json!({ "introspection": { "clientCredentialsSecretRef": { "name": "mtls" } } })),
            route(json!({ "parentRefs": [{ "name": "other" }] })),
            route(json!({ "parentRefs": [{ "name": "gw", "namespace": "other" }] })),
            route(json!({ "parentRefs": [{ "name": "gw", "sectionName": "other" }] })),
            route(json!({ "hostnames": ["b.example.com"] })),
            route(json!({ "path": "/other" })),
            endpoint(json!({ "tls": { "secretName": "mtls" } })),
            endpoint(json!({ "url": "https://a.example.com:8443" })),
            endpoint(json!({ "allowedOrigins": ["https://inspector.example.com"] })),
        ],
    );
    changes.extend(of(
        &by_url,
        vec![
            lenses(json!({ "url": "https://other.example.com" })),
            lenses(json!({ "caBundle": { "secretKeyRef": { "name": "certificate" } } })),
            lenses(json!({ "caBundle": { "secretKeyRef": { "key": "other" } } })),
            ingress(json!({ "host": "b.example.com" })),
            ingress(json!({ "className": "nginx" })),
            ingress(json!({ "path": "/other" })),
            ingress(json!({ "tls": { "secretName": "other" } })),
            ingress(json!({ "annotations": { "a": "b" } })),
            json!({ "image": "registry.example/other:2" }),
            json!({ "imagePullPolicy": "Always" }),
            json!({ "imagePullSecrets": [{ "name": "registry" }] }),
            json!({ "replicas": 2 }),
            json!({ "rollout": { "securityChange": "RollingUpdate" } }),
            json!({ "rollout": { "progressDeadlineSeconds": 60 } }),
            json!({ "resources": { "requests": { "cpu": "1" } } }),
            json!({ "resources": { "limits": { "cpu": "1" } } }),
            tools(json!({ "readOnly": true })),
            tools(json!({ "allow": ["topics/*"] })),
            tools(json!({ "deny": ["execute_sql"] })),
            tools(json!({ "environments": ["dev"] })),
            tools(json!({ "confirm": "never" })),
            limits(json!({ "sqlMaxRows": 1 })),
            limits(json!({ "sqlTimeout": "1s" })),
            limits(json!({ "responseMaxBytes": 1024 })),
            limits(json!({ "requestTimeout": "31s" })),
            limits(json!({ "callsPerMinutePerUser": 1 })),
        ],
    ));
    changes.extend(of(
        &by_key,
        vec![
            key(json!({ "secretKeyRef": { "name": "mtls" } })),
            key(json!({ "secretKeyRef": { "key": "other" } })),
            key(json!({ "callers": { "tokenSecretRef": { "name": "mtls" } } })),
            key(json!({ "callers": { "tokenSecretRef": { "key": "other" } } })),
            key(json!({ "callers": { "anyone": true, "tokenSecretRef": null } })),
            service(json!({ "type": "NodePort" })),
            service(json!({ "port": 8443 })),
            service(json!({ "annotations": { "a": "b" } })),
            service(json!({ "loadBalancerClass": "example.com/internal" })),
            service(json!({ "loadBalancerSourceRanges": ["203.0.113.0/24"] })),
            service(json!({ "externalTrafficPolicy": "Local" })),
        ],
    ));
    changes
}

#[test]
fn every_field_of_the_api_changes_what_is_built() {
    let mut fields = Vec::new();
    let crd = serde_json::to_value(lenses_mcp_crds::schema::custom_resource_definition()).unwrap();
    leaves("", &crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"], &mut fields);
    fields.retain(|field| !ELSEWHERE.iter().any(|(elsewhere, _)| elsewhere == field));
    let mut proved = Vec::new();
    for Change { base, patch } in changes() {
        let mut changed = base.clone();
        merge(&mut changed, &patch);
        assert_ne!(objects(&base), objects(&changed), "{patch} changes nothing");
        proved.extend(fields.iter().filter(|field| is_in(&patch, field)).cloned());
    }
    fields.retain(|field| !proved.contains(field));
    assert_eq!(fields, Vec::<String>::new(), "have no change in this test, which is to show what they do");
}

/// Everything that the spec becomes.
fn objects(spec: &Value) -> Vec<Value> {
    let mut found = found();
    let version = found.config_maps["authorities"].clone();
    found.config_maps.insert("other".into(), version);
    // One that does not say what it gives counts as open to all, so that signing in narrows it.
    found.children.deployment = Standing::Own(Arc::default());
    let valid = validate(&server(spec), &found, &defaults())
        .unwrap_or_else(|rejections| panic!("{spec}: {}", rejections.message()));
    let Children { service_account, sealing_key, config_map, service, mut deployment, ingress, http_route } =
        build(&valid);
    // They repeat parts of the spec, whether or not anything else follows from these.
    if let Some(deployment) = &mut deployment {
        deployment.metadata.annotations = None;
    }
    [
        serde_json::to_value(service_account),
        serde_json::to_value(sealing_key),
        serde_json::to_value(config_map),
        serde_json::to_value(service),
        serde_json::to_value(deployment),
        serde_json::to_value(ingress),
        serde_json::to_value(http_route),
    ]
    .into_iter()
    .map(Result::unwrap)
    .collect()
}

/// The fields that hold values, as `a.b[].c`.
fn leaves(path: &str, schema: &Value, found: &mut Vec<String>) {
    let inner = if schema["items"]["properties"].is_object() { &schema["items"] } else { schema };
    let path = if std::ptr::eq(inner, schema) { path.to_owned() } else { format!("{path}[]") };
    match inner["properties"].as_object() {
        Some(properties) => {
            for (name, property) in properties {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                leaves(&path, property, found);
            }
        }
        None => found.push(path),
    }
}

fn is_in(patch: &Value, field: &str) -> bool {
    let pointer = format!("/{}", field.replace("[]", ".0").replace('.', "/"));
    patch.pointer(&pointer).is_some_and(|value| !value.is_null())
}

fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(fields) = patch else { return *target = patch.clone() };
    if !target.is_object() {
        *target = json!({});
    }
    for (name, value) in fields {
        if value.is_null() {
            target.as_object_mut().map(|target| target.remove(name));
        } else {
            merge(&mut target[name], value);
        }
    }
}
