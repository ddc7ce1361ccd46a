//! What an apply alone cannot do to an Ingress.

use k8s_openapi::api::networking::v1::Ingress;
use kube::{
    Api, Client, Resource, ResourceExt,
    api::{Patch, PatchParams},
};

use super::{ApplyError, drift::drifted, remove};
use crate::MANAGER;

/// Deletes an Ingress that would be left without a class, because the spec no longer names one: the
/// cluster gives its default class to a new Ingress only. A dry run tells whether that is so.
pub(super) async fn remove_without_class(
    client: &Client,
    wanted: &Ingress,
    observed: &Ingress,
) -> Result<(), ApplyError> {
    let class = |ingress: &Ingress| ingress.spec.as_ref()?.ingress_class_name.clone();
    if class(wanted).is_some() || class(observed).is_none() || !drifted(wanted, observed) {
        return Ok(());
    }
    let name = wanted.name_any();
    let api = Api::<Ingress>::namespaced(client.clone(), &wanted.namespace().unwrap_or_default());
    let params = PatchParams { dry_run: true, ..PatchParams::apply(MANAGER).force() };
    let done = match api.patch(&name, &params, &Patch::Apply(wanted)).await {
        Ok(applied) if class(&applied).is_none() => remove(&api, &name, observed.uid()).await,
        // Another reason not to write it is told when it is written.
        _ => Ok(()),
    };
    let kind = || Ingress::kind(&()).into_owned();
    done.map_err(|source| ApplyError::Remove { kind: kind(), name, source })
}
