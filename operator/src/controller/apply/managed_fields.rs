//! Who owns which field of an object, and how this operator takes fields over. Pure.
//!
//! Server-side apply removes a field that its manager no longer applies only if no other manager
//! owns it. So a field that is to go, or that is in the way, first moves to this operator's Apply
//! entry; so do all fields of its Update entry, as client-go's `csaupgrade` does. The next apply
//! then removes what is not wanted.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{FieldsV1, ManagedFieldsEntry};
use serde_json::{Map, Value};

use crate::MANAGER;

const APPLY: &str = "Apply";
const UPDATE: &str = "Update";

/// The place of a field in an object.
pub(super) type Path = Vec<Segment>;

/// A step on the way to a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Segment {
    Field(String),
    /// The item of a list that has these values in the fields that tell its items apart.
    Key(Map<String, Value>),
    /// Any item of a list that this operator owns, too.
    Item,
}

type Fields = Map<String, Value>;

/// The entries after this operator has taken over all that it wrote by an update, and all that
/// others own at the `disputed` places. `None`: there is nothing to take over.
pub(super) fn taken_over(
    entries: &[ManagedFieldsEntry],
    disputed: &[Path],
) -> Option<Vec<ManagedFieldsEntry>> {
    let is_ours = |entry: &ManagedFieldsEntry, operation: &str| {
        entry.manager.as_deref() == Some(MANAGER)
            && entry.operation.as_deref() == Some(operation)
            && entry.subresource.as_deref().unwrap_or_default().is_empty()
    };
    let applied = entries.iter().find(|entry| is_ours(entry, APPLY));
    let own = applied.map(fields).unwrap_or_default();
    let (mut ours, mut changed, mut others) = (own.clone(), false, Vec::new());
    for entry in entries {
        if is_ours(entry, APPLY) {
            continue;
        }
        if is_ours(entry, UPDATE) {
            merge(&mut ours, fields(entry));
            changed = true;
            continue;
        }
        let mut theirs = fields(entry);
        if entry.subresource.as_deref().unwrap_or_default().is_empty() {
            for path in disputed {
                let taken = take(&mut theirs, path, &own);
                changed |= !taken.is_empty();
                merge(&mut ours, taken);
            }
        }
        if !theirs.is_empty() {
            others.push(ManagedFieldsEntry {
                fields_v1: Some(FieldsV1(theirs.into())),
                ..entry.clone()
            });
        }
    }
    if !changed {
        return None;
    }
    let model = applied.or_else(|| entries.first())?.clone();
    others.push(ManagedFieldsEntry {
        manager: Some(MANAGER.to_owned()),
        operation: Some(APPLY.to_owned()),
        subresource: None,
        fields_v1: Some(FieldsV1(ours.into())),
        ..model
    });
    Some(others)
}

/// The place that a `field` of a Status names, such as `spec.ports[1].name`: that of the innermost
/// list in it, because an item that is in the way is another one than that which is named.
pub(super) fn place(field: &str) -> Path {
    let mut segments = Vec::new();
    let mut rest = field;
    while !rest.is_empty() {
        let end = rest.find(['.', '[']).unwrap_or(rest.len());
        let (name, after) = rest.split_at(end);
        if !name.is_empty() {
            segments.push(Segment::Field(name.to_owned()));
        }
        rest = after.strip_prefix('.').unwrap_or(after);
        if let Some(index) = rest.strip_prefix('[') {
            let (_, after) = index.split_once(']').unwrap_or((index, ""));
            segments.push(Segment::Item);
            rest = after.strip_prefix('.').unwrap_or(after);
        }
    }
    if let Some(innermost) = segments.iter().rposition(|segment| *segment == Segment::Item) {
        segments.truncate(innermost);
    }
    segments
}

fn fields(entry: &ManagedFieldsEntry) -> Fields {
    match &entry.fields_v1 {
        Some(FieldsV1(Value::Object(fields))) => fields.clone(),
        _ => Fields::new(),
    }
}

/// Takes out what is at that place, with the way to it.
fn take(theirs: &mut Fields, path: &[Segment], own: &Fields) -> Fields {
    let Some((first, rest)) = path.split_first() else { return Fields::new() };
    let keys: Vec<String> = theirs.keys().filter(|key| matches(first, key, own)).cloned().collect();
    let (mut taken, none) = (Fields::new(), Fields::new());
    for key in keys {
        if rest.is_empty() {
            taken.extend(theirs.remove_entry(&key));
            continue;
        }
        let own = own.get(&key).and_then(Value::as_object).unwrap_or(&none);
        let Some(Value::Object(below)) = theirs.get_mut(&key) else { continue };
        let below_taken = take(below, rest, own);
        if below.is_empty() {
            theirs.remove(&key);
        }
        if !below_taken.is_empty() {
            taken.insert(key, below_taken.into());
        }
    }
    taken
}

fn matches(segment: &Segment, key: &str, own: &Fields) -> bool {
    match segment {
        Segment::Field(name) => key.strip_prefix("f:") == Some(name),
        Segment::Key(values) => key
            .strip_prefix("k:")
            .and_then(|key| serde_json::from_str::<Value>(key).ok())
            .is_some_and(|key| key.as_object() == Some(values)),
        Segment::Item => key.starts_with("k:") && own.contains_key(key),
    }
}

fn merge(into: &mut Fields, from: Fields) {
    for (key, value) in from {
        match (into.get_mut(&key), value) {
            (Some(Value::Object(into)), Value::Object(from)) => merge(into, from),
            (_, value) => drop(into.insert(key, value)),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn entries(entries: &Value) -> Vec<ManagedFieldsEntry> {
        serde_json::from_value(entries.clone()).unwrap()
    }

    fn entry(manager: &str, operation: &str, fields: &Value) -> Value {
        json!({
            "manager": manager, "operation": operation, "apiVersion": "v1",
            "fieldsType": "FieldsV1", "fieldsV1": fields,
        })
    }

    fn taken(before: &Value, disputed: &[Path]) -> Option<Value> {
        let taken = taken_over(&entries(before), disputed)?;
        Some(serde_json::to_value(taken).unwrap())
    }

    #[test]
    fn an_update_entry_of_ours_becomes_part_of_the_apply_entry() {
        let before = json!([
            entry(MANAGER, APPLY, &json!({ "f:spec": { "f:a": {}, "f:nodeSelector": {} } })),
            entry(MANAGER, UPDATE, &json!({ "f:spec": { "f:a": {}, "f:b": { "f:c": {} } } })),
            entry("kubectl-edit", UPDATE, &json!({ "f:spec": { "f:d": {} } })),
        ]);
        let after = json!([
            entry("kubectl-edit", UPDATE, &json!({ "f:spec": { "f:d": {} } })),
            entry(
                MANAGER,
                APPLY,
                &json!({
                    "f:spec": { "f:a": {}, "f:b": { "f:c": {} }, "f:nodeSelector": {} },
                })
            ),
        ]);
        assert_eq!(taken(&before, &[]), Some(after.clone()));
        assert_eq!(taken(&after, &[]), None);
        let only = json!([entry(MANAGER, UPDATE, &json!({ "f:data": {} }))]);
        let applied = json!([entry(MANAGER, APPLY, &json!({ "f:data": {} }))]);
        assert_eq!(taken(&only, &[]), Some(applied));
    }

    #[test]
    fn disputed_fields_of_other_managers_move_and_the_rest_stays() {
        let (mcp, metrics) =
            (r#"k:{"port":80,"protocol":"TCP"}"#, r#"k:{"port":9090,"protocol":"TCP"}"#);
        let before = json!([
            entry(
                MANAGER,
                APPLY,
                &json!({ "f:spec": { "f:ports": { mcp: { ".": {}, "f:name": {} } } } })
            ),
            entry(
                "edit",
                UPDATE,
                &json!({
                    "f:metadata": { "f:annotations": { "f:theirs": {} } },
                    "f:spec": { "f:ports": { metrics: { ".": {}, "f:port": {} } } },
                })
            ),
            entry(
                "apply",
                APPLY,
                &json!({ "f:spec": { "f:ports": { metrics: { "f:port": {} } } } })
            ),
        ]);
        let after = json!([
            entry(
                "edit",
                UPDATE,
                &json!({ "f:metadata": { "f:annotations": { "f:theirs": {} } } })
            ),
            entry(
                MANAGER,
                APPLY,
                &json!({ "f:spec": { "f:ports": {
                mcp: { ".": {}, "f:name": {} },
                metrics: { ".": {}, "f:port": {} },
            } } })
            ),
        ]);
        assert_eq!(taken(&before, &[place("spec.ports[1].name")]), Some(after));
        assert_eq!(taken(&before, &[place("spec.selector")]), None);
    }

    #[test]
    fn items_of_other_lists_are_taken_only_below_items_of_ours() {
        let (ours, sidecar) = (r#"k:{"name":"server"}"#, r#"k:{"name":"sidecar"}"#);
        let mount = json!({ "f:volumeMounts": { r#"k:{"mountPath":"/x"}"#: {} } });
        let pod = |containers: Value| json!({ "f:spec": { "f:containers": containers } });
        let before = json!([
            entry(MANAGER, APPLY, &pod(json!({ ours: { "f:image": {} } }))),
            entry("edit", UPDATE, &pod(json!({ ours: mount, sidecar: mount }))),
        ]);
        let after = json!([
            entry("edit", UPDATE, &pod(json!({ sidecar: mount }))),
            entry(
                MANAGER,
                APPLY,
                &pod(json!({
                    ours: { "f:image": {}, "f:volumeMounts": mount["f:volumeMounts"] },
                }))
            ),
        ]);
        let cause = "spec.containers[0].volumeMounts[2].mountPath";
        assert_eq!(taken(&before, &[place(cause)]), Some(after.clone()));
        let Value::Object(key) = json!({ "name": "server" }) else { unreachable!() };
        let field = |name: &str| Segment::Field(name.to_owned());
        let path =
            vec![field("spec"), field("containers"), Segment::Key(key), field("volumeMounts")];
        assert_eq!(taken(&before, &[path]), Some(after));
    }

    #[test]
    fn the_scale_and_the_status_stay_with_their_managers() {
        let mut scaled = entry("kcm", UPDATE, &json!({ "f:spec": { "f:replicas": {} } }));
        scaled["subresource"] = json!("scale");
        assert_eq!(taken(&json!([scaled]), &[place("spec.replicas")]), None);
    }

    #[test]
    fn a_place_is_that_of_the_innermost_list() {
        let field = |name: &str| Segment::Field(name.to_owned());
        for (named, path) in [
            ("spec.ports[1].name", vec![field("spec"), field("ports")]),
            ("spec.a[0].b[2].c", vec![field("spec"), field("a"), Segment::Item, field("b")]),
            ("spec.strategy", vec![field("spec"), field("strategy")]),
            ("metadata.annotations[a.b/c]", vec![field("metadata"), field("annotations")]),
            ("a[", vec![field("a")]),
            ("", vec![]),
        ] {
            assert_eq!(place(named), path, "{named}");
        }
    }
}
