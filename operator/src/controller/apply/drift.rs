//! Whether an object has what is wanted in it. Pure.
//!
//! The API server adds to what it is given (defaults, other managers' fields), so an object fits when everything wanted is
//! in it. What is no longer wanted shows in the digest annotation, which is part of what is wanted.

use serde_json::Value;

use crate::quantity::amount;

/// Whether something wanted is missing in the object, or is otherwise there.
pub(super) fn drifted<K: serde::Serialize>(wanted: &K, observed: &K) -> bool {
    match (serde_json::to_value(wanted), serde_json::to_value(observed)) {
        (Ok(wanted), Ok(observed)) => !fits("", &wanted, &observed, false),
        _ => true,
    }
}

/// `field`: the name of what is compared. `quantities`: whether scalars here are amounts, which the API server rewrites (`0.5`
/// becomes `500m`); in an autoscaler's `target` and in the fields named so they are.
fn fits(field: &str, wanted: &Value, observed: &Value, quantities: bool) -> bool {
    let quantities =
        quantities || matches!(field, "requests" | "limits" | "sizeLimit" | "divisor" | "target");
    match (wanted, observed) {
        (Value::Object(wanted), Value::Object(observed)) => wanted.iter().all(|(key, value)| {
            observed.get(key).map_or_else(
                || is_left_out(key, value),
                |observed| fits(key, value, observed, quantities),
            )
        }),
        (Value::Array(wanted), Value::Array(observed)) => lists_fit(field, wanted, observed),
        (Value::String(wanted), Value::String(observed)) if quantities => {
            wanted == observed
                || amount(wanted).is_some_and(|wanted| Some(wanted) == amount(observed))
        }
        _ => wanted == observed,
    }
}

/// What tells the items of a list apart, where it is a map to the API server: others may have added to it. All others are one value.
fn keys(list: &str) -> &'static [&'static str] {
    match list {
        "ownerReferences" => &["uid"],
        "containers" | "initContainers" | "volumes" | "env" | "imagePullSecrets" | "ports" => {
            &["name"]
        }
        "volumeMounts" => &["mountPath"],
        "volumeDevices" => &["devicePath"],
        "hostAliases" => &["ip"],
        "topologySpreadConstraints" => &["topologyKey", "whenUnsatisfiable"],
        _ => &[],
    }
}

fn lists_fit(list: &str, wanted: &[Value], observed: &[Value]) -> bool {
    let keys = keys(list);
    if !keys.is_empty()
        && wanted
            .iter()
            .all(|item| keys.iter().all(|key| item.get(key).is_some_and(Value::is_string)))
    {
        return wanted.iter().all(|item| {
            let mut same = observed
                .iter()
                .filter(|other| keys.iter().all(|key| other.get(key) == item.get(key)));
            same.any(|other| fits("", item, other, false))
        });
    }
    wanted.len() == observed.len()
        && wanted.iter().zip(observed).all(|(item, other)| fits("", item, other, false))
}

/// What the API server stores as if it had not been written. Of `false` that holds for some fields only: where nothing means true,
/// as in `automountServiceAccountToken`, it is stored.
fn is_left_out(field: &str, value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(value) => {
            !value
                && matches!(
                    field,
                    "hostNetwork"
                        | "hostPID"
                        | "hostIPC"
                        | "readOnly"
                        | "stdin"
                        | "stdinOnce"
                        | "tty"
                        | "setHostnameAsFQDN"
                )
        }
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(map) => map.is_empty(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn fits_json(wanted: &Value, observed: &Value) -> bool {
        !drifted(wanted, observed)
    }

    #[test]
    fn what_the_api_server_and_others_add_is_no_drift() {
        let wanted = json!({
            "metadata": { "labels": { "a": "1" }, "ownerReferences": [{ "uid": "u", "name": "n" }] },
            "spec": { "replicas": 2, "containers": [{ "name": "c", "image": "i", "resources": { "limits": { "cpu": "0.5", "memory": "1024Mi" } } }], "empty": {} },
        });
        let observed = json!({
            "metadata": { "labels": { "a": "1", "b": "2" }, "ownerReferences": [{ "uid": "u", "name": "n", "blockOwnerDeletion": true }], "uid": "x" },
            "spec": {
                "replicas": 2,
                "containers": [
                    { "name": "injected", "image": "other" },
                    { "name": "c", "image": "i", "terminationMessagePath": "/dev/log", "resources": { "limits": { "cpu": "500m", "memory": "1Gi" } } },
                ],
                "dnsPolicy": "ClusterFirst",
            },
            "status": {},
        });
        assert!(fits_json(&wanted, &observed));
    }

    #[test]
    fn items_of_one_name_are_told_apart_by_the_rest() {
        let two = json!({ "parentRefs": [{ "name": "gw", "sectionName": "a" }, { "name": "gw", "sectionName": "b" }] });
        assert!(fits_json(&two, &two));
        assert!(!fits_json(&two, &json!({ "parentRefs": [{ "name": "gw", "sectionName": "a" }] })));
    }

    #[test]
    fn what_was_changed_or_taken_away_is_drift() {
        let wanted = json!({ "replicas": 2, "ports": [{ "name": "mcp", "port": 80 }], "drop": ["ALL"], "items": [{ "key": "a", "path": "b" }] });
        for observed in [
            json!({}),
            json!({ "replicas": 3, "ports": [{ "name": "mcp", "port": 80 }], "drop": ["ALL"], "items": [{ "key": "a", "path": "b" }] }),
            json!({ "replicas": 2, "ports": [{ "name": "mcp", "port": 81 }], "drop": ["ALL"], "items": [{ "key": "a", "path": "b" }] }),
            json!({ "replicas": 2, "ports": [{ "name": "web", "port": 80 }], "drop": ["ALL"], "items": [{ "key": "a", "path": "b" }] }),
            json!({ "replicas": 2, "ports": [{ "name": "mcp", "port": 80 }], "drop": ["ALL", "X"], "items": [{ "key": "a", "path": "b" }] }),
            json!({ "replicas": 2, "ports": [{ "name": "mcp", "port": 80 }], "drop": ["ALL"], "items": [{ "key": "a", "path": "c" }] }),
        ] {
            assert!(!fits_json(&wanted, &observed), "{observed}");
        }
    }

    #[test]
    fn what_the_api_server_leaves_out_or_rewrites_of_a_pod_template_is_no_drift() {
        for (wanted, observed) in [
            (json!({ "env": [{ "name": "X", "value": "" }] }), json!({ "env": [{ "name": "X" }] })),
            (json!({ "hostNetwork": false }), json!({})),
            (
                json!({ "livenessProbe": { "initialDelaySeconds": 0 } }),
                json!({ "livenessProbe": {} }),
            ),
            (
                json!({ "emptyDir": { "sizeLimit": "1024Mi" } }),
                json!({ "emptyDir": { "sizeLimit": "1Gi" } }),
            ),
            (
                json!({ "target": { "type": "AverageValue", "averageValue": "1000m" } }),
                json!({ "target": { "type": "AverageValue", "averageValue": "1" } }),
            ),
            (
                json!({ "volumeMounts": [{ "name": "v", "mountPath": "/a", "subPath": "a" }, { "name": "v", "mountPath": "/b", "subPath": "b" }] }),
                json!({ "volumeMounts": [{ "name": "v", "mountPath": "/b", "subPath": "b" }, { "name": "v", "mountPath": "/a", "subPath": "a" }] }),
            ),
            (
                json!({ "topologySpreadConstraints": [{ "topologyKey": "zone", "whenUnsatisfiable": "ScheduleAnyway", "maxSkew": 1 }] }),
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
}
