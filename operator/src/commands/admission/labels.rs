//! Keys of labels and annotations, and values of labels, as the API server takes them.

use serde_json::Value;

/// The longest name of a key, and the longest value of a label.
const NAME_MAX: usize = 63;
/// The longest prefix of a key.
const PREFIX_MAX: usize = 253;

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
        for (key, value) in object.pointer(place).and_then(Value::as_object).into_iter().flatten() {
            if !is_key(key) {
                refusals.push(format!(
                    "{field}: {key:?} is not a key: write one such as example.com/team"
                ));
            }
            match value.as_str() {
                Some(value) if is_label && !(value.is_empty() || is_name(value)) => {
                    refusals.push(format!(
                        "{field}.{key}: {value:?} is not a label's value: write at most 63 letters, \
                         digits, '-', '_' and '.', a letter or digit first and last"
                    ));
                }
                Some(_) => {}
                None => {
                    refusals
                        .push(format!("{field}.{key}: {value} is not text: write it in quotes"));
                }
            }
        }
    }
    refusals
}

/// `prefix/name`, or a name alone.
fn is_key(key: &str) -> bool {
    let (prefix, name) =
        key.split_once('/').map_or((None, key), |(prefix, name)| (Some(prefix), name));
    is_name(name) && prefix.is_none_or(is_subdomain)
}

fn is_name(text: &str) -> bool {
    let bytes = text.as_bytes();
    let inner = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
    text.len() <= NAME_MAX && bytes.iter().all(inner) && has_ends(bytes, u8::is_ascii_alphanumeric)
}

fn is_subdomain(text: &str) -> bool {
    let outer = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let is_label = |label: &str| {
        let bytes = label.as_bytes();
        bytes.iter().all(|byte| outer(byte) || *byte == b'-') && has_ends(bytes, outer)
    };
    text.len() <= PREFIX_MAX && text.split('.').all(is_label)
}

fn has_ends(bytes: &[u8], outer: impl Fn(&u8) -> bool) -> bool {
    bytes.first().is_some_and(&outer) && bytes.last().is_some_and(&outer)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn keys_and_values_are_those_of_kubernetes() {
        for key in ["team", "example.com/team", "a", "A.b_c-1", "example.com/A"] {
            assert!(is_key(key), "{key}");
        }
        let long = "a".repeat(64);
        for key in ["", "-a", "a-", "a b", "a/b/c", "/a", "a/", "Example.com/a", "a..b/c", &long] {
            assert!(!is_key(key), "{key}");
        }
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
