//! What the API server says to a manifest before the operator sees it: schema, unknown fields as `kubectl apply` refuses them, and
//! the rules in CEL. Made from the same definition that is installed in the cluster.

mod labels;
mod names;
pub(super) mod objects;

use std::sync::LazyLock;

use kube::core::cel::{CompiledSchema, Validator, compile_schema};
use lenses_mcp_crds::{GROUP, LensesMcpServer, schema::custom_resource_definition};
use serde_json::{Map, Value, json};

/// The version that this operator reads and writes.
const VERSION: &str = "v1alpha1";

/// The fields of every object's metadata.
const METADATA: [&str; 15] = [
    "annotations",
    "creationTimestamp",
    "deletionGracePeriodSeconds",
    "deletionTimestamp",
    "finalizers",
    "generateName",
    "generation",
    "labels",
    "managedFields",
    "name",
    "namespace",
    "ownerReferences",
    "resourceVersion",
    "selfLink",
    "uid",
];

/// The definition's schema as it is.
static SCHEMA: LazyLock<Value> = LazyLock::new(|| {
    let definition = serde_json::to_value(custom_resource_definition()).unwrap_or_default();
    definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"].clone()
});

/// What of the schema JSON Schema can tell.
static STRUCTURE: LazyLock<Result<jsonschema::Validator, String>> = LazyLock::new(|| {
    jsonschema::validator_for(&json_schema(SCHEMA.clone())).map_err(|error| error.to_string())
});

/// The schema's rules in CEL.
static RULES: LazyLock<CompiledSchema> = LazyLock::new(|| compile_schema(&SCHEMA));

/// Every reason for which the API server would refuse the object; none if it would take it.
pub(super) fn refusals(object: &Value) -> Vec<String> {
    let wanted = format!("{GROUP}/{VERSION}");
    if object["apiVersion"] != json!(wanted) {
        return vec![format!("apiVersion: {} is not served: write {wanted}", object["apiVersion"])];
    }
    let object = without_nulls(object.clone());
    if let Some(refusal) = metadata(&object["metadata"]) {
        return vec![refusal];
    }
    let mut refusals = structural(&object);
    refusals.extend(labels::refusals(&object));
    // The rules read values of the types that the schema says, so the API server, too, runs them only then.
    if refusals.is_empty()
        && let Err(errors) = Validator::new().validate_compiled(&RULES, &object, None)
    {
        refusals.extend(errors.into_vec().into_iter().map(
            |error| match error.field_path.as_str() {
                "" => error.message,
                path => format!("{path}: {}", error.message),
            },
        ));
    }
    refusals
}

/// The object as the operator reads it from the API server.
pub(super) fn server(object: &Value) -> serde_json::Result<LensesMcpServer> {
    serde_json::from_value(without_nulls(object.clone()))
}

/// What is wrong with the metadata, but for labels, annotations, and the form of the name, of which
/// a rule of the definition says what is wrong.
fn metadata(metadata: &Value) -> Option<String> {
    let mut fields = metadata.as_object().into_iter().flatten().map(|(field, _)| field);
    if let Some(unknown) = fields.find(|field| !METADATA.contains(&field.as_str())) {
        return Some(format!("metadata.{unknown}: unknown field"));
    }
    if metadata["name"].is_null() || metadata["name"] == "" {
        return Some("metadata.name: write the resource's name".to_owned());
    }
    for field in ["name", "namespace"] {
        if !matches!(metadata[field], Value::String(_) | Value::Null) {
            let value = &metadata[field];
            return Some(format!("metadata.{field}: {value} is not text: write it in quotes"));
        }
    }
    let namespace = metadata["namespace"].as_str().filter(|name| !names::is_label(name))?;
    Some(format!(
        "metadata.namespace: {namespace:?} is no namespace's name: write at most 63 small letters, \
         digits and '-', a letter or digit first and last"
    ))
}

/// A field that is null is dropped before defaults are set, as if it had not been written.
fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let kept = fields.into_iter().filter(|(_, field)| !field.is_null());
            Value::Object(kept.map(|(name, field)| (name, without_nulls(field))).collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(without_nulls).collect()),
        other => other,
    }
}

fn structural(object: &Value) -> Vec<String> {
    let mut refusals = Vec::new();
    walk("", &SCHEMA, object, &mut refusals);
    match &*STRUCTURE {
        Ok(validator) => refusals.extend(validator.iter_errors(object).map(|error| {
            let path = error.instance_path().as_str().trim_start_matches('/').replace('/', ".");
            format!("{path}: {error}")
        })),
        Err(error) => refusals.push(format!("this operator's own schema is not one: {error}")),
    }
    refusals
}

/// What JSON Schema reads otherwise than Kubernetes does: a list that is a set, and a number or text.
fn json_schema(mut schema: Value) -> Value {
    if let Some(fields) = schema.as_object_mut() {
        if fields.get("x-kubernetes-int-or-string") == Some(&json!(true)) {
            fields.insert("type".to_owned(), json!(["integer", "string"]));
        }
        if fields.get("x-kubernetes-list-type") == Some(&json!("set")) {
            fields.insert("uniqueItems".to_owned(), json!(true));
        }
        for (_, field) in fields.iter_mut() {
            *field = json_schema(field.take());
        }
    }
    schema
}

/// What JSON Schema cannot say: fields that the API does not have, and lists that are maps by a key.
fn walk(path: &str, schema: &Value, value: &Value, refusals: &mut Vec<String>) {
    let at = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    match value {
        Value::Object(fields) => {
            if let Some(known) = schema["properties"].as_object() {
                for (name, field) in fields {
                    match known.get(name) {
                        Some(schema) => walk(&at(name), schema, field, refusals),
                        // What every object has is not described in a definition.
                        None if path.is_empty()
                            && ["apiVersion", "kind", "metadata"].contains(&name.as_str()) => {}
                        None if schema["x-kubernetes-preserve-unknown-fields"] == json!(true) => {}
                        None => refusals.push(format!(
                            "{}: unknown field{}",
                            at(name),
                            nearest(name, known)
                        )),
                    }
                }
            } else if schema["additionalProperties"].is_object() {
                fields.iter().for_each(|(name, field)| {
                    walk(&at(name), &schema["additionalProperties"], field, refusals);
                });
            }
        }
        Value::Array(items) => {
            let keys: Vec<_> = schema["x-kubernetes-list-map-keys"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .collect();
            let key = |item: &Value| keys.iter().map(|key| item[*key].clone()).collect::<Vec<_>>();
            for (index, item) in items.iter().enumerate() {
                walk(&format!("{path}[{index}]"), &schema["items"], item, refusals);
                if !keys.is_empty()
                    && items.iter().take(index).any(|earlier| key(earlier) == key(item))
                {
                    refusals.push(format!(
                        "{path}[{index}]: another item has the same {}",
                        keys.join(" and ")
                    ));
                }
            }
        }
        _ => {}
    }
}

fn nearest(name: &str, known: &Map<String, Value>) -> String {
    let similarity = |candidate: &&String| strsim::jaro_winkler(name, candidate);
    let best = known.keys().max_by(|a, b| similarity(a).total_cmp(&similarity(b)));
    best.filter(|best| similarity(best) > 0.7)
        .map(|best| format!(", did you mean {best}?"))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(spec: &Value) -> Value {
        json!({ "apiVersion": "mcp.lenses.io/v1alpha1", "kind": "LensesMcpServer", "metadata": { "name": "mcp" }, "spec": spec })
    }

    #[test]
    fn what_the_api_server_takes_is_taken() {
        for spec in [
            json!({ "lenses": { "url": "https://hq.example.com" }, "auth": { "oauth": {} } }),
            json!({ "lenses": { "url": "https://hq.example.com", "serviceRef": null }, "auth": { "oauth": { "scopes": ["read"] } }, "replicas": null }),
            json!({ "lenses": { "serviceRef": { "name": "hq", "port": 80 }, "advertisedUrl": "https://hq" }, "auth": { "oauth": {} } }),
            json!({ "lenses": { "serviceRef": { "name": "hq", "port": "http" }, "advertisedUrl": "https://hq" }, "auth": { "oauth": {} } }),
        ] {
            assert_eq!(refusals(&server(&spec)), Vec::<String>::new(), "{spec}");
        }
    }

    #[test]
    fn what_the_api_server_refuses_is_refused_with_the_field_that_is_wrong() {
        let lenses = json!({ "url": "https://hq.example.com" });
        for (spec, said) in [
            (json!(null), "\"spec\" is a required property"),
            (json!({ "auth": { "oauth": {} } }), "spec: \"lenses\" is a required property"),
            (
                json!({ "lenses": lenses, "auth": { "oauth": {} }, "replicas": "two" }),
                "spec.replicas: \"two\" is not of type",
            ),
            (
                json!({ "lenses": lenses, "auth": { "oauth": {} }, "replicas": -1 }),
                "spec.replicas: -1 is less than",
            ),
            (
                json!({ "lenses": lenses, "auth": { "oauth": {} }, "replica": 1 }),
                "spec.replica: unknown field, did you mean replicas?",
            ),
            (
                json!({ "lenses": lenses, "auth": { "oauth": {} }, "zzz": 1 }),
                "spec.zzz: unknown field",
            ),
            (
                json!({ "lenses": lenses, "auth": { "oauth": { "scopes": ["root"] } } }),
                "spec.auth.oauth.scopes.0: \"root\" is not one of",
            ),
            (
                json!({ "lenses": lenses, "auth": { "oauth": { "scopes": ["read", "read"] } } }),
                "spec.auth.oauth.scopes: ",
            ),
            (
                json!({ "lenses": lenses, "auth": { "oauth": {} }, "imagePullSecrets": [{ "name": "a" }, { "name": "a" }] }),
                "spec.imagePullSecrets[1]: another item has the same name",
            ),
            (
                json!({ "lenses": lenses, "auth": { "oauth": {} }, "resources": { "requests": { "cpu": 0.1 } } }),
                "spec.resources.requests.cpu: 0.1 is not of types",
            ),
            (
                json!({ "lenses": { "url": "https://hq", "proxy": { "url": "http://proxy", "noProxy": ["a,b"] } } }),
                "spec.lenses.proxy.noProxy.0: ",
            ),
            (json!({ "lenses": lenses, "auth": {} }), "spec.auth: say how callers sign in"),
            (json!({ "lenses": lenses }), "say how callers sign in"),
        ] {
            let refusals = refusals(&server(&spec));
            assert!(
                refusals.iter().any(|refusal| refusal.contains(said)),
                "{spec} gave {refusals:?}"
            );
        }
    }

    #[test]
    fn another_version_and_a_nameless_resource_are_refused() {
        let mut object = server(&json!({}));
        object["apiVersion"] = json!("mcp.lenses.io/v9");
        assert!(refusals(&object)[0].contains("is not served: write mcp.lenses.io/v1alpha1"));
        let mut object = server(&json!({}));
        object["metadata"] = json!({});
        assert!(refusals(&object)[0].starts_with("metadata.name: "));
    }
}
