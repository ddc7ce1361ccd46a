//! Whether an object has what is wanted in it. Pure.
//!
//! The API server adds to what it is given (defaults, other managers' fields), so an object fits if
//! everything wanted is in it. Selectors, the rules of a `NetworkPolicy` and the ports of a Service
//! are compared whole: there, whatever somebody added changes what the wanted part means. What is
//! no longer wanted shows in the digest annotation, which is part of what is wanted.

use serde_json::{Map, Value};

use super::managed_fields::{Path, Segment};
use crate::quantity::amount;

/// Whether something wanted is missing in the object, or is otherwise there.
pub(super) fn drifted<K: serde::Serialize>(wanted: &K, observed: &K) -> bool {
    !differences(wanted, observed).is_empty()
}

/// The places at which an object is not as wanted.
pub(super) fn differences<K: serde::Serialize>(wanted: &K, observed: &K) -> Vec<Path> {
    let mut comparison = Comparison::default();
    match (serde_json::to_value(wanted), serde_json::to_value(observed)) {
        (Ok(wanted), Ok(observed)) => {
            comparison.compare("", &wanted, &observed, Mode::default());
        }
        // It cannot be told where.
        _ => comparison.found.push(Path::new()),
    }
    comparison.found
}

#[derive(Default)]
struct Comparison {
    /// The place of what is compared.
    at: Path,
    found: Vec<Path>,
}

#[derive(Clone, Copy, Default)]
struct Mode {
    /// Scalars here are amounts, which the API server rewrites (`0.5` becomes `500m`): in an
    /// autoscaler's `target` and in the fields named so they are.
    quantities: bool,
    /// Nothing may be here that is not wanted.
    whole: bool,
}

impl Comparison {
    fn compare(&mut self, field: &str, wanted: &Value, observed: &Value, mode: Mode) {
        let mode = Mode {
            quantities: mode.quantities
                || matches!(field, "requests" | "limits" | "sizeLimit" | "divisor" | "target"),
            whole: mode.whole || is_one_value(field),
        };
        match (wanted, observed) {
            (Value::Object(wanted), Value::Object(observed)) => {
                self.compare_fields(wanted, observed, mode);
            }
            (Value::Array(wanted), Value::Array(observed)) => {
                self.compare_lists(field, wanted, observed, mode);
            }
            (Value::String(wanted), Value::String(observed)) if mode.quantities => {
                if wanted != observed
                    && amount(wanted).is_none_or(|wanted| Some(wanted) != amount(observed))
                {
                    self.differ();
                }
            }
            _ if wanted == observed => {}
            _ => self.differ(),
        }
    }

    fn compare_fields(
        &mut self,
        wanted: &Map<String, Value>,
        observed: &Map<String, Value>,
        mode: Mode,
    ) {
        for (key, value) in wanted {
            self.at.push(Segment::Field(key.clone()));
            match observed.get(key) {
                Some(observed) => self.compare(key, value, observed, mode),
                None if is_left_out(key, value) => {}
                None => self.differ(),
            }
            self.at.pop();
        }
        let is_added = |(key, value): (&String, &Value)| {
            !wanted.contains_key(key) && !is_left_out(key, value) && !is_default(key, value)
        };
        if mode.whole && observed.iter().any(is_added) {
            self.differ();
        }
    }

    fn compare_lists(&mut self, list: &str, wanted: &[Value], observed: &[Value], mode: Mode) {
        let keys = keys(list);
        if keys.is_empty()
            || !wanted
                .iter()
                .all(|item| keys.iter().all(|key| item.get(key).is_some_and(Value::is_string)))
        {
            let differ = wanted.len() != observed.len()
                || wanted.iter().zip(observed).any(|(item, other)| !fits(item, other, mode));
            if differ {
                self.differ();
            }
            return;
        }
        for item in wanted {
            let same: Vec<_> = observed
                .iter()
                .filter(|other| keys.iter().all(|key| other.get(key) == item.get(key)))
                .collect();
            match same[..] {
                [other] => {
                    let key = |key: &&str| Some(((*key).to_owned(), item.get(*key)?.clone()));
                    self.at.push(Segment::Key(keys.iter().filter_map(key).collect()));
                    self.compare("", item, other, mode);
                    self.at.pop();
                }
                _ if same.iter().any(|other| fits(item, other, mode)) => {}
                _ => self.differ(),
            }
        }
        if wanted.len() != observed.len() && self.at == service_ports() {
            self.differ();
        }
    }

    fn differ(&mut self) {
        self.found.push(self.at.clone());
    }
}

fn fits(wanted: &Value, observed: &Value, mode: Mode) -> bool {
    let mut comparison = Comparison::default();
    comparison.compare("", wanted, observed, mode);
    comparison.found.is_empty()
}

/// Fields that mean something else as soon as something is added to them. To the API server, too,
/// each is one value (`mapType=atomic`, `structType=atomic`, `listType=atomic`).
fn is_one_value(field: &str) -> bool {
    matches!(
        field,
        "selector"
            | "podSelector"
            | "namespaceSelector"
            | "labelSelector"
            | "nodeSelector"
            | "ingress"
            | "egress"
    )
}

/// What the API server adds to one value by itself.
fn is_default(field: &str, value: &Value) -> bool {
    field == "protocol" && value == "TCP"
}

/// A Service gives its callers all ports that it has.
fn service_ports() -> Path {
    ["spec", "ports"].map(|field| Segment::Field(field.to_owned())).into()
}

/// What tells the items of a list apart, where it is a map to the API server: others may have added
/// to it. All others are one value.
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

/// What the API server stores as if it had not been written. Of `false` that holds for some fields
/// only: where nothing means true, as in `automountServiceAccountToken`, it is stored.
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
                        | "paused"
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
}
