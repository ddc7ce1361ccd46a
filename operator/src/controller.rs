//! The reconcile of one resource: the steps, in their order.
//!
//! Whether what was made can be used is found out beside the reconciles ([`crate::probe`]); a
//! reconcile takes what is known.
//!
//! Everything that a reconcile reads is watched, so a reconcile of a resource that nothing has
//! happened to makes no request, and none is made on a timer. What the author must mend waits for a
//! change; what may go away by itself is tried again, later each time.

mod apply;
pub(crate) mod build;
mod dereference;
#[cfg(test)]
pub(crate) mod fixtures;
pub(crate) mod observed;
mod owner;
mod status;
mod upgrade;
pub(crate) mod validate;
mod verify;
mod write_status;

use std::{sync::Arc, time::Duration};

use k8s_openapi::jiff::Timestamp;
use kube::{
    ResourceExt,
    runtime::{controller::Action, reflector::ObjectRef},
};
use lenses_mcp_crds::{LensesMcpServer, conditions::Reason};
use tokio::time::{Instant, timeout};

use crate::{
    context::Context,
    metrics::Outcome,
    watching::servers::{WatchedServer, key},
};

/// How long one reconcile may take. None waits for anything but the API server.
const LIMIT: Duration = Duration::from_mins(1);

/// How soon the watch shows a write.
const SOON: Duration = Duration::from_millis(100);

/// Why a reconcile failed. Each may go away by itself, so each is tried again.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReconcileError {
    #[error("failed to read: {0}")]
    Dereference(#[from] dereference::DereferenceError),
    #[error("{0}")]
    Apply(#[from] apply::ApplyError),
    #[error("{0}")]
    WriteStatus(#[from] write_status::WriteStatusError),
    #[error("the reconcile took longer than {} s", LIMIT.as_secs())]
    TimedOut,
    #[error(
        "the API server does not list {} in namespace {namespace} to the operator; \
         restore the operator's Role and RoleBinding there",
        kinds.join(", ")
    )]
    Unknown { namespace: String, kinds: Vec<&'static str> },
}

impl ReconcileError {
    fn reason(&self) -> &'static str {
        match self {
            Self::Dereference(_) => "read",
            Self::Apply(_) => "apply",
            Self::WriteStatus(_) => "status",
            Self::TimedOut => "timeout",
            Self::Unknown { .. } => "unknown",
        }
    }
}

/// The seven steps, each with what it needs of the API server.
async fn steps(context: &Context, server: &LensesMcpServer) -> Result<Action, ReconcileError> {
    let version = server.metadata.resource_version.as_deref().unwrap_or_default();
    if context.statuses.is_outdated(&key(server), version) {
        return Ok(Action::requeue(SOON));
    }
    // 1. Dereference. The caches; the API server for a name that they do not have.
    let found = dereference::dereference(context, server).await?;
    // 2. Validate. Nothing.
    let valid = validate::validate(server, &found, &context.defaults);
    upgrade::hasten(context, server, &found);
    // 3. Build. Nothing.
    let wanted = valid.as_ref().ok().filter(|_| !server.spec.paused);
    let wanted = wanted.map(|valid| (valid, build::build(valid)));
    // 4. Apply. The API server, for what differs.
    let rendered = wanted.as_ref().and_then(|(_, wanted)| wanted.deployment.clone());
    let applied = match wanted {
        Some((valid, wanted)) => {
            let turn = upgrade::turn(context, server, valid, &wanted, &found);
            Box::pin(apply::apply(context, valid, wanted, turn, &found)).await
        }
        None => Ok(apply::keep(&found.children)),
    };
    let deployment = applied
        .as_ref()
        .map_or_else(|_| found.children.deployment.own(), |applied| applied.deployment.as_ref())
        .map(|deployment| &**deployment);
    // 5. Verify. Nothing; HTTP beside the reconciles.
    let known = verify::verify(&context.verifications, server, valid.as_ref().ok(), deployment);
    upgrade::follow(context, server, rendered.as_ref(), applied.as_ref(), &known);
    if let Some(wait) = context.verifications.first_look(&key(server))
        && server.status.is_none()
        && applied.is_ok()
    {
        // The first status says what HQ is like, too. It comes with the news of that, or without
        // when that takes long.
        return Ok(Action::requeue(wait));
    }
    // 6. Status. Nothing.
    let now = Timestamp::now();
    let status = status::status(server, valid.as_ref(), applied.as_ref(), &found, known, now);
    // 7. Write the status. The API server, if it differs.
    let postponed = write_status::write_status(context, server, status).await?;

    applied?;
    match valid {
        // Who holds the name may not be among what is watched, so its going has to be looked for.
        Err(rejections) if rejections.reason() == Reason::NameTaken => {
            Ok(context.failures.next(&key(server)))
        }
        _ if let Some(wait) = postponed => Ok(Action::requeue(wait)),
        // Nor are events, and a warning may come after the state that it is about.
        _ if found.pods.unexplained => Ok(context.failures.next(&key(server))),
        _ if let Some(wait) = found.pods.patience => Ok(Action::requeue(wait)),
        _ => Ok(Action::await_change()),
    }
}

/// A reconcile, bounded and counted.
pub(crate) async fn reconcile(
    watched: Arc<WatchedServer>,
    context: Arc<Context>,
) -> Result<Action, ReconcileError> {
    let begun = Instant::now();
    context.queue.taken(&ObjectRef::from_obj(&*watched));
    let ended = timeout(LIMIT, async {
        context.caches.read().await;
        let namespace = watched.namespace().unwrap_or_default();
        let kinds = context.caches.unknown_in(&namespace);
        if !kinds.is_empty() {
            return Err(ReconcileError::Unknown { namespace, kinds });
        }
        // Its objects go with it: they name it as their owner.
        if watched.is_going() {
            context.upgrades.follow(&ObjectRef::from_obj(&*watched), None);
            return Ok(Action::await_change());
        }
        match watched.read() {
            Ok(server) => Box::pin(steps(&context, &server)).await,
            Err(why) => {
                context.upgrades.follow(&ObjectRef::from_obj(&*watched), None);
                Ok(Box::pin(write_status::unreadable(&context, &watched, &why)).await?)
            }
        }
    })
    .await
    .unwrap_or(Err(ReconcileError::TimedOut));
    // One that cannot be looked at keeps no place from others.
    if let Err(
        ReconcileError::Dereference(_) | ReconcileError::TimedOut | ReconcileError::Unknown { .. },
    ) = &ended
    {
        context.upgrades.follow(&ObjectRef::from_obj(&*watched), None);
    }
    let outcome = match &ended {
        Ok(action) if *action == Action::await_change() => {
            context.failures.0.forget(&ObjectRef::from_obj(&*watched));
            Outcome::Settled
        }
        Ok(_) => Outcome::Waiting,
        Err(_) => Outcome::Failed,
    };
    context.metrics.reconciled(outcome, begun.elapsed().as_secs_f64());
    let server = ObjectRef::from_obj(&*watched);
    // It may have gone since this began, and what this has noted of it would never be forgotten.
    if context.caches.servers.get(&server).is_none() {
        context.forget(&server);
    }
    ended
}

#[expect(clippy::needless_pass_by_value, reason = "the controller gives it so")]
pub(crate) fn retry(
    watched: Arc<WatchedServer>,
    error: &ReconcileError,
    context: Arc<Context>,
) -> Action {
    context.metrics.failed(error.reason());
    tracing::warn!(
        namespace = watched.namespace(), name = watched.name_any(), %error,
        "reconcile failed, will try again"
    );
    let server = ObjectRef::from_obj(&*watched);
    if context.caches.servers.get(&server).is_none() {
        return Action::await_change();
    }
    context.failures.next(&server)
}
