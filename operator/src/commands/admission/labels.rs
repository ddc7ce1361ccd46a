//! Keys of labels and annotations, and values of labels, as the API server takes them.

use serde_json::Value;

use super::names::{is_key, is_value};

/// Where a resource has labels (true) and annotations (false).
const PLACES: [(&str, bool); 7] = [
    ("/metadata/labels", true),
    ("/metadata/annotations", false),
    ("/spec/podTemplate/metadata/labels", true),
    ("/spec/podTemplate/metadata/annotations", false),
    ("/spec/endpoint/service/annotations", false),
    ("/spec/endpoint/ingress/annotations", false),
    ("/spec/observability/metrics/serviceMonitor/labels", true),
];

/// What is wrong with them, each with its field.
pub(super) fn refusals(object: &Value) -> Vec<String> {
    let mut refusals = Vec::new();
    for (place, is_label) in PLACES {
        let field = place.trim_start_matches('/').replace('/', ".");
        check(&field, object.pointer(place).unwrap_or(&Value::Null), is_label, &mut refusals);
    }
    refusals
}

/// Checks the labels, or the annotations, of `field`.
pub(super) fn check(field: &str, map: &Value, is_label: bool, refusals: &mut Vec<String>) {
    for (key, value) in map.as_object().into_iter().flatten() {
        // Of annotations, the API server takes keys in capitals, too.
        let is_key = if is_label { is_key(key) } else { is_key(&key.to_lowercase()) };
        if !is_key {
            refusals
                .push(format!("{field}: {key:?} is not a key: write one such as example.com/team"));
        }
        match value.as_str() {
            Some(value) if is_label && !is_value(value) => refusals.push(format!(
                "{field}.{key}: {value:?} is not a label's value: write at most 63 letters, \
                 digits, '-', '_' and '.', a letter or digit first and last"
            )),
            Some(_) => {}
            None => {
                refusals.push(format!("{field}.{key}: {value} is not text: write it in quotes"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_key_and_value_is_refused_with_its_field() {
        let object = json!({
            "metadata": {
                "labels": { "ok": "", "a b": "x", "c": "x y", "d": 1 },
                "annotations": { "e": "any thing" },
            },
            "spec": { "podTemplate": { "metadata": { "annotations": { "f/g/h": "" } } } },
        });
        let said = refusals(&object).join("\n");
        for part in [
            "metadata.labels: \"a b\" is not a key",
            "metadata.labels.c: \"x y\" is not a label's value",
            "metadata.labels.d: 1 is not text",
            "spec.podTemplate.metadata.annotations: \"f/g/h\" is not a key",
        ] {
            assert!(said.contains(part), "{part} is not in {said}");
        }
        assert_eq!(said.lines().count(), 4, "{said}");
    }
}
