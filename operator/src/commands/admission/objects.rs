//! What the API server says to the objects that a resource becomes, as far as their own fields tell.
//!
//! The schema of `spec.podTemplate`, `spec.networkPolicy` and `spec.autoscaling` knows names and types
//! of their fields. What the values of a field may be, and how fields depend on each other, only the
//! API server knows. Here is what of that a manifest is most often refused for: [`values`] of single
//! fields, and [`relations`] of several.

mod relations;
mod values;

use serde_json::Value;

use super::labels;

/// Where something stands in an object.
#[derive(Clone, Copy)]
struct Place<'a> {
    /// For people, as `spec.template.spec.containers[proxy].image`.
    path: &'a str,
    /// The field that the field is in.
    parent: &'a str,
    /// The field. Items of a list have its name.
    field: &'a str,
}

/// Every reason for which the API server would refuse one of the objects.
pub(in crate::commands) fn refusals(objects: &[Value]) -> Vec<String> {
    let mut refusals = Vec::new();
    for object in objects {
        let kind = object["kind"].as_str().unwrap_or_default();
        // What else they have is the operator's own.
        let path = format!("{kind} spec");
        let place = Place { path: &path, parent: "", field: "spec" };
        walk(place, &object["spec"], &mut refusals);
        relations::check_pod(&path, &object["spec"]["template"]["spec"], &mut refusals);
    }
    refusals
}

fn walk(place: Place<'_>, value: &Value, refusals: &mut Vec<String>) {
    match value {
        Value::Array(items) => {
            relations::check_list(place, items, refusals);
            for (index, item) in items.iter().enumerate() {
                let name = item["name"].as_str().map_or_else(|| index.to_string(), str::to_owned);
                let path = format!("{}[{name}]", place.path);
                walk(Place { path: &path, ..place }, item, refusals);
            }
        }
        Value::Object(_) if matches!(place.field, "nodeSelector" | "matchLabels") => {
            labels::check(place.path, value, true, refusals);
        }
        Value::Object(fields) => {
            relations::check_object(place, value, refusals);
            for (field, value) in fields {
                let path = format!("{}.{field}", place.path);
                walk(Place { path: &path, parent: place.field, field }, value, refusals);
            }
        }
        Value::Null => {}
        scalar => refusals.extend(values::refusal(place, scalar)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_field_of_an_object_is_named_with_its_list_items() {
        let containers =
            json!([{ "name": "proxy", "image": "proxy:1", "imagePullPolicy": "Sometimes" }]);
        let object = json!({
            "kind": "Deployment", "spec": { "template": { "spec": { "containers": containers } } },
        });
        let said = "Deployment spec.template.spec.containers[proxy].imagePullPolicy: \"Sometimes\": \
                    write one of Always, IfNotPresent, Never";
        assert_eq!(refusals(&[object]), [said]);
    }
}
