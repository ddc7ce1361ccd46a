//! The Secret with the sealing key.

use base64::{Engine, engine::general_purpose::STANDARD};
use k8s_openapi::{api::core::v1::Secret, apimachinery::pkg::apis::meta::v1::ObjectMeta};
use kube::{
    Api, ResourceExt,
    api::{PartialObjectMetaExt, Patch, PatchParams, PostParams},
    core::PartialObjectMeta,
};
use serde_json::{Value, json};

use super::{ApplyError, drift::drifted, remove};
use crate::{
    MANAGER,
    context::Context,
    controller::{build::SEALING_KEY, observed::Ownership},
    names::ROTATION,
};

/// The key is made once and stored as immutable, so all that can drift is metadata; and what the
/// API server answers is dropped unread but for that. A new key is a new Secret: the old one is
/// deleted, and this resource looks again when that is seen. Gives the uid of a Secret that was
/// made just now.
pub(super) async fn ensure_sealing_key(
    Context { client, caches, .. }: &Context,
    wanted: PartialObjectMeta<Secret>,
    found: &Ownership<PartialObjectMeta<Secret>>,
) -> Result<Option<String>, ApplyError> {
    let api = Api::<Secret>::namespaced(client.clone(), &wanted.namespace().unwrap_or_default());
    let name = wanted.name_any();
    let before = caches.secrets.before_write();
    let rotation = |metadata: &ObjectMeta| metadata.annotations.as_ref()?.get(ROTATION).cloned();
    let done = match found {
        Ownership::Own(observed)
            if rotation(&wanted.metadata).is_some()
                && rotation(&wanted.metadata) != rotation(&observed.metadata) =>
        {
            remove(
                &Api::<PartialObjectMeta<Secret>>::namespaced(
                    client.clone(),
                    &wanted.namespace().unwrap_or_default(),
                ),
                &name,
                observed.uid(),
            )
            .await
            .map(|()| None)
        }
        Ownership::Own(observed) if !drifted(&wanted.metadata, &observed.metadata) => {
            return Ok(None);
        }
        Ownership::Own(_) | Ownership::OwnUnlabelled => {
            // It was created, so this operator has an Update entry in its managedFields, which owns
            // the key. An apply would add a second one, and could not take the first one over.
            let params =
                PatchParams { field_manager: Some(MANAGER.to_owned()), ..PatchParams::default() };
            let mut metadata = json!(wanted.metadata);
            if rotation(&wanted.metadata).is_none() {
                metadata["annotations"][ROTATION] = Value::Null;
            }
            let patch = Patch::Merge(json!({ "metadata": metadata }));
            let patched = api.patch_metadata(&name, &params, &patch).await;
            patched.map(|mut secret| {
                caches.secrets.wrote(&before, &mut secret);
                None
            })
        }
        Ownership::Free | Ownership::Taken | Ownership::NoApi => {
            let key = STANDARD.encode(rand::random::<[u8; 32]>());
            let secret = Secret {
                metadata: wanted.metadata,
                immutable: Some(true),
                string_data: Some([(SEALING_KEY.to_owned(), key)].into()),
                ..Secret::default()
            };
            let made =
                PostParams { field_manager: Some(MANAGER.to_owned()), ..PostParams::default() };
            match api.create(&made, &secret).await {
                Ok(secret) => {
                    let uid = secret.metadata.uid.clone();
                    caches.secrets.wrote(&before, &mut secret.metadata.into_response_partial());
                    Ok(uid)
                }
                // The cache was behind. Whosever it is, the watch will tell, and another reconcile
                // will follow.
                Err(kube::Error::Api(status)) if status.is_already_exists() => Ok(None),
                Err(error) => Err(error),
            }
        }
    };
    done.map_err(|source| ApplyError::Apply { kind: "Secret".to_owned(), name, source })
}
