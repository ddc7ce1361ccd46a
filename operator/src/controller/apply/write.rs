//! One object is written, until it is as wanted or the API server says why it cannot be.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ManagedFieldsEntry;
use kube::{
    Api, Resource, ResourceExt,
    api::{ListParams, Patch, PatchParams},
    core::Status,
};
use serde_json::json;

use super::{
    drift::differences,
    managed_fields::{Path, place, taken_over},
    remove,
};
use crate::{MANAGER, apis::CachedKind};

/// Applies an object. `params`: as the object's owner, or as one who may not be.
///
/// Server-side apply leaves items of others in lists. If somebody changed the very field that tells
/// items apart, such as the number of a port, the old item and the new one stand side by side, and
/// the API server refuses the two, or one that nobody wants stays. Then this operator takes over
/// what is in the way and applies once more. After that, `managedFields` has one entry of its own.
pub(super) async fn write<K: CachedKind>(
    api: &Api<K>,
    params: &PatchParams,
    wanted: &K,
) -> Result<K, kube::Error> {
    let (name, patch) = (wanted.name_any(), Patch::Apply(wanted));
    let mut refused = match api.patch(&name, params, &patch).await {
        Ok(applied) => {
            let disputed = differences(wanted, &applied);
            if take_over(api, &applied, &disputed).await? {
                return api.patch(&name, params, &patch).await;
            }
            return Ok(applied);
        }
        Err(kube::Error::Api(status)) if status.is_invalid() && params.force => status,
        Err(error) => return Err(error),
    };
    // The roles let this operator list, and not get.
    let only = ListParams::default().fields(&format!("metadata.name={name}"));
    let Some(there) = api.list_metadata(&only).await?.items.pop() else {
        return Err(kube::Error::Api(refused));
    };
    if take_over(api, &there, &causes(&refused)).await? {
        match api.patch(&name, params, &patch).await {
            Err(kube::Error::Api(status)) if status.is_invalid() => refused = status,
            done => return done,
        }
    }
    if is_replaceable::<K>() && is_immutable(&refused) {
        remove(api, &name, there.metadata.uid).await?;
        return api.patch(&name, params, &patch).await;
    }
    Err(kube::Error::Api(refused))
}

/// Whether there was something to take over.
async fn take_over<K: CachedKind, T: Resource>(
    api: &Api<K>,
    there: &T,
    disputed: &[Path],
) -> Result<bool, kube::Error> {
    let entries: &[ManagedFieldsEntry] = there.managed_fields();
    let Some(entries) = taken_over(entries, disputed) else { return Ok(false) };
    // Of this very version: fields may have got other owners since.
    let metadata = json!({
        "uid": there.uid(),
        "resourceVersion": there.resource_version(),
        "managedFields": entries,
    });
    let params = PatchParams { field_manager: Some(MANAGER.to_owned()), ..PatchParams::default() };
    let patch = Patch::Merge(json!({ "metadata": metadata }));
    api.patch_metadata(&there.name_any(), &params, &patch).await?;
    Ok(true)
}

/// Which fields the API server finds fault with.
fn causes(status: &Status) -> Vec<Path> {
    let causes = status.details.iter().flat_map(|details| &details.causes);
    causes.map(|cause| place(&cause.field)).filter(|path| !path.is_empty()).collect()
}

fn is_immutable(status: &Status) -> bool {
    status.message.contains("immutable")
}

/// Whether nothing is lost if an object of this kind is made anew: pods keep the files that they
/// have mounted. A Deployment would lose its pods, and a Service its address.
fn is_replaceable<K: Resource<DynamicType = ()>>() -> bool {
    K::kind(&()) == "ConfigMap"
}
