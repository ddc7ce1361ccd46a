//! Whether an object has what is wanted in it. Pure.
//!
//! The API server adds to what it is given (defaults, other managers' fields), so an object fits if
//! everything wanted is in it. Selectors, the rules of a `NetworkPolicy` and the ports of a Service
//! are compared whole: there, whatever somebody added changes what the wanted part means. What is
//! no longer wanted shows in the digest annotation, which is part of what is wanted.

#[cfg(test)]
mod tests;

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
