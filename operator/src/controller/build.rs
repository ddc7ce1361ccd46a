//! Step 3: the objects that a valid server becomes. Pure, one file a kind.
//!
//! Each object carries a digest of what this operator asks for in it. A cached object whose digest and fields are as asked for
//! needs no request, also after a restart; and a field that is no longer asked for changes the digest, so it is taken back.

mod config_map;
mod deployment;
#[cfg(test)]
mod fields;
mod horizontal_pod_autoscaler;
pub(super) mod http_route;
mod ingress;
mod network_policy;
mod pod_disruption_budget;
mod sealing_key;
mod service;
mod service_account;
pub(super) mod service_monitor;
mod settings_file;

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD as BASE64};
use k8s_openapi::{
    api::{
        apps::v1::Deployment,
        autoscaling::v2::HorizontalPodAutoscaler,
        core::v1::{ConfigMap, Secret, Service, ServiceAccount},
        networking::v1::{Ingress, NetworkPolicy},
        policy::v1::PodDisruptionBudget,
    },
    apimachinery::pkg::apis::meta::v1::ObjectMeta,
    serde::Serialize,
};
use kube::{Resource, core::PartialObjectMeta};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::validate::{Replicas, ValidServer};
use crate::MANAGER;

use http_route::HTTPRoute;
use service_monitor::ServiceMonitor;

pub(super) use deployment::{DIRECTORIES, SCALED_BY};
pub(super) use sealing_key::{ROTATION, SEALING_KEY};

/// The label that says whose an object is; the watches select by it.
pub(super) const MANAGED_BY: &str = "app.kubernetes.io/managed-by";
/// The label that says which `LensesMcpServer` an object is for.
pub(super) const INSTANCE: &str = "app.kubernetes.io/instance";
/// The annotation of pods and their template with the template's digest: by it a pod of the template that is wanted now is told
/// from an older one.
pub(super) const TEMPLATE: &str = "mcp.lenses.io/template-digest";
/// The annotation with the digest of what was asked for.
const DIGEST: &str = "mcp.lenses.io/digest";

/// Everything that a server consists of, as it is wanted.
pub(super) struct Children {
    pub(super) service_account: ServiceAccount,
    /// Metadata alone: the key is made when it is stored, and never read.
    pub(super) sealing_key: PartialObjectMeta<Secret>,
    pub(super) config_map: ConfigMap,
    pub(super) service: Service,
    /// Only where there is a sealing key for the pods to mount: its identity is part of the pods. Where there is none yet, [`deployment`]
    /// makes it of the one that is made.
    pub(super) deployment: Option<Deployment>,
    /// None where the spec does not ask for it.
    pub(super) ingress: Option<Ingress>,
    /// None where the spec does not ask for it.
    pub(super) http_route: Option<HTTPRoute>,
    pub(super) horizontal_pod_autoscaler: Option<HorizontalPodAutoscaler>,
    pub(super) pod_disruption_budget: Option<PodDisruptionBudget>,
    pub(super) network_policy: Option<NetworkPolicy>,
    pub(super) service_monitor: Option<ServiceMonitor>,
}

impl Children {
    /// Each as JSON, in the order in which they stand above; null for one that is not asked for.
    pub(super) fn objects(self) -> impl Iterator<Item = serde_json::Result<Value>> {
        let Self {
            service_account,
            sealing_key,
            config_map,
            service,
            deployment,
            ingress,
            http_route,
            horizontal_pod_autoscaler,
            pod_disruption_budget,
            network_policy,
            service_monitor,
        } = self;
        [
            serde_json::to_value(service_account),
            serde_json::to_value(sealing_key),
            serde_json::to_value(config_map),
            serde_json::to_value(service),
            serde_json::to_value(deployment),
            serde_json::to_value(ingress),
            serde_json::to_value(http_route),
            serde_json::to_value(horizontal_pod_autoscaler),
            serde_json::to_value(pod_disruption_budget),
            serde_json::to_value(network_policy),
            serde_json::to_value(service_monitor),
        ]
        .into_iter()
    }
}

/// Builds them all.
pub(super) fn build(server: &ValidServer) -> Children {
    Children {
        service_account: digested(service_account::build(server)),
        sealing_key: digested(sealing_key::build(server)),
        config_map: digested(config_map::build(server)),
        service: digested(service::build(server)),
        deployment: server.sealing_key.as_ref().map(|key| deployment(server, key)),
        ingress: ingress::build(server).map(digested),
        http_route: http_route::build(server).map(digested),
        horizontal_pod_autoscaler: match &server.replicas {
            Replicas::Fixed(_) => None,
            Replicas::Autoscaled(by) => {
                Some(digested(horizontal_pod_autoscaler::build(server, by)))
            }
        },
        pod_disruption_budget: server
            .disruption_budget
            .as_ref()
            .map(|budget| digested(pod_disruption_budget::build(server, budget))),
        network_policy: server
            .network_policy
            .enabled
            .then(|| digested(network_policy::build(server))),
        service_monitor: service_monitor::build(server).map(digested),
    }
}

/// The Deployment of pods that mount the sealing key of that uid.
pub(super) fn deployment(server: &ValidServer, sealing_key: &str) -> Deployment {
    digested(deployment::build(server, sealing_key))
}

/// The pods' labels: what the Deployment and the Service select by, which must never change.
pub(super) fn selector(name: &str) -> BTreeMap<String, String> {
    [("app.kubernetes.io/name", "lenses-mcp-server"), (INSTANCE, name)]
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .into()
}

/// The metadata of every object: the resource's name, its labels, and the resource as owner, with which the object goes.
fn metadata(server: &ValidServer) -> ObjectMeta {
    ObjectMeta {
        name: Some(server.name.clone()),
        namespace: Some(server.namespace.clone()),
        labels: Some(labels(&server.name)),
        owner_references: Some(vec![server.owner.clone()]),
        ..ObjectMeta::default()
    }
}

/// Where the OAuth metadata of a server is that is published under this path: in front of the path (RFC 9728 §3.1), so outside of
/// it, unless that is the root.
fn metadata_path(path: &str) -> Option<String> {
    (path != "/").then(|| format!("/.well-known/oauth-protected-resource{path}/mcp"))
}

/// The labels of every object.
pub(super) fn labels(name: &str) -> BTreeMap<String, String> {
    let mut labels = selector(name);
    labels.insert(MANAGED_BY.to_owned(), MANAGER.to_owned());
    labels.insert("app.kubernetes.io/part-of".to_owned(), "lenses".to_owned());
    labels
}

/// The digest of what was asked for in an object that is there.
pub(super) fn digest_of(meta: &ObjectMeta) -> Option<String> {
    meta.annotations.as_ref()?.get(DIGEST).cloned()
}

fn digested<K: Resource + Serialize>(mut object: K) -> K {
    // Every key of these objects is text, so there is nothing in them that JSON cannot hold.
    let json = serde_json::to_vec(&object).unwrap_or_default();
    object.meta_mut().annotations.get_or_insert_default().insert(DIGEST.to_owned(), digest([json]));
    object
}

/// A digest for comparison; each part is set off from the next by its length.
fn digest<P: AsRef<[u8]>>(parts: impl IntoIterator<Item = P>) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        let part = part.as_ref();
        hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(part);
    }
    BASE64.encode(hash.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controller::fixtures::{oauth_server, valid};

    #[test]
    fn the_same_server_gives_the_same_digests_and_another_gives_others() {
        let digests = |image: &str| {
            let mut server = oauth_server();
            server.spec.image = Some(image.to_owned());
            let children = build(&valid(&server));
            let of = |meta: &ObjectMeta| meta.annotations.as_ref().unwrap()[DIGEST].clone();
            (of(&children.deployment.unwrap().metadata), of(&children.service.metadata))
        };
        assert_eq!(digests("a:1"), digests("a:1"));
        assert_ne!(digests("a:1").0, digests("a:2").0);
        assert_eq!(digests("a:1").1, digests("a:2").1);
    }

    #[test]
    fn there_is_no_deployment_before_there_is_a_sealing_key() {
        let mut server = valid(&oauth_server());
        server.sealing_key = None;
        assert!(build(&server).deployment.is_none());
    }
}
