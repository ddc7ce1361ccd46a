//! The objects that belong to resources, and what others do to them.

use kube::{
    Api, Client, ResourceExt,
    api::{DeleteParams, DynamicObject, ListParams, Patch, PatchParams},
    core::{ApiResource, GroupVersionKind},
};
use rand::{RngExt, rngs::StdRng, seq::IndexedRandom};
use serde_json::{Value, json};

use crate::NAMESPACES;

const MANAGED_BY: &str = "app.kubernetes.io/managed-by";
const PART_OF: &str = "app.kubernetes.io/part-of";

/// Group, version and kind.
pub(crate) const KINDS: [(&str, &str, &str); 9] = [
    ("apps", "v1", "Deployment"),
    ("", "v1", "Service"),
    ("", "v1", "ConfigMap"),
    ("", "v1", "ServiceAccount"),
    ("", "v1", "Secret"),
    ("networking.k8s.io", "v1", "NetworkPolicy"),
    ("networking.k8s.io", "v1", "Ingress"),
    ("policy", "v1", "PodDisruptionBudget"),
    ("autoscaling", "v2", "HorizontalPodAutoscaler"),
];

pub(crate) struct Child {
    pub(crate) kind: &'static str,
    pub(crate) object: DynamicObject,
    api: Api<DynamicObject>,
}

impl Child {
    /// All in a namespace that have a resource as their controller, or the operator's label.
    pub(crate) async fn all(client: &Client, namespace: &str) -> kube::Result<Vec<Self>> {
        let mut children = Vec::new();
        for (group, version, kind) in KINDS {
            let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, kind));
            let api = Api::<DynamicObject>::namespaced_with(client.clone(), namespace, &resource);
            let objects = api.list(&ListParams::default()).await?;
            children.extend(
                objects
                    .into_iter()
                    .map(|object| Self { kind, object, api: api.clone() })
                    .filter(|child| child.owner().is_some() || child.is_labelled()),
            );
        }
        Ok(children)
    }

    /// Any of any namespace.
    pub(crate) async fn any(client: &Client, random: &mut StdRng) -> kube::Result<Option<Self>> {
        let namespace = NAMESPACES.choose(random).copied().unwrap_or(NAMESPACES[0]);
        let mut all = Self::all(client, namespace).await?;
        let index = random.random_range(0..all.len().max(1));
        Ok((index < all.len()).then(|| all.swap_remove(index)))
    }

    /// The uid of the resource that is its controller.
    pub(crate) fn owner(&self) -> Option<&str> {
        let mut owners = self.object.owner_references().iter();
        let owner = owners.find(|owner| owner.controller == Some(true))?;
        (owner.kind == "LensesMcpServer").then_some(owner.uid.as_str())
    }

    pub(crate) fn is_labelled(&self) -> bool {
        self.object.labels().get(MANAGED_BY).is_some_and(|by| by == "lenses-mcp-operator")
    }

    pub(crate) fn at(&self, pointer: &str) -> &Value {
        self.object.data.pointer(pointer).unwrap_or(&Value::Null)
    }

    pub(crate) async fn delete(&self) -> kube::Result<()> {
        self.api.delete(&self.object.name_any(), &DeleteParams::default()).await.map(drop)
    }

    /// Changes it as somebody who does not know that it is the operator's. What has lost its owner
    /// or a label stays as it is: without both it would be somebody else's, and the operator right
    /// to leave it alone.
    pub(crate) async fn edit(&self, random: &mut StdRng) -> kube::Result<()> {
        let part_of = self.object.labels().get(PART_OF).is_some_and(|of| of == "lenses");
        if self.owner().is_none() || !self.is_labelled() || !part_of {
            return Ok(());
        }
        let patch = match random.random_range(0..10) {
            0 | 1 => json!({ "metadata": { "labels": { (MANAGED_BY): null } } }),
            2 | 3 => json!({ "metadata": { "ownerReferences": null } }),
            _ => self.change(),
        };
        let params = PatchParams { field_manager: Some("somebody".into()), ..Default::default() };
        let name = self.object.name_any();
        self.api.patch(&name, &params, &Patch::Merge(patch)).await.map(drop)
    }

    fn change(&self) -> Value {
        match self.kind {
            "Deployment" => {
                let mut containers = self.at("/spec/template/spec/containers").clone();
                containers[0]["image"] = json!("registry.example.com/other:1");
                json!({ "spec": {
                    "replicas": 7,
                    "template": { "spec": { "containers": containers } }
                } })
            }
            "Service" => {
                json!({ "spec": { "selector": { "app.kubernetes.io/instance": "other" } } })
            }
            "ServiceAccount" => json!({ "automountServiceAccountToken": true }),
            "NetworkPolicy" => json!({ "spec": { "ingress": [], "egress": [] } }),
            "Ingress" => {
                let mut rules = self.at("/spec/rules").clone();
                rules[0]["host"] = json!("other.example.com");
                json!({ "spec": { "rules": rules } })
            }
            "PodDisruptionBudget" => {
                json!({ "spec": { "minAvailable": null, "maxUnavailable": 3 } })
            }
            "HorizontalPodAutoscaler" => json!({ "spec": { "maxReplicas": 9 } }),
            // The data of the others cannot be changed.
            _ => json!({ "metadata": { "labels": { (PART_OF): "other" } } }),
        }
    }
}
