//! Who owns an object that has a name which a resource needs.

use std::sync::Arc;

use kube::{Resource, ResourceExt, core::PartialObjectMeta};
use lenses_mcp_crds::LensesMcpServer;

use super::{observed::Ownership, validate::ValidServer};
use crate::{
    apis::CachedKind,
    names::labels,
    watching::{Cache, caches::OwnAndOthers},
};

/// A resource, as the owner of its objects.
#[derive(Clone, Copy)]
pub(super) struct Owner<'a> {
    namespace: &'a str,
    pub(super) name: &'a str,
    uid: Option<&'a str>,
}

impl<'a> Owner<'a> {
    pub(super) fn of(server: &'a LensesMcpServer) -> Self {
        Self {
            namespace: server.metadata.namespace.as_deref().unwrap_or_default(),
            name: server.metadata.name.as_deref().unwrap_or_default(),
            uid: server.metadata.uid.as_deref(),
        }
    }

    pub(super) fn of_valid(server: &'a ValidServer) -> Self {
        Self { namespace: &server.namespace, name: &server.name, uid: Some(&server.owner.uid) }
    }

    /// Who has a name, as far as this cache shows.
    pub(super) fn cached<K: CachedKind>(
        self,
        cache: &Cache<K>,
        name: &str,
    ) -> Option<Ownership<K>> {
        let object = cache.get(self.namespace, name)?;
        Some(if self.owns(&object) { Ownership::Own(Arc::new(object)) } else { Ownership::Taken })
    }

    /// Who has the name of an object of a kind of which all are watched.
    pub(super) fn watched<K: CachedKind>(self, cache: &OwnAndOthers<K>, name: &str) -> Ownership<K>
    where
        PartialObjectMeta<K>: CachedKind,
    {
        self.cached(&cache.own, name).unwrap_or_else(|| match self.cached(&cache.others, name) {
            None => Ownership::Free,
            Some(Ownership::Own(_)) => Ownership::OwnUnlabelled,
            Some(_) => Ownership::Taken,
        })
    }

    /// An object is a resource's own when it names that very resource, by uid, as its controller.
    /// One that names no controller, but has the labels that this operator gave it, was orphaned
    /// (`kubectl delete --cascade=orphan`, an edit) and is taken up again.
    pub(super) fn owns<K: Resource>(self, object: &K) -> bool {
        match object.owner_references().iter().find(|owner| owner.controller == Some(true)) {
            Some(owner) => Some(owner.uid.as_str()) == self.uid,
            None => {
                labels(self.name).iter().all(|(key, value)| object.labels().get(key) == Some(value))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::ConfigMap;
    use serde_json::json;

    use super::*;

    #[test]
    fn an_object_is_own_only_if_this_resource_is_its_controller() {
        let server = crate::controller::fixtures::oauth_server();
        let mine = json!({
            "apiVersion": "mcp.lenses.io/v1alpha1", "kind": "LensesMcpServer", "name": "team-mcp",
            "uid": "uid-1", "controller": true,
        });
        let with = |field: &str, value: serde_json::Value| {
            let mut owner = mine.clone();
            owner[field] = value;
            json!([owner])
        };
        let owned = |owners: serde_json::Value, labels: serde_json::Value| {
            let metadata =
                json!({ "name": "team-mcp", "ownerReferences": owners, "labels": labels });
            let object: ConfigMap =
                serde_json::from_value(json!({ "metadata": metadata })).unwrap();
            Owner::of(&server).owns(&object)
        };
        for (owners, own) in [
            (json!([]), false),
            (json!([mine]), true),
            (with("controller", json!(false)), false),
            (with("uid", json!("older")), false),
            (
                json!([{
                    "apiVersion": "apps/v1", "kind": "Deployment", "name": "team-mcp", "uid": "d"
                }]),
                false,
            ),
        ] {
            assert_eq!(owned(owners.clone(), json!({})), own, "{owners}");
        }
    }

    #[test]
    fn an_orphan_is_adopted_and_a_foreign_object_of_that_name_not() {
        let server = crate::controller::fixtures::oauth_server();
        let labels = crate::controller::fixtures::metadata_json()["labels"].clone();
        let owned = |labels: serde_json::Value| {
            let object: ConfigMap =
                serde_json::from_value(json!({ "metadata": { "labels": labels } })).unwrap();
            Owner::of(&server).owns(&object)
        };
        assert!(owned(labels.clone()));
        let mut other = labels;
        other["app.kubernetes.io/instance"] = json!("other");
        assert!(!owned(other));
        assert!(!owned(json!({})));
    }
}
