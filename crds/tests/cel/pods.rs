//! Pods: how many there are, how they are replaced, and what a template may hold.

use serde_json::{Value, json};

use super::{refusals, refusals_of_change, with};

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
