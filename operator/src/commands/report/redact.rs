//! Objects of the API server without what may be secret.

use serde_json::{Map, Value, json};

use crate::commands::sensitive::{REMOVED, without_secrets};

/// How the names of annotations end in which a program keeps the object as it applied it: kubectl,
/// this operator, and others.
const LAST_APPLIED: &str = "/last-applied-configuration";

/// Takes out values of environment variables and headers, commands and their arguments, the data of
/// Secrets, and what looks like a secret anywhere else.
pub(super) fn redact(value: &mut Value) {
    match value {
        Value::Object(fields) => redact_fields(fields),
        Value::Array(items) => items.iter_mut().for_each(redact),
        Value::String(text) => *text = without_secrets(text),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn redact_fields(fields: &mut Map<String, Value>) {
    fields.remove("managedFields");
    fields.retain(|name, _| !name.ends_with(LAST_APPLIED));
    let is_secret = fields.get("kind").is_some_and(|kind| kind == "Secret");
    for (name, field) in fields.iter_mut() {
        match (name.as_str(), &mut *field) {
            ("data" | "stringData", _) if is_secret => *field = json!(REMOVED),
            ("env" | "httpHeaders", Value::Array(items)) => {
                items.iter_mut().for_each(remove_value);
            }
            ("command" | "args", Value::Array(words)) => {
                words.fill(json!(REMOVED));
            }
            (_, field) => redact(field),
        }
    }
}

/// Where a value comes from stays.
fn remove_value(item: &mut Value) {
    if let Some(value) = item.get_mut("value") {
        *value = json!(REMOVED);
    }
    redact(item);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_taken_out_and_names_stay() {
        let mut object = json!({
            "kind": "Deployment",
            "metadata": {
                "managedFields": [1],
                "annotations": {
                    "kubectl.kubernetes.io/last-applied-configuration": "secret-1",
                    "mcp.lenses.io/last-applied-configuration": "secret-1",
                    "a": "http://u:secret-2@h",
                },
            },
            "spec": { "containers": [{
                "name": "c",
                "args": ["--password=secret-3"],
                "env": [
                    { "name": "A", "value": "secret-4" },
                    { "name": "B", "valueFrom": { "secretKeyRef": { "name": "s", "key": "k" } } },
                ],
                "livenessProbe": {
                    "exec": { "command": ["secret-5"] },
                    "httpGet": { "httpHeaders": [{ "name": "X", "value": "secret-6" }] },
                },
            }] },
        });
        redact(&mut object);
        assert!(!object.to_string().contains("secret-"), "{object}");
        let container = &object["spec"]["containers"][0];
        assert_eq!(container["env"][0], json!({ "name": "A", "value": REMOVED }));
        assert_eq!(container["env"][1]["valueFrom"]["secretKeyRef"]["name"], "s");
        assert_eq!(object["metadata"]["annotations"]["a"], "http://(removed)@h");

        let mut secret = json!({ "kind": "Secret", "data": { "k": "secret" }, "type": "Opaque" });
        redact(&mut secret);
        assert_eq!(secret, json!({ "kind": "Secret", "data": REMOVED, "type": "Opaque" }));
    }
}
