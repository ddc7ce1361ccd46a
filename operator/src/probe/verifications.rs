//! What is known of every resource's HQ and endpoint.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use kube::runtime::reflector::ObjectRef;
use tokio::{sync::Notify, time::Instant};

use super::{Known, plan::Plan, schedule::Schedule};
use crate::watching::servers::WatchedServer;

/// What is known of every resource's HQ and endpoint.
#[derive(Default)]
pub(crate) struct Verifications {
    schedule: Mutex<Schedule>,
    /// Something may be due earlier than was thought.
    pub(super) changed: Notify,
}

impl Verifications {
    /// What is known of a resource's HQ and endpoint. Sees to it that `plan` is looked at: at once where something has changed, and
    /// again and again. `recorded` is what the status said.
    pub(crate) fn verify(
        &self,
        server: &ObjectRef<WatchedServer>,
        plan: Option<Plan>,
        recorded: Known,
    ) -> Known {
        let Some(plan) = plan else {
            // What the last spec that was accepted led to still serves, and is looked at further.
            return self.schedule().known(server).unwrap_or(recorded);
        };
        let known = self.schedule().want(server, plan, recorded, Instant::now(), rand::random());
        self.changed.notify_one();
        known
    }

    /// Whether the endpoint was found well since what is wanted of it last changed, its pods included.
    /// Other tools than the resource expects are for its author to accept.
    pub(crate) fn is_verified(&self, server: &ObjectRef<WatchedServer>) -> bool {
        self.schedule().is_verified(server)
    }

    /// For how long a first finding of HQ may be waited for; `None` where there is one, or it takes too long.
    pub(crate) fn first_look(&self, server: &ObjectRef<WatchedServer>) -> Option<Duration> {
        self.schedule().first_look(server, Instant::now())
    }

    /// Forgets those that are not like this.
    pub(crate) fn retain(&self, like: impl Fn(&ObjectRef<WatchedServer>) -> bool) {
        self.schedule().retain(like);
    }

    /// A resource is gone.
    pub(crate) fn forget(&self, server: &ObjectRef<WatchedServer>) {
        self.schedule().forget(server);
    }

    /// How long ago the endpoint was looked at that has waited longest; `None` where none has been looked at.
    pub(crate) fn oldest(&self) -> Option<Duration> {
        self.schedule().oldest(Instant::now())
    }

    /// A panic elsewhere leaves a schedule that is whole: no call of its methods stops halfway.
    pub(super) fn schedule(&self) -> MutexGuard<'_, Schedule> {
        self.schedule.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
