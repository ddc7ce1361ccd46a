//! What a Deployment says of itself. Pure.

use k8s_openapi::api::{apps::v1::Deployment, core::v1::Container};
use lenses_mcp_crds::SERVER_CONTAINER;

/// The server's container, which injectors may have put others before.
pub(crate) fn server_container(deployment: &Deployment) -> Option<&Container> {
    let pod = deployment.spec.as_ref()?.template.spec.as_ref()?;
    pod.containers.iter().find(|container| container.name == SERVER_CONTAINER)
}

/// The image that the server's container runs.
pub(crate) fn image(deployment: &Deployment) -> Option<String> {
    server_container(deployment)?.image.clone()
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
