//! Step 1: everything that a reconcile reads. Nothing is judged here.
//!
//! All of it comes from the caches, with one exception. Of ingresses, autoscalers and the like, which a spec may ask for, only this
//! operator's own are watched, so before one is made, the API server is asked once whether somebody else's has its name. That is
//! metadata of one object, and only while there is none of ours.

use std::sync::Arc;

use k8s_openapi::jiff::Timestamp;
use kube::{Api, Client, ResourceExt};
use lenses_mcp_crds::LensesMcpServer;

use super::{
    observed::{ContentVersion, Dereferenced, Observed, Ownership, Pods},
    owner::Owner,
    status::rollout,
    validate::wanted,
};
use crate::{
    api_error,
    apis::{CachedKind, OptionalKind},
    context::Context,
    watching::{
        Cache, deployment, events,
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
    let (owner, name) = (Owner::of(server), server.name_any());
    found.children = Observed {
        service_account: owner.watched(&caches.service_accounts, &name),
        sealing_key: owner.cached(&caches.secrets, &name).unwrap_or_default(),
        config_map: Ownership::Free,
        service: owner.cached(&caches.services, &name).unwrap_or_default(),
        deployment: match owner.watched(&caches.deployments, &name) {
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
            owner.watched(&caches.network_policies, &name)
        } else {
            owner.cached(&caches.network_policies.own, &name).unwrap_or_default()
        },
    };
    let deployment = found.children.deployment.own();
    found.last_applied = deployment.and_then(|deployment| deployment::last_applied(deployment));
    // Of all config maps that are its own, that which its pods are to mount until they are others.
    let settings = found.last_applied.as_ref().and_then(deployment::settings);
    let settings = settings.and_then(|name| owner.cached(&caches.config_maps.own, name));
    found.children.config_map =
        settings.filter(|settings| settings.own().is_some()).unwrap_or_default();
    let seen = caches.pods(&server.namespace().unwrap_or_default(), &server.name_any());
    let now = Timestamp::now();
    let deployment = found.children.deployment.own().map(|deployment| &**deployment);
    let silent = rollout::silent(deployment, &seen, now);
    let told = match silent {
        Some(pod) => events::last_told(client, pod).await?,
        None => None,
    };
    let unexplained = silent.is_some() && !told.as_ref().is_some_and(|told| told.is_warning);
    let warning = told.map(|told| told.message);
    let patience = rollout::patience(&seen, now);
    found.pods = Pods { seen, warning, unexplained, patience };
    Ok(found)
}

fn version<K: ResourceExt>(object: &K) -> Option<ContentVersion> {
    Some(ContentVersion { uid: object.uid()?, resource_version: object.resource_version()? })
}

/// Who has the name of an object that is made only where the spec asks for it. Where it does not, nobody's object is in the way, and
/// the API server need not be asked.
async fn of_choice<K: CachedKind>(
    client: &Client,
    cache: &Cache<K>,
    server: &LensesMcpServer,
    is_wanted: bool,
) -> Result<Ownership<K>, DereferenceError> {
    let owner = Owner::of(server);
    match owner.cached(cache, owner.name) {
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
    let (owner, name) = (Owner::of(server), server.name_any());
    let api = Api::<K>::namespaced(client.clone(), &server.namespace().unwrap_or_default());
    // Not out of the API server's own cache, which is as far behind as the watch that it feeds.
    match api.get_metadata_opt(&name).await {
        Ok(None) => Ok(Ownership::Free),
        // It has lost the label, or was made so lately that the watch has yet to show it: then there is nothing to write.
        Ok(Some(object)) if owner.owns(&object) => match api.get_opt(&name).await {
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
