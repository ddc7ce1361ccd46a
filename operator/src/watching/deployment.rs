//! What a Deployment says of itself. Pure.

use k8s_openapi::{
    api::{apps::v1::Deployment, core::v1::Container},
    apimachinery::pkg::apis::meta::v1::ObjectMeta,
};
use lenses_mcp_crds::SERVER_CONTAINER;

use crate::names::{LAST_APPLIED, SETTINGS_VOLUME, TEMPLATE};

/// The server's container, which injectors may have put others before.
pub(crate) fn server_container(deployment: &Deployment) -> Option<&Container> {
    let pod = deployment.spec.as_ref()?.template.spec.as_ref()?;
    pod.containers.iter().find(|container| container.name == SERVER_CONTAINER)
}

/// The image that the server's container runs.
pub(crate) fn image(deployment: &Deployment) -> Option<String> {
    server_container(deployment)?.image.clone()
}

/// The Deployment as this operator last asked for it. Admission, and whoever edits, change what is
/// stored, and not that. `None`: an operator that did not note it made the Deployment.
pub(crate) fn last_applied(deployment: &Deployment) -> Option<Deployment> {
    let noted = deployment.metadata.annotations.as_ref()?.get(LAST_APPLIED)?;
    let mut asked: Deployment = serde_json::from_str(noted).ok()?;
    // Whoever may write the Deployment may write the note. It must lead to no other object.
    asked.metadata = ObjectMeta {
        name: deployment.metadata.name.clone(),
        namespace: deployment.metadata.namespace.clone(),
        labels: asked.metadata.labels,
        annotations: asked.metadata.annotations,
        owner_references: asked.metadata.owner_references,
        ..ObjectMeta::default()
    };
    let annotations = asked.metadata.annotations.get_or_insert_default();
    annotations.insert(LAST_APPLIED.to_owned(), noted.clone());
    Some(asked)
}

/// The digest of the pod template, as this operator asked for it.
pub(crate) fn template_digest(deployment: &Deployment) -> Option<&String> {
    template_annotation(deployment, TEMPLATE)
}

/// An annotation of the pods.
pub(crate) fn template_annotation<'a>(
    deployment: &'a Deployment,
    name: &str,
) -> Option<&'a String> {
    let template = deployment.spec.as_ref()?.template.metadata.as_ref()?;
    template.annotations.as_ref()?.get(name)
}

/// The `ConfigMap` with the settings that the pods mount.
pub(crate) fn settings(deployment: &Deployment) -> Option<&str> {
    let pod = deployment.spec.as_ref()?.template.spec.as_ref()?;
    let volume = pod.volumes.iter().flatten().find(|volume| volume.name == SETTINGS_VOLUME)?;
    Some(&volume.config_map.as_ref()?.name)
}

/// How many pods there are, if all of them are the wanted ones and serve.
pub(crate) fn complete(deployment: &Deployment) -> Option<i32> {
    let wanted = deployment.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1);
    let status = deployment.status.as_ref()?;
    let count = |pods: Option<i32>| pods.unwrap_or(0);
    let updated = count(status.updated_replicas);
    let complete = status.observed_generation >= deployment.metadata.generation
        && updated >= wanted
        && count(status.replicas) <= updated
        && count(status.available_replicas) >= wanted
        && !is_stalled(deployment);
    complete.then_some(wanted)
}

/// Whether the Deployment's deadline has passed.
pub(crate) fn is_stalled(deployment: &Deployment) -> bool {
    let conditions = deployment.status.as_ref().and_then(|status| status.conditions.as_deref());
    conditions.unwrap_or_default().iter().any(|condition| {
        condition.type_ == "Progressing"
            && condition.reason.as_deref() == Some("ProgressDeadlineExceeded")
    })
}
