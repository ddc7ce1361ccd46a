//! `spec.podTemplate`: the schema of a partial `PodTemplateSpec`.

use k8s_openapi::api::core::v1::PodTemplateSpec;
use schemars::{Schema, SchemaGenerator};
use serde_json::{Value, json};

/// The container of the server. In `spec.podTemplate` this name says that what follows is merged
/// into it.
pub const SERVER_CONTAINER: &str = "lenses-mcp-server";

/// Kubernetes' own schema, so that a wrong type or name is refused at `kubectl apply`, with three
/// changes. Nothing is required that the operator fills in. Only labels and annotations are left of
/// the metadata. And it is without descriptions: they would be larger than all the rest of the CRD,
/// and are at `kubectl explain pod.spec`.
pub(super) fn partial_pod_template(generator: &mut SchemaGenerator) -> Schema {
    let mut schema = generator.subschema_for::<PodTemplateSpec>().to_value();
    let strings = json!({
        "type": "object", "maxProperties": 64,
        "additionalProperties": { "type": "string", "maxLength": 65536 }
    });
    schema["properties"]["metadata"] =
        json!({ "type": "object", "properties": { "labels": strings, "annotations": strings } });
    silence(&mut schema);
    let pod = &mut schema["properties"]["spec"];
    if let Some(pod) = pod.as_object_mut() {
        pod.remove("required");
    }
    if let Some(fields) = pod["properties"].as_object_mut() {
        // Kubernetes refuses these in a template.
        fields.remove("ephemeralContainers");
        // Drivers that Kubernetes has removed or that CSI has taken the place of.
        if let Some(sources) = fields["volumes"]["items"]["properties"].as_object_mut() {
            sources.retain(|source, _| !LEGACY_VOLUMES.contains(&source.as_str()));
        }
        // The API server reckons the cost of rules from the longest lists that there can be.
        for (list, most) in [("containers", 16), ("initContainers", 16), ("volumes", 64)] {
            fields[list]["maxItems"] = json!(most);
            fields[list]["items"]["properties"]["name"]["maxLength"] = json!(63);
        }
        let container = &mut fields["containers"]["items"]["properties"];
        for (list, key, most, longest) in
            [("env", "name", 128, 128), ("volumeMounts", "mountPath", 64, 1024)]
        {
            container[list]["maxItems"] = json!(most);
            container[list]["items"]["properties"][key]["maxLength"] = json!(longest);
        }
    }
    Schema::try_from(schema).unwrap_or_default()
}

const LEGACY_VOLUMES: [&str; 19] = [
    "awsElasticBlockStore",
    "azureDisk",
    "azureFile",
    "cephfs",
    "cinder",
    "fc",
    "flexVolume",
    "flocker",
    "gcePersistentDisk",
    "gitRepo",
    "glusterfs",
    "iscsi",
    "photonPersistentDisk",
    "portworxVolume",
    "quobyte",
    "rbd",
    "scaleIO",
    "storageos",
    "vsphereVolume",
];

/// Takes the descriptions out; a property may be called so, and stays.
fn silence(schema: &mut Value) {
    let Some(schema) = schema.as_object_mut() else { return };
    schema.remove("description");
    if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        properties.values_mut().for_each(silence);
    }
    for key in ["items", "additionalProperties"] {
        schema.get_mut(key).into_iter().for_each(silence);
    }
}
