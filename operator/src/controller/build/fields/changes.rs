//! One change of every field, on specs that are accepted.

use serde_json::{Value, json};

/// A spec that is accepted, and what changes one field of it.
pub(super) struct Change {
    pub(super) base: Value,
    /// A JSON merge patch (RFC 7396).
    pub(super) patch: Value,
}

/// Every field changed.
pub(super) fn changes() -> Vec<Change> {
    [found_by_service(), found_by_url(), with_an_api_key(), pods(), scaled_and_traced()]
        .into_iter()
        .flatten()
        .collect()
}

/// Merges as RFC 7396 says.
pub(super) fn merge(target: &mut Value, patch: &Value) {
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

fn of<const N: usize>(base: &Value, patches: [Value; N]) -> Vec<Change> {
    patches.into_iter().map(|patch| Change { base: base.clone(), patch }).collect()
}

/// HQ by its Service, OAuth, published by a Gateway.
fn found_by_service() -> Vec<Change> {
    let base = json!({
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
    let lenses = |patch| json!({ "lenses": patch });
    let endpoint = |patch| json!({ "endpoint": patch });
    let route = |patch| endpoint(json!({ "httpRoute": patch }));
    let oauth = |patch| json!({ "auth": { "oauth": patch } });
    of(
        &base,
        [
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
            oauth(json!({ "allowedClients": ["claude"] })),
            oauth(json!({ "clientRegistration": "manual" })),
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
    )
}

/// HQ by its URL, OAuth, published by an Ingress.
fn found_by_url() -> Vec<Change> {
    let base = json!({
        "lenses": {
            "url": "https://hq.example.com",
            "caBundle": { "secretKeyRef": { "name": "mtls", "key": "ca.crt" } },
            "proxy": { "url": "http://proxy.example.com:3128" },
        },
        "auth": { "oauth": {} },
        "endpoint": { "ingress": { "host": "a.example.com", "tls": { "secretName": "x" } } },
    });
    let lenses = |patch| json!({ "lenses": patch });
    let endpoint = |patch| json!({ "endpoint": patch });
    let ingress = |patch| endpoint(json!({ "ingress": patch }));
    let tools = |patch| json!({ "tools": patch });
    let limits = |patch| json!({ "limits": patch });
    of(
        &base,
        [
            lenses(json!({ "url": "https://other.example.com" })),
            lenses(json!({ "caBundle": { "secretKeyRef": { "name": "certificate" } } })),
            lenses(json!({ "caBundle": { "secretKeyRef": { "key": "other" } } })),
            lenses(json!({ "proxy": { "url": "http://other.example.com:3128" } })),
            lenses(json!({ "proxy": { "noProxy": [".svc", "10.0.0.0/8"] } })),
            lenses(json!({ "proxy": { "credentialsSecretRef": { "name": "mtls" } } })),
            lenses(json!({ "proxy": { "url": null, "fromEnvironment": true } })),
            ingress(json!({ "host": "b.example.com" })),
            ingress(json!({ "className": "nginx" })),
            ingress(json!({ "path": "/other" })),
            ingress(json!({ "tls": { "secretName": "other" } })),
            ingress(json!({ "annotations": { "a": "b" } })),
            tools(json!({ "readOnly": true })),
            tools(json!({ "allow": ["topics/*"] })),
            tools(json!({ "deny": ["execute_sql"] })),
            tools(json!({ "environments": ["dev"] })),
            tools(json!({ "confirm": "required" })),
            tools(json!({ "rules": [{ "environments": ["prod*"], "scopes": ["read"] }] })),
            tools(json!({ "rules": [{ "environments": ["a"], "confirm": "required" }] })),
            tools(json!({ "rules": [{ "environments": ["a"], "allow": ["topics/*"] }] })),
            tools(json!({ "rules": [{ "environments": ["a"], "deny": ["execute_sql"] }] })),
            limits(json!({ "sqlMaxRows": 1 })),
            limits(json!({ "sqlTimeout": "1s" })),
            limits(json!({ "responseMaxBytes": 1024 })),
            limits(json!({ "requestTimeout": "31s" })),
            limits(json!({ "callsPerMinutePerUser": 1 })),
            limits(json!({ "concurrentCallsPerUser": 1 })),
            limits(json!({ "bodyMaxBytes": 1024 })),
            limits(json!({ "connectionsPerAddress": 1 })),
            limits(json!({ "failedSignInsPerMinute": 1 })),
            limits(json!({ "trustedProxies": ["10.244.0.0/16"] })),
        ],
    )
}

/// One key for all callers, published by a load balancer.
fn with_an_api_key() -> Vec<Change> {
    let base = json!({
        "lenses": { "url": "https://hq.example.com" },
        "auth": { "apiKey": {
            "secretKeyRef": { "name": "hq-account", "key": "token" },
            "callers": { "tokenSecretRef": { "name": "our-callers", "key": "bearer" } },
        } },
        "endpoint": { "service": { "type": "LoadBalancer" }, "tls": { "secretName": "certificate" } },
    });
    let endpoint = |patch| json!({ "endpoint": patch });
    let service = |patch| endpoint(json!({ "service": patch }));
    let key = |patch| json!({ "auth": { "apiKey": patch } });
    of(
        &base,
        [
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
    )
}

/// What the pods are and whom they may reach.
fn pods() -> Vec<Change> {
    let base = json!({ "lenses": { "url": "https://hq.example.com" }, "auth": { "oauth": {} } });
    let monitor =
        |patch: Value| json!({ "observability": { "metrics": { "serviceMonitor": patch } } });
    of(
        &base,
        [
            json!({ "image": "registry.example/other:2" }),
            json!({ "imagePullPolicy": "Always" }),
            json!({ "imagePullSecrets": [{ "name": "registry" }] }),
            json!({ "replicas": 2 }),
            json!({ "rollout": { "securityChange": "RollingUpdate" } }),
            json!({ "rollout": { "progressDeadlineSeconds": 60 } }),
            json!({ "networkPolicy": { "enabled": false } }),
            json!({ "networkPolicy": { "ingressFrom": [{ "podSelector": {} }] } }),
            json!({ "networkPolicy": { "metricsFrom": [{ "podSelector": {} }] } }),
            json!({ "networkPolicy": { "extraEgress": [{}] } }),
            json!({ "networkPolicy": { "dns": { "to": [{ "podSelector": {} }] } } }),
            json!({ "networkPolicy": { "dns": { "port": 5353 } } }),
            json!({ "observability": { "log": { "level": "debug" } } }),
            json!({ "observability": { "log": { "format": "text" } } }),
            json!({ "observability": { "audit": { "file": { "path": "/audit/a.jsonl" } } } }),
            json!({ "observability": { "audit": { "disabled": {} } } }),
            monitor(json!({})),
            monitor(json!({ "labels": { "release": "prometheus" } })),
            monitor(json!({ "interval": "30s" })),
            json!({ "podTemplate": { "spec": { "priorityClassName": "high" } } }),
            json!({ "resources": { "requests": { "cpu": "1" } } }),
            json!({ "resources": { "limits": { "cpu": "1" } } }),
        ],
    )
}

/// Scaled by load, and sending traces.
fn scaled_and_traced() -> Vec<Change> {
    let base = json!({
        "lenses": { "url": "https://hq.example.com" },
        "auth": { "oauth": {} },
        "autoscaling": { "maxReplicas": 5 },
        "disruptionBudget": { "maxUnavailable": 2 },
        "rollout": { "securityChange": "RollingUpdate" },
        "observability": {
            "audit": { "disabled": {} },
            "tracing": { "otlpEndpoint": "http://collector:4317" },
        },
    });
    let scaling = |patch| json!({ "autoscaling": patch });
    let tracing = |patch| json!({ "observability": { "tracing": patch } });
    of(
        &base,
        [
            scaling(json!({ "minReplicas": 2 })),
            scaling(json!({ "maxReplicas": 6 })),
            scaling(json!({ "targetCPUUtilization": 60 })),
            scaling(json!({ "behavior": { "scaleDown": { "stabilizationWindowSeconds": 60 } } })),
            scaling(json!({ "metrics": [{ "type": "Pods" }] })),
            json!({ "disruptionBudget": { "maxUnavailable": 3 } }),
            json!({ "rollout": { "maxSurge": 2 } }),
            json!({ "rollout": { "maxUnavailable": "25%" } }),
            json!({ "disruptionBudget": { "maxUnavailable": null, "minAvailable": 2 } }),
            tracing(json!({ "otlpEndpoint": "http://other:4317" })),
            tracing(json!({ "protocol": "grpc" })),
            tracing(json!({ "sampleRatio": 0.5 })),
            json!({ "observability": { "audit": { "disabled": null, "stdout": {} } } }),
        ],
    )
}
