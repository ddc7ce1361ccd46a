//! Step 7: the status is written, if it differs, and a change of `Ready` becomes an event.

use k8s_openapi::{
    api::core::v1::ObjectReference, apimachinery::pkg::apis::meta::v1::Condition, jiff::Timestamp,
};
use kube::{
    Api, Resource, ResourceExt,
    api::{ApiResource, DynamicObject, Patch, PatchParams},
    core::PartialObjectMeta,
    runtime::{
        controller::Action,
        events::{Event, EventType},
    },
};
use lenses_mcp_crds::{
    LensesMcpServer, LensesMcpServerStatus,
    conditions::{ConditionType, Reason},
};
use serde_json::json;

use super::status;
use crate::{
    MANAGER, api_error,
    context::Context,
    watching::servers::{Unreadable, WatchedServer},
};

/// What can go wrong in writing the status.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WriteStatusError {
    /// The API server refused or did not answer.
    #[error("failed to write the status: {}", api_error::message(.0))]
    Write(#[source] kube::Error),
    /// The resource changed after it was read.
    #[error("the resource changed in the meantime")]
    Outdated,
    /// The resource could not be read again.
    #[error("failed to read the resource: {}", api_error::message(.0))]
    Read(#[source] kube::Error),
}

/// Writes the status, if it is not what is there already.
pub(crate) async fn write_status(
    context: &Context,
    server: &LensesMcpServer,
    status: LensesMcpServerStatus,
) -> Result<(), WriteStatusError> {
    let before = server.status.as_ref();
    if before == Some(&status) {
        return Ok(());
    }
    write(context, server, &status).await?;
    announce(context, server.object_ref(&()), before, &status).await;
    Ok(())
}

/// Says of a resource that cannot be read that it cannot be read.
pub(crate) async fn unreadable(
    context: &Context,
    watched: &WatchedServer,
    why: &Unreadable,
) -> Result<Action, WriteStatusError> {
    let resource = ApiResource::erase::<LensesMcpServer>(&());
    let api = Api::<DynamicObject>::namespaced_with(
        context.client.clone(),
        &watched.namespace().unwrap_or_default(),
        &resource,
    );
    let Some(object) = api.get_opt(&watched.name_any()).await.map_err(WriteStatusError::Read)?
    else {
        return Ok(Action::await_change());
    };
    let before = object
        .data
        .get("status")
        .and_then(|status| serde_json::from_value(status.clone()).ok())
        .unwrap_or_default();
    let status =
        status::unreadable(&why.to_string(), &before, object.metadata.generation, Timestamp::now());
    if before != status {
        write(context, watched, &status).await?;
        announce(context, watched.object_ref(&()), Some(&before), &status).await;
    }
    Ok(Action::await_change())
}

/// The `resourceVersion` makes sure that what the status was made from is what is there: a status
/// made from an older state would undo a newer one.
async fn write<K: Resource<DynamicType = ()>>(
    context: &Context,
    server: &K,
    status: &LensesMcpServerStatus,
) -> Result<(), WriteStatusError> {
    // The answer is read as metadata alone: the rest of it may be what this operator cannot read.
    let namespace = server.namespace().unwrap_or_default();
    let api =
        Api::<PartialObjectMeta<LensesMcpServer>>::namespaced(context.client.clone(), &namespace);
    let patch = json!({
        "apiVersion": LensesMcpServer::api_version(&()),
        "kind": LensesMcpServer::kind(&()),
        "metadata": { "resourceVersion": server.resource_version() },
        "status": status,
    });
    let name = server.name_any();
    let mut written =
        api.patch_status(&name, &PatchParams::apply(MANAGER).force(), &Patch::Apply(&patch)).await;
    // A CRD older than this operator lacks fields of the status. Apply refuses these, a merge
    // leaves them out.
    if matches!(
        &written,
        Err(kube::Error::Api(refused)) if refused.message.contains("field not declared in schema")
    ) {
        let params =
            PatchParams { field_manager: Some(MANAGER.to_owned()), ..PatchParams::default() };
        written = api.patch_status(&name, &params, &Patch::Merge(&patch)).await;
    }
    match written {
        Ok(_) => Ok(()),
        Err(kube::Error::Api(status)) if status.is_not_found() => Ok(()),
        Err(kube::Error::Api(status)) if status.is_conflict() => Err(WriteStatusError::Outdated),
        Err(error) => Err(WriteStatusError::Write(error)),
    }
}

/// One event for each change of `Ready`, whose reason and message are those of whatever holds the
/// server back. That something is under way is no event: the status tells, and what comes of it is
/// one.
async fn announce(
    context: &Context,
    server: ObjectReference,
    before: Option<&LensesMcpServerStatus>,
    now: &LensesMcpServerStatus,
) {
    let Some(ready) = find_ready(now) else { return };
    let said = |condition: &Condition| {
        (condition.status.clone(), condition.reason.clone(), condition.message.clone())
    };
    if before.and_then(find_ready).map(said) == Some(said(ready)) {
        return;
    }
    let under_way = ready.status != "True"
        && now.conditions.iter().any(|c| {
            c.type_ == "Reconciling"
                && [Reason::RolloutInProgress, Reason::Verifying]
                    .iter()
                    .any(|reason| c.reason == reason.as_str())
        });
    if under_way {
        return;
    }
    let event = Event {
        type_: if ready.status == "True" { EventType::Normal } else { EventType::Warning },
        reason: ready.reason.clone(),
        note: Some(ready.message.chars().take(1000).collect()),
        action: "Reconcile".to_owned(),
        secondary: None,
    };
    if let Err(error) = context.recorder.publish(&event, &server).await {
        tracing::warn!(%error, "failed to publish an event");
    }
}

fn find_ready(status: &LensesMcpServerStatus) -> Option<&Condition> {
    status.conditions.iter().find(|condition| condition.type_ == ConditionType::Ready.as_str())
}
