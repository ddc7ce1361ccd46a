//! Step 1: everything that a reconcile reads. Nothing is judged here.
//!
//! All of it comes from the caches, with one exception. Of ingresses, autoscalers and the like, which a spec may ask for, only this
//! operator's own are watched, so before one is made, the API server is asked once whether somebody else's has its name. That is
//! metadata of one object, and only while there is none of ours.

use std::sync::Arc;

use k8s_openapi::jiff::Timestamp;
use kube::{Api, Client, Resource, ResourceExt, core::PartialObjectMeta};
use lenses_mcp_crds::LensesMcpServer;

use super::{
    observed::{ContentVersion, Dereferenced, Observed, Ownership, Pods},
    status::rollout,
    validate::wanted,
};
use crate::{
    api_error,
    apis::{CachedKind, OptionalKind},
    context::Context,
    names::labels,
    watching::{
        Cache,
        caches::OwnAndOthers,
        events,
        optional::Optional,
        references::{self, ReferenceKind},
    },
};

/// What can go wrong in reading.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DereferenceError {
    /// The API server refused or did not answer.
    #[error(transparent)]
    Events(#[from] events::EventsError),
    /// The API server refused or did not answer.
    #[error("failed to look for a {kind} named {name:?}: {}", api_error::message(source))]
    Lookup { kind: String, name: String, source: kube::Error },
}

/// Reads what the spec refers to and what has the names of its objects.
pub(crate) async fn dereference(
    context: &Context,
    server: &LensesMcpServer,
) -> Result<Dereferenced, DereferenceError> {
    let caches = &context.caches;
    let mut found = Dereferenced::default();
    for reference in references::references(server) {
        match reference.kind {
            ReferenceKind::Secret => {
                let secret = caches.secrets.get(&reference.namespace, &reference.name);
                found.secrets.insert(reference.name, secret.as_ref().and_then(version));
            }
            ReferenceKind::ConfigMap => {
                let config_map =
                    caches.config_maps.others.get(&reference.namespace, &reference.name);
                found.config_maps.insert(reference.name, config_map.as_ref().and_then(version));
            }
            ReferenceKind::Service => {
                found.lenses_service = caches.services.get(&reference.namespace, &reference.name);
            }
        }
    }
    let client = &context.client;
    found.children = Observed {
        service_account: watched(&caches.service_accounts, server),
        sealing_key: cached(&caches.secrets, server).unwrap_or_default(),
        config_map: watched(&caches.config_maps, server),
        service: cached(&caches.services, server).unwrap_or_default(),
        deployment: match watched(&caches.deployments, server) {
            // What it runs now decides how it may be changed.
            Ownership::OwnUnlabelled => looked_up(client, server).await?,
            standing => standing,
        },
        ingress: of_choice(
            client,
            &caches.ingresses,
            server,
            server.spec.endpoint.ingress.is_some(),
        )
        .await?,
        http_route: optional(client, &caches.http_routes, server).await?,
        service_monitor: optional(client, &caches.service_monitors, server).await?,
        horizontal_pod_autoscaler: of_choice(
            client,
            &caches.horizontal_pod_autoscalers,
            server,
            wanted::autoscaler(&server.spec),
        )
        .await?,
        pod_disruption_budget: of_choice(
            client,
            &caches.pod_disruption_budgets,
            server,
            wanted::disruption_budget(&server.spec),
        )
        .await?,
        network_policy: if wanted::network_policy(&server.spec) {
            watched(&caches.network_policies, server)
        } else {
            cached(&caches.network_policies.own, server).unwrap_or_default()
        },
    };
    let seen = caches.pods(&server.namespace().unwrap_or_default(), &server.name_any());
    let now = Timestamp::now();
    let deployment = found.children.deployment.own().map(|deployment| &**deployment);
    let silent = rollout::silent(deployment, &seen, now);
    let warning = match silent {
        Some(pod) => events::last_warning(client, pod).await?,
        None => None,
    };
    let unexplained = silent.is_some() && warning.is_none();
    found.called =
        context.upgrades.is_admitted(&server.namespace().unwrap_or_default(), &server.name_any());
    let patience = rollout::patience(&seen, now);
    found.pods = Pods { seen, warning, unexplained, patience };
    Ok(found)
}

fn version<K: ResourceExt>(object: &K) -> Option<ContentVersion> {
    Some(ContentVersion { uid: object.uid()?, resource_version: object.resource_version()? })
}

fn cached<K: CachedKind>(cache: &Cache<K>, server: &LensesMcpServer) -> Option<Ownership<K>> {
    let object = cache.get(&server.namespace().unwrap_or_default(), &server.name_any())?;
    Some(if owns(server, &object) { Ownership::Own(Arc::new(object)) } else { Ownership::Taken })
}

/// Who has the name of an object of a kind of which all are watched.
fn watched<K: CachedKind>(cache: &OwnAndOthers<K>, server: &LensesMcpServer) -> Ownership<K>
where
    PartialObjectMeta<K>: CachedKind,
{
    cached(&cache.own, server).unwrap_or_else(|| match cached(&cache.others, server) {
        None => Ownership::Free,
        Some(Ownership::Own(_)) => Ownership::OwnUnlabelled,
        Some(_) => Ownership::Taken,
    })
}

/// Who has the name of an object that is made only where the spec asks for it. Where it does not, nobody's object is in the way, and
/// the API server need not be asked.
async fn of_choice<K: CachedKind>(
    client: &Client,
    cache: &Cache<K>,
    server: &LensesMcpServer,
    is_wanted: bool,
) -> Result<Ownership<K>, DereferenceError> {
    match cached(cache, server) {
        Some(standing) => Ok(standing),
        None if is_wanted => looked_up(client, server).await,
        None => Ok(Ownership::Free),
    }
}

/// As [`of_choice`], of a kind that the cluster may lack.
async fn optional<K: OptionalKind>(
    client: &Client,
    cache: &Optional<K>,
    server: &LensesMcpServer,
) -> Result<Ownership<K>, DereferenceError> {
    if !cache.is_served() {
        return Ok(Ownership::NoApi);
    }
    of_choice(client, &cache.objects, server, K::is_wanted(server)).await
}

/// Who has the name, as the API server tells it.
async fn looked_up<K: CachedKind>(
    client: &Client,
    server: &LensesMcpServer,
) -> Result<Ownership<K>, DereferenceError> {
    let name = server.name_any();
    let api = Api::<K>::namespaced(client.clone(), &server.namespace().unwrap_or_default());
    // Not out of the API server's own cache, which is as far behind as the watch that it feeds.
    match api.get_metadata_opt(&name).await {
        Ok(None) => Ok(Ownership::Free),
        // It has lost the label, or was made so lately that the watch has yet to show it: then there is nothing to write.
        Ok(Some(object)) if owns(server, &object) => match api.get_opt(&name).await {
            Ok(object) => {
                Ok(object.map_or(Ownership::Free, |object| Ownership::Own(Arc::new(object))))
            }
            Err(source) => {
                Err(DereferenceError::Lookup { kind: K::kind(&()).into_owned(), name, source })
            }
        },
        Ok(Some(_)) => Ok(Ownership::Taken),
        Err(source) => {
            Err(DereferenceError::Lookup { kind: K::kind(&()).into_owned(), name, source })
        }
    }
}

/// An object is a resource's own when it names that very resource, by uid, as its controller. One that names no controller, but
/// has the labels that this operator gave it, was orphaned (`kubectl delete --cascade=orphan`, an edit) and is taken up again.
fn owns<K: Resource>(server: &LensesMcpServer, object: &K) -> bool {
    match object.owner_references().iter().find(|owner| owner.controller == Some(true)) {
        Some(owner) => Some(&owner.uid) == server.metadata.uid.as_ref(),
        None => labels(&server.name_any())
            .iter()
            .all(|(key, value)| object.labels().get(key) == Some(value)),
    }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::ConfigMap;
    use serde_json::json;

    use super::*;

    #[test]
    fn an_object_is_own_only_when_it_names_this_very_resource_as_its_controller() {
        let server = crate::controller::fixtures::oauth_server();
        let owned = |owners: serde_json::Value, labels: serde_json::Value| {
            let metadata =
                json!({ "name": "team-mcp", "ownerReferences": owners, "labels": labels });
            let object: ConfigMap =
                serde_json::from_value(json!({ "metadata": metadata })).unwrap();
            owns(&server, &object)
        };
        for (owners, own) in [
            (json!([]), false),
            (
                json!([{ "apiVersion": "mcp.lenses.io/v1alpha1", "kind": "LensesMcpServer", "name": "team-mcp", "uid": "uid-1", "controller": true }]),
                true,
            ),
            (
                json!([{ "apiVersion": "mcp.lenses.io/v1alpha1", "kind": "LensesMcpServer", "name": "team-mcp", "uid": "uid-1" }]),
                false,
            ),
            (
                json!([{ "apiVersion": "mcp.lenses.io/v1alpha1", "kind": "LensesMcpServer", "name": "team-mcp", "uid": "older", "controller": true }]),
                false,
            ),
            (
                json!([{ "apiVersion": "apps/v1", "kind": "Deployment", "name": "team-mcp", "uid": "other", "controller": true }]),
                false,
            ),
        ] {
            assert_eq!(owned(owners.clone(), json!({})), own, "{owners}");
        }
    }

    #[test]
    fn an_orphan_is_taken_up_again_and_a_stranger_with_the_same_name_is_not() {
        let server = crate::controller::fixtures::oauth_server();
        let labels = crate::controller::fixtures::metadata_json()["labels"].clone();
        let owned = |labels: serde_json::Value| {
            let object: ConfigMap =
                serde_json::from_value(json!({ "metadata": { "labels": labels } })).unwrap();
            owns(&server, &object)
        };
        assert!(owned(labels.clone()));
        let mut other = labels;
        other["app.kubernetes.io/instance"] = json!("other");
        assert!(!owned(other));
        assert!(!owned(json!({})));
    }
}
