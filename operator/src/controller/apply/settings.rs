//! The `ConfigMaps` with the server's settings: one for the pods that are wanted, and those of pods
//! that were wanted before, for as long as there may be such pods.

use kube::{Api, ResourceExt};

use super::{ApplyError, ensure, remove};
use crate::{
    apis::{ConfigMap, Deployment},
    context::Context,
    controller::{owner::Owner, validate::ValidServer},
    names,
    watching::deployment,
};

/// Makes the one that the wanted pods mount.
pub(super) async fn ensure_settings(
    Context { client, caches, .. }: &Context,
    server: &ValidServer,
    wanted: Option<ConfigMap>,
) -> Result<(), ApplyError> {
    let Some(wanted) = wanted else { return Ok(()) };
    let found = Owner::of_valid(server).watched(&caches.config_maps, &wanted.name_any());
    ensure(client, &wanted, &found, &caches.config_maps.own).await.map(drop)
}

/// Deletes those that no pod mounts: all but that of the Deployment's pods, once there are no other
/// pods. The Deployment keeps no other `ReplicaSet` then.
pub(super) async fn remove_settings(
    Context { client, caches, .. }: &Context,
    server: &ValidServer,
    deployment: &Deployment,
) -> Result<(), ApplyError> {
    let Some(mounted) = deployment::settings(deployment) else { return Ok(()) };
    if deployment::complete(deployment).is_none() {
        return Ok(());
    }
    let (namespace, name) = (&server.namespace, &server.name);
    let cache = &caches.config_maps.own;
    // Other versions of the operator had one that was named as the server is.
    let former = cache.get(namespace, name);
    let all = cache.with_prefix(namespace, &format!("{name}-"));
    let owner = Owner::of_valid(server);
    let is_old = |settings: &ConfigMap| {
        let found = settings.name_any();
        let of_server = found == *name || names::server_of_settings(&found) == Some(name);
        of_server && found != mounted && owner.owns(settings)
    };
    for settings in former.into_iter().chain(all).filter(is_old) {
        let api = Api::<ConfigMap>::namespaced(client.clone(), namespace);
        let name = settings.name_any();
        remove(&api, &name, settings.uid()).await.map_err(|source| ApplyError::Remove {
            kind: "ConfigMap".to_owned(),
            name,
            source,
        })?;
    }
    Ok(())
}
