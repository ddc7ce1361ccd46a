//! Step 3: the objects that a valid server becomes. Pure, one file a kind.
//!
//! Each object carries a digest of what this operator asks for in it. A cached object whose digest and fields are as asked for
//! needs no request, also after a restart; and a field that is no longer asked for changes the digest, so it is taken back. A
//! Deployment carries all that is asked for in it, since that may be asked for after this operator would build another.

mod config_map;
mod deployment;
#[cfg(test)]
mod fields;
mod horizontal_pod_autoscaler;
mod http_route;
mod ingress;
mod network_policy;
mod pod_disruption_budget;
mod pod_layout;
mod sealing_key;
mod service;
mod service_account;
mod service_monitor;
mod settings_file;

use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD as BASE64};
use k8s_openapi::{apimachinery::pkg::apis::meta::v1::ObjectMeta, serde::Serialize};
use kube::Resource;
use lenses_mcp_crds::conditions::ConditionType;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::validate::{Replicas, ValidServer};
use crate::{
    apis::{Deployment, managed_kinds},
    names::{DIGEST, LAST_APPLIED, TURN_ENDS, labels},
};

pub(super) use pod_layout::DIRECTORIES;
pub(super) use sealing_key::SEALING_KEY;

macro_rules! children {
    ($($field:ident: $kind:ty,)*) => {
        /// Everything that a server consists of, as it is wanted; `None` for what the spec does not
        /// ask for. The Deployment is there only if there is a sealing key for the pods to mount,
        /// since its identity is part of the pods: [`deployment()`] makes it of one that is new.
        pub(crate) struct Children {
            $(pub(crate) $field: Option<$kind>,)*
        }

        impl Children {
            /// Each as JSON; null for one that is not asked for.
            pub(crate) fn objects(self) -> impl Iterator<Item = serde_json::Result<Value>> {
                [$(serde_json::to_value(self.$field),)*].into_iter()
            }
        }
    };
}
managed_kinds!(children);

/// Builds them all.
pub(crate) fn build(server: &ValidServer) -> Children {
    Children {
        service_account: Some(digested(service_account::build(server))),
        sealing_key: Some(digested(sealing_key::build(server))),
        config_map: Some(digested(config_map::build(server))),
        service: Some(digested(service::build(server))),
        deployment: server.contents.sealing_key.as_ref().map(|key| deployment(server, key)),
        ingress: ingress::build(server).map(digested),
        http_route: http_route::build(server).map(digested),
        horizontal_pod_autoscaler: match &server.pods.replicas {
            Replicas::Fixed(_) => None,
            Replicas::Autoscaled(by) => {
                Some(digested(horizontal_pod_autoscaler::build(server, by)))
            }
        },
        pod_disruption_budget: server
            .pods
            .disruption_budget
            .as_ref()
            .map(|budget| digested(pod_disruption_budget::build(server, budget))),
        network_policy: server
            .network
            .policy
            .enabled
            .then(|| digested(network_policy::build(server))),
        service_monitor: service_monitor::build(server).map(digested),
    }
}

/// The Deployment of pods that mount the sealing key of that uid. [`applied`] makes of it what is
/// applied.
pub(crate) fn deployment(server: &ValidServer, sealing_key: &str) -> Deployment {
    deployment::build(server, sealing_key)
}

/// A Deployment as it is applied: with what ends the turn in which its pods are changed, and with
/// all that is asked for in it.
pub(crate) fn applied(
    mut deployment: Deployment,
    turn_ends_with: Option<ConditionType>,
) -> Deployment {
    if let Some(condition) = turn_ends_with {
        let annotations = deployment.metadata.annotations.get_or_insert_default();
        annotations.insert(TURN_ENDS.to_owned(), condition.to_string());
    }
    let mut deployment = digested(deployment);
    // Every key of a Deployment is text, so there is nothing in it that JSON cannot hold.
    let json = serde_json::to_string(&deployment).unwrap_or_default();
    deployment.metadata.annotations.get_or_insert_default().insert(LAST_APPLIED.to_owned(), json);
    deployment
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

/// The digest of what was asked for in an object that is there.
pub(crate) fn digest_of(meta: &ObjectMeta) -> Option<String> {
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
    use crate::{
        controller::fixtures::{oauth_server, valid},
        watching::deployment::last_applied,
    };

    #[test]
    fn the_same_server_gives_the_same_digests_and_another_gives_others() {
        let digests = |image: &str| {
            let mut server = oauth_server();
            server.spec.image = Some(image.to_owned());
            let children = build(&valid(&server));
            let of = |meta: &ObjectMeta| meta.annotations.as_ref().unwrap()[DIGEST].clone();
            let deployment = applied(children.deployment.unwrap(), None);
            (of(&deployment.metadata), of(&children.service.unwrap().metadata))
        };
        assert_eq!(digests("a:1"), digests("a:1"));
        assert_ne!(digests("a:1").0, digests("a:2").0);
        assert_eq!(digests("a:1").1, digests("a:2").1);
    }

    #[test]
    fn there_is_no_deployment_before_there_is_a_sealing_key() {
        let mut server = valid(&oauth_server());
        server.contents.sealing_key = None;
        assert!(build(&server).deployment.is_none());
    }

    #[test]
    fn what_was_applied_is_read_back_to_the_letter_from_what_is_stored() {
        let deployment = build(&valid(&oauth_server())).deployment.unwrap();
        let applied = applied(deployment, Some(ConditionType::Verified));
        let annotations = applied.metadata.annotations.clone().unwrap();
        assert_eq!(annotations[TURN_ENDS], "Verified");
        let mut stored = applied.clone();
        stored.metadata.resource_version = Some("9".into());
        let pod = stored.spec.as_mut().unwrap().template.spec.as_mut().unwrap();
        pod.containers[0].image = Some("edited:1".into());
        assert_eq!(last_applied(&stored), Some(applied));
    }

    #[test]
    fn a_note_that_somebody_wrote_leads_to_no_other_object() {
        let stored = build(&valid(&oauth_server())).deployment.unwrap();
        let mut foreign = stored.clone();
        foreign.metadata.name = Some("victim".into());
        foreign.metadata.namespace = Some("kube-system".into());
        foreign.metadata.uid = Some("u".into());
        let mut edited = stored.clone();
        let annotations = edited.metadata.annotations.get_or_insert_default();
        let note = serde_json::to_string(&foreign).unwrap();
        annotations.insert(LAST_APPLIED.to_owned(), note);
        let asked = last_applied(&edited).unwrap();
        assert_eq!(
            (asked.metadata.name, asked.metadata.namespace, asked.metadata.uid),
            (stored.metadata.name, stored.metadata.namespace, None)
        );
    }
}
