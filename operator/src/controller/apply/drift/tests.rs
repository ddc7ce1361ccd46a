use serde_json::json;

use super::*;

fn fits_json(wanted: &Value, observed: &Value) -> bool {
    !drifted(wanted, observed)
}

#[test]
fn what_the_api_server_and_others_add_is_no_drift() {
    let wanted = json!({
        "metadata": {
            "labels": { "a": "1" }, "ownerReferences": [{ "uid": "u", "name": "n" }]
        },
        "spec": {
            "replicas": 2,
            "containers": [{
                "name": "c", "image": "i",
                "resources": { "limits": { "cpu": "0.5", "memory": "1024Mi" } }
            }],
            "empty": {}
        },
    });
    let observed = json!({
        "metadata": {
            "labels": { "a": "1", "b": "2" },
            "ownerReferences": [{ "uid": "u", "name": "n", "blockOwnerDeletion": true }],
            "uid": "x"
        },
        "spec": {
            "replicas": 2,
            "containers": [
                { "name": "injected", "image": "other" },
                {
                    "name": "c", "image": "i", "terminationMessagePath": "/dev/log",
                    "resources": { "limits": { "cpu": "500m", "memory": "1Gi" } }
                },
            ],
            "dnsPolicy": "ClusterFirst",
        },
        "status": {},
    });
    assert!(fits_json(&wanted, &observed));
}

#[test]
fn items_of_one_name_are_told_apart_by_the_rest() {
    let two = json!({
        "parentRefs": [
            { "name": "gw", "sectionName": "a" }, { "name": "gw", "sectionName": "b" }
        ]
    });
    assert!(fits_json(&two, &two));
    assert!(!fits_json(&two, &json!({ "parentRefs": [{ "name": "gw", "sectionName": "a" }] })));
}

#[test]
fn what_was_changed_or_taken_away_is_drift() {
    let wanted = json!({
        "replicas": 2, "ports": [{ "name": "mcp", "port": 80 }], "drop": ["ALL"],
        "items": [{ "key": "a", "path": "b" }]
    });
    for observed in [
        json!({}),
        json!({
            "replicas": 3, "ports": [{ "name": "mcp", "port": 80 }], "drop": ["ALL"],
            "items": [{ "key": "a", "path": "b" }]
        }),
        json!({
            "replicas": 2, "ports": [{ "name": "mcp", "port": 81 }], "drop": ["ALL"],
            "items": [{ "key": "a", "path": "b" }]
        }),
        json!({
            "replicas": 2, "ports": [{ "name": "web", "port": 80 }], "drop": ["ALL"],
            "items": [{ "key": "a", "path": "b" }]
        }),
        json!({
            "replicas": 2, "ports": [{ "name": "mcp", "port": 80 }], "drop": ["ALL", "X"],
            "items": [{ "key": "a", "path": "b" }]
        }),
        json!({
            "replicas": 2, "ports": [{ "name": "mcp", "port": 80 }], "drop": ["ALL"],
            "items": [{ "key": "a", "path": "c" }]
        }),
    ] {
        assert!(!fits_json(&wanted, &observed), "{observed}");
    }
}

#[test]
fn pod_template_fields_that_the_api_server_rewrites_are_no_drift() {
    for (wanted, observed) in [
        (json!({ "env": [{ "name": "X", "value": "" }] }), json!({ "env": [{ "name": "X" }] })),
        (json!({ "hostNetwork": false }), json!({})),
        (json!({ "livenessProbe": { "initialDelaySeconds": 0 } }), json!({ "livenessProbe": {} })),
        (
            json!({ "emptyDir": { "sizeLimit": "1024Mi" } }),
            json!({ "emptyDir": { "sizeLimit": "1Gi" } }),
        ),
        (
            json!({ "target": { "type": "AverageValue", "averageValue": "1000m" } }),
            json!({ "target": { "type": "AverageValue", "averageValue": "1" } }),
        ),
        (
            json!({
                "volumeMounts": [
                    { "name": "v", "mountPath": "/a", "subPath": "a" },
                    { "name": "v", "mountPath": "/b", "subPath": "b" }
                ]
            }),
            json!({
                "volumeMounts": [
                    { "name": "v", "mountPath": "/b", "subPath": "b" },
                    { "name": "v", "mountPath": "/a", "subPath": "a" }
                ]
            }),
        ),
        (
            json!({
                "topologySpreadConstraints": [{
                    "topologyKey": "zone", "whenUnsatisfiable": "ScheduleAnyway", "maxSkew": 1
                }]
            }),
            json!({ "topologySpreadConstraints": [
                { "topologyKey": "host", "whenUnsatisfiable": "ScheduleAnyway", "maxSkew": 1 },
                { "topologyKey": "zone", "whenUnsatisfiable": "ScheduleAnyway", "maxSkew": 1 },
            ] }),
        ),
    ] {
        assert!(fits_json(&wanted, &observed), "{wanted} in {observed}");
    }
    for (wanted, observed) in [
        (json!({ "automountServiceAccountToken": false }), json!({})),
        (json!({ "allowPrivilegeEscalation": false }), json!({})),
        (
            json!({ "tolerations": [{ "key": "a" }] }),
            json!({ "tolerations": [{ "key": "a" }, { "key": "b" }] }),
        ),
    ] {
        assert!(!fits_json(&wanted, &observed), "{wanted} in {observed}");
    }
}

#[test]
fn amounts_are_compared_as_amounts_and_only_where_they_are_amounts() {
    for (one, other, same) in [
        ("0.5", "500m", true),
        ("1", "1000m", true),
        ("1024Mi", "1Gi", true),
        ("1e3", "1k", true),
        ("100M", "100Mi", false),
        ("x", "y", false),
    ] {
        assert_eq!(
            fits_json(&json!({ "limits": { "r": one } }), &json!({ "limits": { "r": other } })),
            same,
            "{one} {other}"
        );
    }
    assert!(!fits_json(&json!({ "value": "1" }), &json!({ "value": "1000m" })));
}

#[test]
fn additions_to_a_selector_a_rule_or_service_ports_are_drift() {
    let service = json!({ "spec": {
        "selector": { "app": "a" },
        "ports": [{ "name": "mcp", "port": 80 }],
    } });
    let policy = json!({ "spec": {
        "podSelector": { "matchLabels": { "app": "a" } },
        "ingress": [{ "ports": [{ "port": 8000 }] }],
    } });
    let added = |object: &Value, pointer: &str, value: Value| {
        let mut object = object.clone();
        match object.pointer_mut(pointer).unwrap() {
            Value::Array(list) => list.push(value),
            Value::Object(map) => map.extend(value.as_object().unwrap().clone()),
            _ => panic!("{pointer}"),
        }
        object
    };
    for (wanted, pointer, value, fits) in [
        (&service, "/spec/selector", json!({ "x": "y" }), false),
        (&service, "/spec/ports", json!({ "name": "admin", "port": 9090 }), false),
        (&service, "/spec/ports/0", json!({ "nodePort": 30000, "protocol": "TCP" }), true),
        (&service, "/spec", json!({ "clusterIP": "10.0.0.1" }), true),
        (&policy, "/spec/podSelector/matchLabels", json!({ "x": "y" }), false),
        (&policy, "/spec/podSelector", json!({ "matchExpressions": [{ "key": "x" }] }), false),
        (&policy, "/spec/podSelector", json!({ "matchExpressions": [] }), true),
        (&policy, "/spec/ingress/0/ports/0", json!({ "endPort": 65535 }), false),
        (&policy, "/spec/ingress/0/ports/0", json!({ "protocol": "TCP" }), true),
    ] {
        let observed = added(wanted, pointer, value);
        assert_eq!(fits_json(wanted, &observed), fits, "{observed}");
    }
}

#[test]
fn a_deployment_that_somebody_paused_has_drifted() {
    let wanted = json!({ "spec": { "paused": false } });
    assert!(fits_json(&wanted, &json!({ "spec": {} })));
    assert!(!fits_json(&wanted, &json!({ "spec": { "paused": true } })));
}

#[test]
fn a_difference_is_told_with_its_place() {
    let field = |name: &str| Segment::Field(name.to_owned());
    let Value::Object(key) = json!({ "name": "c" }) else { unreachable!() };
    let wanted = json!({ "spec": { "containers": [{ "name": "c", "image": "a" }] } });
    let observed = json!({ "spec": { "containers": [{ "name": "c", "image": "b" }] } });
    let place = vec![field("spec"), field("containers"), Segment::Key(key), field("image")];
    assert_eq!(differences(&wanted, &observed), [place]);
}
