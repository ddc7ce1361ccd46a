//! Step "verify": what is known of HQ and of the endpoint. A pass says what is to be looked at and takes what was found so far;
//! the looking goes on beside the passes ([`rounds`]), for ever, and wakes a pass when it finds something else.
//!
//! ```text
//! pass ─▶ plan (pure) ─▶ schedule (pure: what is known, what is due) ─▶ status
//!                           ▲         │ due
//!                           └ rounds ─┴▶ materials (the API server, for Secrets that the spec names) ─▶ crate::verify (HTTP)
//! ```
//!
//! Kept per resource: what is looked at, what was found, and when to look again. No value of a Secret.

mod materials;
mod plan;
mod recorded;
mod rounds;
mod schedule;
mod shares;

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use k8s_openapi::{api::apps::v1::Deployment, jiff::Timestamp};
use kube::runtime::reflector::ObjectRef;
use lenses_mcp_crds::LensesMcpServer;
use tokio::{sync::Notify, time::Instant};

use super::{
    servers::{WatchedServer, key},
    validate::ValidServer,
};
use crate::verify::{Finding, Tools};
use plan::plan;
use schedule::Schedule;

pub(crate) use materials::{Materials, Reader};
pub(super) use rounds::rounds;

/// What a status can say of HQ and of the endpoint.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Known {
    /// Of HQ; `None` before a spec was accepted.
    pub(super) lenses: Option<Finding>,
    /// HQ's version, if HQ told it.
    pub(super) version: Option<String>,
    /// Of the endpoint; `None` where nothing is to serve.
    pub(super) endpoint: Option<Finding>,
    /// The tools, where they could be listed.
    pub(super) tools: Option<Tools>,
    /// When the endpoint was last looked at.
    pub(super) at: Option<Timestamp>,
}

/// What is known of every resource's HQ and endpoint.
#[derive(Default)]
pub(super) struct Verifications {
    schedule: Mutex<Schedule>,
    /// Something may be due earlier than was thought.
    changed: Notify,
}

impl Verifications {
    /// What is known of a resource's HQ and endpoint as the spec has them now. Sees to it that they are looked at: at once where
    /// something has changed, and again and again.
    pub(super) fn verify(
        &self,
        server: &LensesMcpServer,
        valid: Option<&ValidServer>,
        deployment: Option<&Deployment>,
    ) -> Known {
        let key = key(server);
        let recorded = recorded::recorded(server.status.as_ref());
        let Some(plan) = valid.and_then(|valid| plan(server, valid, deployment)) else {
            // What the last spec that was accepted led to still serves, and is looked at further.
            return self.schedule().known(&key).unwrap_or(recorded);
        };
        let known = self.schedule().want(&key, plan, recorded, Instant::now(), rand::random());
        self.changed.notify_one();
        known
    }

    /// For how long a first finding of HQ may be waited for; `None` where there is one, or it takes too long.
    pub(super) fn first_look(&self, server: &LensesMcpServer) -> Option<Duration> {
        self.schedule().first_look(&key(server), Instant::now())
    }

    /// A resource is gone.
    pub(super) fn forget(&self, server: &ObjectRef<WatchedServer>) {
        self.schedule().forget(server);
    }

    /// How long ago the endpoint was looked at that has waited longest; `None` where none has been looked at.
    pub(super) fn oldest(&self) -> Option<Duration> {
        self.schedule().oldest(Instant::now())
    }

    /// A panic elsewhere leaves a schedule that is whole: no call of its methods stops halfway.
    fn schedule(&self) -> MutexGuard<'_, Schedule> {
        self.schedule.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
