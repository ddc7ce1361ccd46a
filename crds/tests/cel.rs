//! What `kubectl apply` accepts and refuses, and that each refusal says what to write. The rules
//! run here as they run in the API server, defaults first.

#![expect(
    clippy::unwrap_used,
    clippy::needless_pass_by_value,
    reason = "tables are read more easily so"
)]

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
fn autoscaling_is_a_range_and_goes_by_what_there_is() {
    let calls = json!({
        "type": "Pods",
        "pods": {
            "metric": { "name": "calls" }, "target": { "type": "AverageValue", "averageValue": 100 }
        }
    });
    let without_cpu = |mut spec: Value| {
        spec["resources"] = json!({ "requests": { "memory": "64Mi" } });
        spec
    };
    let range = json!({ "minReplicas": 2, "maxReplicas": 5 });
    for good in [
        with("autoscaling", range.clone()),
        with("autoscaling", json!({ "maxReplicas": 1 })),
        with(
            "autoscaling",
            json!({ "maxReplicas": 5, "targetCPUUtilization": 60, "metrics": [calls] }),
        ),
        without_cpu(with("autoscaling", json!({ "maxReplicas": 5, "metrics": [calls] }))),
        with("disruptionBudget", json!({ "minAvailable": "50%" })),
        with("disruptionBudget", json!({ "maxUnavailable": 2 })),
    ] {
        assert_eq!(refusals("lenses-mcp", &good), "", "{good}");
    }
    for (bad, said) in [
        (
            with("autoscaling", json!({ "minReplicas": 3, "maxReplicas": 2 })),
            "a maxReplicas that is at least minReplicas",
        ),
        (without_cpu(with("autoscaling", range.clone())), "write it, or autoscaling.metrics alone"),
        (
            without_cpu(with(
                "autoscaling",
                json!({ "maxReplicas": 5, "targetCPUUtilization": 60, "metrics": [calls] }),
            )),
            "write it, or autoscaling.metrics alone",
        ),
        (with("disruptionBudget", json!({ "minAvailable": 1, "maxUnavailable": 1 })), "not both"),
    ] {
        let refusals = refusals("lenses-mcp", &bad);
        assert!(refusals.contains(said), "{bad} gave {refusals:?}");
    }
}

#[test]
fn a_rolling_update_can_always_replace_a_pod() {
    for rollout in [
        json!({}),
        json!({ "maxSurge": 0, "maxUnavailable": 1 }),
        json!({ "maxSurge": "0%", "maxUnavailable": "25%" }),
        json!({ "maxSurge": "50%" }),
    ] {
        assert_eq!(refusals("lenses-mcp", &with("rollout", rollout.clone())), "", "{rollout}");
    }
    for rollout in [
        json!({ "maxSurge": 0 }),
        json!({ "maxSurge": "0%", "maxUnavailable": 0 }),
        json!({ "maxSurge": "00%", "maxUnavailable": "0%" }),
    ] {
        let said = refusals("lenses-mcp", &with("rollout", rollout.clone()));
        assert!(said.contains("no pod can be replaced: raise one"), "{rollout}: {said}");
    }
}

#[test]
fn removing_autoscaling_requires_a_number_of_replicas() {
    let autoscaled = with("autoscaling", json!({ "minReplicas": 2, "maxReplicas": 5 }));
    let fixed = |replicas: i32| with("replicas", json!(replicas));
    for (new, refused) in [
        (fixed(1), true),
        (fixed(2), false),
        (fixed(0), false),
        (with("paused", json!(false)), true),
    ] {
        let refusals = refusals_of_change(&autoscaled, &new);
        assert_eq!(
            refusals.contains("autoscaling is taken away: write replicas"),
            refused,
            "{new} gave {refusals:?}"
        );
    }
    assert_eq!(refusals_of_change(&fixed(3), &autoscaled), "");
    assert_eq!(refusals_of_change(&fixed(3), &fixed(1)), "");
}

#[test]
fn a_pod_template_may_shape_the_pods_but_not_change_the_server() {
    let pod = |spec: Value| with("podTemplate", json!({ "spec": spec }));
    let server = |mut container: Value| {
        container["name"] = json!("lenses-mcp-server");
        pod(json!({ "containers": [container] }))
    };
    for good in [
        with(
            "podTemplate",
            json!({ "metadata": { "labels": { "team": "a" }, "annotations": { "x/y": "z" } } }),
        ),
        pod(json!({
            "nodeSelector": { "pool": "a" },
            "tolerations": [{ "key": "a", "operator": "Exists", "effect": "NoSchedule" }],
            "affinity": {
                "podAntiAffinity": {
                    "preferredDuringSchedulingIgnoredDuringExecution": [{
                        "weight": 1, "podAffinityTerm": { "topologyKey": "zone" }
                    }]
                }
            },
            "topologySpreadConstraints": [{
                "maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule"
            }],
            "priorityClassName": "high",
            "containers": [{
                "name": "proxy", "image": "envoy:1", "command": ["envoy"],
                "ports": [{ "containerPort": 1 }]
            }],
            "volumes": [{ "name": "cache", "emptyDir": { "sizeLimit": "1Gi" } }],
        })),
        server(json!({
            "env": [
                { "name": "TZ", "value": "UTC" },
                { "name": "MCP_WRITE_TIMEOUT", "value": "9s" },
                { "name": "HTTPS_PROXY", "value": "http://proxy:3128" },
                { "name": "OTEL_RESOURCE_ATTRIBUTES", "value": "a=b" }
            ]
        })),
        server(json!({
            "volumeMounts": [{ "name": "cache", "mountPath": "/cache" }],
            "securityContext": { "runAsUser": 1000 }
        })),
        pod(json!({
            "containers": [{
                "name": "other", "image": "i",
                "env": [{ "name": "OAUTH_ENABLED", "value": "false" }]
            }]
        })),
    ] {
        assert_eq!(refusals("lenses-mcp", &good), "", "{good}");
    }
    for (bad, said) in [
        (
            with(
                "podTemplate",
                json!({ "metadata": { "labels": { "app.kubernetes.io/name": "x" } } }),
            ),
            "are the operator's: leave them out",
        ),
        (
            with(
                "podTemplate",
                json!({ "metadata": { "annotations": { "mcp.lenses.io/settings-digest": "x" } } }),
            ),
            "are the operator's: leave them out",
        ),
        (server(json!({ "image": "docker.io/somebody/else:1" })), "spec.image takes an image"),
        (server(json!({ "command": ["/bin/sh"] })), "spec.image takes an image"),
        (server(json!({ "args": ["--check"] })), "spec.image takes an image"),
        (
            server(json!({ "envFrom": [{ "configMapRef": { "name": "x" } }] })),
            "spec.image takes an image",
        ),
        (
            server(json!({ "ports": [{ "containerPort": 8000, "name": "x" }] })),
            "spec.image takes an image",
        ),
        (
            server(json!({ "env": [{ "name": "OAUTH_ENABLED", "value": "false" }] })),
            "write the field of spec that it stands for",
        ),
        (
            server(json!({ "env": [{ "name": "LENSES_API_KEY_FILE", "value": "/x" }] })),
            "write the field of spec that it stands for",
        ),
        (
            server(json!({ "env": [{ "name": "PORT", "value": "1" }] })),
            "write the field of spec that it stands for",
        ),
        (
            server(json!({ "env": [{ "name": "MCP_MAX_BODY_BYTES", "value": "1024" }] })),
            "write the field of spec that it stands for",
        ),
        (
            pod(json!({ "volumes": [{ "name": "settings", "emptyDir": {} }] })),
            "write other names and paths",
        ),
        (
            server(json!({
                "volumeMounts": [{ "name": "x", "mountPath": "/etc/lenses-mcp/settings.env" }]
            })),
            "write other names and paths",
        ),
        (
            server(
                json!({ "volumeMounts": [{ "name": "x", "mountPath": "/var/run/lenses-mcp" }] }),
            ),
            "write other names and paths",
        ),
        (pod(json!({ "containers": [{ "name": "proxy" }] })), "needs an image"),
    ] {
        let refusals = refusals("lenses-mcp", &bad);
        assert!(refusals.contains(said), "{bad} gave {refusals:?}");
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
