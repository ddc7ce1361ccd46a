//! Step 7: the status is written, if it differs, and a change of `Ready` becomes an event.

use std::time::Duration;

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
    watching::servers::{Unreadable, WatchedServer, key},
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

/// Writes the status, if it is not what is there already. If it says only how far something is that
/// was under way before, it can wait, and this gives how long.
pub(crate) async fn write_status(
    context: &Context,
    server: &LensesMcpServer,
    status: LensesMcpServerStatus,
) -> Result<Option<Duration>, WriteStatusError> {
    let before = server.status.as_ref();
    if before == Some(&status) {
        context.statuses.settle(&key(server), None);
        return Ok(None);
    }
    if before.is_some_and(|before| only_progress(before, &status))
        && let Some(wait) = context.statuses.wait(&key(server))
    {
        return Ok(Some(wait));
    }
    let written = write(context, server, &status).await?;
    context.statuses.settle(&key(server), written.as_deref());
    announce(context, server.object_ref(&()), before, &status).await;
    Ok(None)
}

/// Whether the same work is under way after as before, and a server that was ready still is.
fn only_progress(before: &LensesMcpServerStatus, after: &LensesMcpServerStatus) -> bool {
    let ready = |status| find_ready(status).is_some_and(|ready| ready.status == "True");
    before.observed_generation == after.observed_generation
        && ready(before) == ready(after)
        && is_under_way(before)
        && is_under_way(after)
}

/// Whether pods are being made or replaced, or what was made is examined, and nothing is wrong.
fn is_under_way(status: &LensesMcpServerStatus) -> bool {
    status.conditions.iter().any(|condition| {
        condition.type_ == ConditionType::Reconciling.as_str()
            && [Reason::RolloutInProgress, Reason::Verifying]
                .iter()
                .any(|reason| condition.reason == reason.as_str())
    })
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

/// Gives the `resourceVersion` that it made. The one that it sends makes sure that what the status was made from is what is there: a status
/// made from an older state would undo a newer one.
async fn write<K: Resource<DynamicType = ()>>(
    context: &Context,
    server: &K,
    status: &LensesMcpServerStatus,
) -> Result<Option<String>, WriteStatusError> {
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
        Ok(object) => Ok(object.metadata.resource_version),
        Err(kube::Error::Api(status)) if status.is_not_found() => Ok(None),
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
    if ready.status != "True" && is_under_way(now) {
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn status(generation: i64, ready: &str, reconciling: Option<Reason>) -> LensesMcpServerStatus {
        let condition = |kind: ConditionType, status: &str, reason: Reason| {
            json!({
                "type": kind.as_str(), "status": status, "reason": reason.as_str(), "message": "",
                "lastTransitionTime": "2026-11-28T00:00:00Z"
            })
        };
        let mut conditions = vec![condition(ConditionType::Ready, ready, Reason::Ready)];
        let under_way = |reason| condition(ConditionType::Reconciling, "True", reason);
        conditions.extend(reconciling.map(under_way));
        let status = json!({ "observedGeneration": generation, "conditions": conditions });
        serde_json::from_value(status).unwrap()
    }

    #[test]
    fn only_the_steps_of_the_same_work_can_wait() {
        use Reason::{ImagePullFailed, RolloutInProgress, Verifying};
        let (rollout, verifying) = (Some(RolloutInProgress), Some(Verifying));
        for (before, after, can_wait) in [
            (status(1, "False", rollout), status(1, "False", rollout), true),
            (status(1, "False", rollout), status(1, "Unknown", verifying), true),
            (status(1, "True", rollout), status(1, "True", rollout), true),
            (status(1, "False", rollout), status(1, "True", None), false),
            (status(1, "False", rollout), status(1, "True", rollout), false),
            (status(1, "True", None), status(1, "True", rollout), false),
            (status(1, "True", rollout), status(1, "False", rollout), false),
            (status(1, "False", rollout), status(2, "False", rollout), false),
            (status(1, "False", rollout), status(1, "False", Some(ImagePullFailed)), false),
            (status(1, "False", Some(ImagePullFailed)), status(1, "False", rollout), false),
        ] {
            assert_eq!(only_progress(&before, &after), can_wait, "{before:?} {after:?}");
        }
    }
}
