//! The resources, as they are watched: of each what is asked of all of them, and the rest compressed until a reconcile reads it.
//!
//! One that this operator cannot read must not keep the others from being read, so what cannot be read shows when a reconcile reads it.

use std::{
    collections::BTreeMap,
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
};

use kube::{
    Resource, ResourceExt, api::ObjectMeta, core::DeserializeGuard, runtime::reflector::ObjectRef,
};
use lenses_mcp_crds::{LensesMcpServer, conditions::ConditionType};
use serde::{Deserialize, Deserializer, de::Error};
use serde_json::Value;

use super::compression::Codec;
use crate::metrics::ConditionLabels;

static CODEC: Codec = Codec::new();

/// The conditions that the metrics count.
const COUNTED: [ConditionType; 7] = [
    ConditionType::Ready,
    ConditionType::Accepted,
    ConditionType::Available,
    ConditionType::LensesReachable,
    ConditionType::Verified,
    ConditionType::Reconciling,
    ConditionType::Stalled,
];

/// A resource, as it is watched.
#[derive(Clone, Debug, Resource)]
#[resource(inherit = LensesMcpServer)]
pub(crate) struct WatchedServer {
    /// Name, namespace, uid, `resourceVersion` and `deletionTimestamp`.
    metadata: ObjectMeta,
    /// Stands for all whose change is a reason for a reconcile.
    pub(crate) version: u64,
    conditions: [Truth; COUNTED.len()],
    compressed: Arc<[u8]>,
}

/// The status of a condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Truth {
    True,
    False,
    Unknown,
}

/// Why a resource cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Unreadable(String);

impl WatchedServer {
    /// The resource itself.
    ///
    /// # Errors
    /// When it is none that this operator can read, such as one that a newer operator's CRD let in.
    pub(crate) fn read(&self) -> Result<LensesMcpServer, Unreadable> {
        CODEC.decode(&self.compressed).or_else(|_| match CODEC.decode(&self.compressed) {
            // What this says of what is wrong names no place in the compressed text.
            Ok(DeserializeGuard(read)) => read.map_err(|invalid| Unreadable(invalid.error)),
            Err(error) => Err(Unreadable(error.to_string())),
        })
    }

    /// Whether it has been told to go.
    pub(crate) fn is_going(&self) -> bool {
        self.metadata.deletion_timestamp.is_some()
    }
}

/// How many of these have each condition with each status: `True`, `False` or `Unknown`.
pub(crate) fn count(servers: &[Arc<WatchedServer>]) -> BTreeMap<ConditionLabels, i64> {
    let labels = |kind: ConditionType, status| ConditionLabels { condition: kind.as_str(), status };
    let counts = COUNTED.iter().enumerate().flat_map(|(place, kind)| {
        [(Truth::True, "True"), (Truth::False, "False"), (Truth::Unknown, "Unknown")].map(
            |(truth, status)| {
                let count = servers
                    .iter()
                    .filter(|server| server.conditions.get(place) == Some(&truth))
                    .count();
                (labels(*kind, status), i64::try_from(count).unwrap_or(i64::MAX))
            },
        )
    });
    counts.filter(|(_, count)| *count > 0).collect()
}

/// The resource's name, as that of what is watched.
pub(crate) fn key(server: &LensesMcpServer) -> ObjectRef<WatchedServer> {
    ObjectRef::new(&server.name_any()).within(&server.namespace().unwrap_or_default())
}

/// It is read as the resource is.
impl<'de> Deserialize<'de> for WatchedServer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut server = Value::deserialize(deserializer)?;
        // No reconcile looks at these.
        if let Some(metadata) = server.get_mut("metadata").and_then(Value::as_object_mut) {
            metadata.remove("managedFields");
        }
        let ObjectMeta { name, namespace, uid, resource_version, deletion_timestamp, .. } =
            ObjectMeta::deserialize(&server["metadata"]).map_err(D::Error::custom)?;
        let compressed = CODEC.encode(&server).map_err(D::Error::custom)?;
        Ok(Self {
            metadata: ObjectMeta {
                name,
                namespace,
                uid,
                resource_version,
                deletion_timestamp,
                ..ObjectMeta::default()
            },
            version: version(&server),
            conditions: COUNTED.map(|kind| truth(&server["status"]["conditions"], kind)),
            compressed: compressed.into(),
        })
    }
}

/// A new generation; an annotation, which may ask for something; and the status, since one that somebody else wrote is put right.
fn version(server: &Value) -> u64 {
    let mut hasher = DefaultHasher::new();
    server["metadata"]["generation"].hash(&mut hasher);
    server["metadata"]["annotations"].hash(&mut hasher);
    server["status"].hash(&mut hasher);
    hasher.finish()
}

fn truth(conditions: &Value, kind: ConditionType) -> Truth {
    let condition = conditions
        .as_array()
        .into_iter()
        .flatten()
        .find(|condition| condition["type"] == kind.as_str());
    match condition.and_then(|condition| condition["status"].as_str()) {
        Some("True") => Truth::True,
        Some("False") => Truth::False,
        // These two are there only while true.
        _ if matches!(kind, ConditionType::Reconciling | ConditionType::Stalled) => Truth::False,
        _ => Truth::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn manifest() -> Value {
        json!({
            "apiVersion": "mcp.lenses.io/v1alpha1",
            "kind": "LensesMcpServer",
            "metadata": {
                "name": "team-mcp", "namespace": "tools", "uid": "u", "resourceVersion": "9", "generation": 2,
                "annotations": { "team": "kafka" }, "managedFields": [{ "manager": "kubectl" }],
            },
            "spec": { "lenses": { "url": "http://hq" }, "auth": { "oauth": {} } },
            "status": { "conditions": [
                { "type": "Ready", "status": "False", "reason": "NotReady", "message": "", "lastTransitionTime": "2026-01-01T00:00:00Z" },
                { "type": "Accepted", "status": "True", "reason": "Accepted", "message": "", "lastTransitionTime": "2026-01-01T00:00:00Z" },
            ]},
        })
    }

    fn watched(server: &Value) -> WatchedServer {
        serde_json::from_value(server.clone()).unwrap()
    }

    #[test]
    fn a_resource_is_read_as_it_was_seen_but_for_what_no_pass_looks_at() {
        let mut without = manifest();
        without["metadata"].as_object_mut().unwrap().remove("managedFields");
        let expected: LensesMcpServer = serde_json::from_value(without).unwrap();
        assert_eq!(
            serde_json::to_value(watched(&manifest()).read().unwrap()).unwrap(),
            serde_json::to_value(expected).unwrap()
        );
    }

    #[test]
    fn one_that_cannot_be_read_is_watched_and_says_why_when_it_is_read() {
        let mut server = manifest();
        server["spec"]["replicas"] = json!("many");
        let watched = watched(&server);
        assert_eq!(watched.meta().name.as_deref(), Some("team-mcp"));
        let why = watched.read().unwrap_err().to_string();
        assert!(why.contains("many") && !why.contains("column"), "{why}");
    }

    #[test]
    fn a_change_of_spec_annotation_or_status_is_a_reason_for_a_pass_and_nothing_else_is() {
        let before = watched(&manifest()).version;
        let after = |change: fn(&mut Value)| {
            let mut server = manifest();
            change(&mut server);
            watched(&server).version
        };
        assert_ne!(before, after(|server| server["metadata"]["generation"] = json!(3)));
        assert_ne!(
            before,
            after(|server| server["metadata"]["annotations"]["team"] = json!("other"))
        );
        assert_ne!(
            before,
            after(|server| server["status"]["conditions"][0]["status"] = json!("True"))
        );
        assert_eq!(before, after(|server| server["metadata"]["resourceVersion"] = json!("10")));
        assert_eq!(
            before,
            after(|server| server["metadata"]["labels"] = json!({ "team": "kafka" }))
        );
    }

    #[test]
    fn conditions_are_counted_by_their_status() {
        let mut bare = manifest();
        bare.as_object_mut().unwrap().remove("status");
        let counts = count(&[Arc::new(watched(&manifest())), Arc::new(watched(&bare))]);
        let counts: Vec<_> = counts
            .iter()
            .map(|(labels, count)| (labels.condition, labels.status, *count))
            .collect();
        let expected = [
            ("Accepted", "True", 1),
            ("Accepted", "Unknown", 1),
            ("Available", "Unknown", 2),
            ("LensesReachable", "Unknown", 2),
            ("Ready", "False", 1),
            ("Ready", "Unknown", 1),
            ("Reconciling", "False", 2),
            ("Stalled", "False", 2),
            ("Verified", "Unknown", 2),
        ];
        assert_eq!(counts, expected);
    }
}
