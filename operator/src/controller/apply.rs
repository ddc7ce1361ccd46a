//! Step 4: everything that is written, save the status. What is already as wanted is left alone, without a request.
//!
//! Objects are applied server-side with one field manager. Fields of this resource's own objects are taken back from whoever
//! changed them; an object that is not there yet is made without force, so that one made by somebody else in the meantime is not
//! taken over. The Deployment comes late: its pods mount what is before it. What the spec no longer asks for is deleted. While the
//! server waits for its turn in an upgrade, the Deployment is kept as it was last asked for, and so are the settings of its pods.

mod deployment;
mod drift;
mod error;
mod ingress;
mod managed_fields;
mod overrides;
mod sealing_key;
mod settings;
mod write;

use std::{fmt::Debug, sync::Arc};

use k8s_openapi::{api::apps::v1::Deployment, serde::de::DeserializeOwned};
use kube::{
    Api, Client, Resource, ResourceExt,
    api::{DeleteParams, Patch, PatchParams, Preconditions},
};

use serde_json::{Value, json};

use super::{
    build::{self, Children},
    observed::{Dereferenced, Observed, Ownership},
    validate::ValidServer,
};
use crate::{
    MANAGER, apis::CachedKind, context::Context, names::SCALED_BY, upgrades::Turn, watching::Cache,
};
use deployment::ensure_deployment;
use drift::drifted;
pub(crate) use error::ApplyError;
use ingress::remove_without_class;
use overrides::overrides;
use sealing_key::ensure_sealing_key;
use settings::{ensure_settings, remove_settings};
use write::write;

/// Who holds a Deployment's `replicas` between this operator and its autoscaler.
const REPLICAS_HOLDER: &str = "lenses-mcp-operator-replicas";

/// What there is after this step.
pub(crate) struct Applied {
    /// The Deployment, if there is one.
    pub(crate) deployment: Option<Arc<Deployment>>,
    /// Whether the pods wait for the server's turn in an upgrade.
    pub(crate) waits: bool,
}

/// Leaves everything as it is: the resource is paused, or is not one that a server can be made of.
pub(crate) fn keep(found: &Observed) -> Applied {
    Applied { deployment: found.deployment.own().cloned(), waits: false }
}

/// Makes what there is what is wanted.
pub(crate) async fn apply(
    context: &Context,
    server: &ValidServer,
    wanted: Children,
    turn: Turn,
    found: &Dereferenced,
) -> Result<Applied, ApplyError> {
    let Dereferenced { children: found, last_applied, .. } = found;
    let Children {
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
    } = wanted;
    let Context { client, caches, .. } = context;
    let accounts = &caches.service_accounts.own;
    ensure_or_remove(client, service_account, &found.service_account, accounts).await?;
    let made = match sealing_key {
        Some(sealing_key) => ensure_sealing_key(context, sealing_key, &found.sealing_key).await?,
        None => None,
    };
    let deployment = match turn {
        Turn::Now { ends_with } => {
            ensure_settings(context, server, config_map).await?;
            let deployment = deployment.or_else(|| Some(build::deployment(server, &made?)));
            deployment.map(|deployment| build::applied(deployment, ends_with))
        }
        Turn::Waits => last_applied.clone(),
    };
    ensure_or_remove(client, service, &found.service, &caches.services).await?;
    // Before the pods that they are about.
    ensure_or_remove(client, network_policy, &found.network_policy, &caches.network_policies.own)
        .await?;
    let budgets = &caches.pod_disruption_budgets;
    ensure_or_remove(client, pod_disruption_budget, &found.pod_disruption_budget, budgets).await?;
    // An autoscaler that is to go must not answer to the number that the Deployment is given then.
    let autoscalers = &caches.horizontal_pod_autoscalers;
    if horizontal_pod_autoscaler.is_none() {
        ensure_or_remove(client, None, &found.horizontal_pod_autoscaler, autoscalers).await?;
    }
    let deployment = match deployment {
        Some(deployment) => {
            if let Ownership::Own(observed) = &found.deployment {
                let fewest = horizontal_pod_autoscaler
                    .as_ref()
                    .and_then(|scaler| scaler.spec.as_ref()?.min_replicas);
                release_replicas(client, &deployment, observed, fewest.unwrap_or(1)).await?;
                take_out_overrides(client, &deployment, observed).await?;
            }
            Some(ensure_deployment(context, &deployment, &found.deployment).await?)
        }
        None => found.deployment.own().cloned(),
    };
    if let (Some(wanted), Ownership::Own(observed)) = (&ingress, &found.ingress) {
        remove_without_class(client, wanted, observed).await?;
    }
    ensure_or_remove(client, ingress, &found.ingress, &caches.ingresses).await?;
    ensure_or_remove(client, http_route, &found.http_route, &caches.http_routes.objects).await?;
    ensure_or_remove(
        client,
        service_monitor,
        &found.service_monitor,
        &caches.service_monitors.objects,
    )
    .await?;
    // And one that is to come must find the number let go of.
    if deployment.is_some() && horizontal_pod_autoscaler.is_some() {
        ensure_or_remove(
            client,
            horizontal_pod_autoscaler,
            &found.horizontal_pod_autoscaler,
            autoscalers,
        )
        .await?;
    }
    if let Some(deployment) = &deployment {
        remove_settings(context, server, deployment).await?;
    }
    Ok(Applied { deployment, waits: turn == Turn::Waits })
}

/// Lets go of the number of pods without changing it. A field that its only owner no longer applies falls back to its default,
/// which is one pod; so before the Deployment is applied without it, it is applied in another manager's name, who then holds it
/// until the autoscaler first writes. None at all is the one number that no autoscaler acts on.
async fn release_replicas(
    client: &Client,
    wanted: &Deployment,
    observed: &Deployment,
    fewest: i32,
) -> Result<(), ApplyError> {
    let wants_any = wanted.spec.as_ref().is_some_and(|spec| spec.replicas.is_none());
    let Some(replicas) = observed.spec.as_ref().and_then(|spec| spec.replicas) else {
        return Ok(());
    };
    if !wants_any || observed.annotations().contains_key(SCALED_BY) {
        return Ok(());
    }
    let number = json!({
        "apiVersion": Deployment::api_version(&()),
        "kind": Deployment::kind(&()),
        "metadata": { "name": observed.name_any(), "uid": observed.uid() },
        "spec": { "replicas": if replicas == 0 { fewest } else { replicas } },
    });
    let hold = PatchParams::apply(REPLICAS_HOLDER).force();
    patch(client, observed, &hold, &Patch::Apply(number)).await
}

/// Takes out what others have put into the server's own container.
async fn take_out_overrides(
    client: &Client,
    wanted: &Deployment,
    observed: &Deployment,
) -> Result<(), ApplyError> {
    let Some(without) = overrides(wanted, observed) else { return Ok(()) };
    let params = PatchParams { field_manager: Some(MANAGER.to_owned()), ..PatchParams::default() };
    patch(client, observed, &params, &Patch::Strategic(without)).await?;
    let (namespace, name) = (observed.namespace(), observed.name_any());
    tracing::warn!(namespace, name, "took out what others had put into the server's container");
    Ok(())
}

/// Patches a Deployment that is there; what comes of it is seen by the watch.
async fn patch(
    client: &Client,
    observed: &Deployment,
    params: &PatchParams,
    patch: &Patch<Value>,
) -> Result<(), ApplyError> {
    let name = observed.name_any();
    let api =
        Api::<Deployment>::namespaced(client.clone(), &observed.namespace().unwrap_or_default());
    match api.patch_metadata(&name, params, patch).await {
        Ok(_) => Ok(()),
        Err(source) => Err(ApplyError::Apply { kind: "Deployment".to_owned(), name, source }),
    }
}

async fn ensure<K: CachedKind>(
    client: &Client,
    wanted: &K,
    found: &Ownership<K>,
    cache: &Cache<K>,
) -> Result<Arc<K>, ApplyError> {
    if let Ownership::Own(observed) = found
        && !drifted(wanted, &**observed)
    {
        return Ok(Arc::clone(observed));
    }
    let api = Api::<K>::namespaced(client.clone(), &wanted.namespace().unwrap_or_default());
    let name = wanted.name_any();
    let before = cache.before_write();
    match write(&api, &manager(found), wanted).await {
        Ok(mut applied) => {
            cache.wrote(&before, &mut applied);
            Ok(Arc::new(noted(applied)))
        }
        Err(source) => Err(ApplyError::Apply { kind: K::kind(&()).into_owned(), name, source }),
    }
}

/// An object that is made only where the spec asks for it. Where the cluster does not have its kind there is nothing to write.
async fn ensure_or_remove<K: CachedKind>(
    client: &Client,
    wanted: Option<K>,
    found: &Ownership<K>,
    cache: &Cache<K>,
) -> Result<(), ApplyError> {
    match (wanted, found) {
        (Some(_), Ownership::NoApi) => Ok(()),
        (Some(wanted), found) => ensure(client, &wanted, found, cache).await.map(drop),
        (None, Ownership::Own(object)) => {
            let api = Api::<K>::namespaced(client.clone(), &object.namespace().unwrap_or_default());
            let name = object.name_any();
            remove(&api, &name, object.uid()).await.map_err(|source| ApplyError::Remove {
                kind: K::kind(&()).into_owned(),
                name,
                source,
            })
        }
        (None, _) => Ok(()),
    }
}

/// Deletes that very object, not one that was made under its name since.
async fn remove<K>(api: &Api<K>, name: &str, uid: Option<String>) -> Result<(), kube::Error>
where
    K: Resource + Clone + DeserializeOwned + Debug,
{
    let params =
        DeleteParams::default().preconditions(Preconditions { uid, resource_version: None });
    match api.delete(name, &params).await {
        Ok(_) => Ok(()),
        Err(kube::Error::Api(status)) if status.is_not_found() || status.is_conflict() => Ok(()),
        Err(error) => Err(error),
    }
}

fn manager<K>(found: &Ownership<K>) -> PatchParams {
    let params = PatchParams::apply(MANAGER);
    match found {
        Ownership::Own(_) | Ownership::OwnUnlabelled => params.force(),
        Ownership::Free | Ownership::Taken | Ownership::NoApi => params,
    }
}

fn noted<K: Resource<DynamicType = ()>>(applied: K) -> K {
    tracing::info!(
        kind = %K::kind(&()),
        namespace = applied.namespace(),
        name = applied.name_any(),
        resource_version = applied.resource_version(),
        "applied"
    );
    applied
}
