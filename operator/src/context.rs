//! What every reconcile can use.

use std::sync::Arc;

use futures::channel::mpsc::UnboundedReceiver;
use kube::{
    Client,
    runtime::{
        events::{Recorder, Reporter},
        reflector::ObjectRef,
    },
};

use lenses_mcp_crds::VerificationMode;

use crate::{
    MANAGER,
    back_off::Failures,
    metrics::{Gauges, Metrics},
    probe::{ProbeSettings, Proxy, Verifications, dial::DialPolicy},
    queue::Queue,
    rewritten::Rewritten,
    statuses::Statuses,
    upgrades::UpgradeQueue,
    watching::{Caches, servers::WatchedServer},
};

/// What a resource that says nothing gets, and where the operator looks.
pub(crate) struct Defaults {
    /// The image of the server.
    pub(crate) image: String,
    /// The pull secrets of servers whose resource names none.
    pub(crate) image_pull_secrets: Vec<String>,
    /// The domain of this cluster's DNS names.
    pub(crate) cluster_domain: String,
    /// The namespaces that are watched; none means all.
    pub(crate) namespaces: Vec<String>,
    /// Which resources are this operator's, as a label selector; empty means all.
    pub(crate) selector: String,
    /// How many servers at a time get another rendering.
    pub(crate) upgrades_at_once: u16,
    /// The namespace that this operator runs in.
    pub(crate) operator_namespace: String,
    /// The proxy towards HQ of resources that ask for the operator's.
    pub(crate) proxy: Option<Proxy>,
    /// Whether a pod template may give pods power over their node.
    pub(crate) allow_host_access: bool,
    /// How verification works.
    pub(crate) verification: VerificationDefaults,
}

/// How verification works if a resource does not say, and what no resource can change.
#[derive(Clone, Debug)]
pub(crate) struct VerificationDefaults {
    /// What is examined.
    pub(crate) mode: VerificationMode,
    /// What no resource can change.
    pub(crate) probes: ProbeSettings,
}

impl Default for VerificationDefaults {
    fn default() -> Self {
        let probes = ProbeSettings { secrets_require_label: true, dial: DialPolicy::default() };
        Self { mode: VerificationMode::default(), probes }
    }
}

/// What every reconcile can use.
pub struct Context {
    pub(crate) client: Client,
    pub(crate) caches: Arc<Caches>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) defaults: Defaults,
    pub(crate) recorder: Recorder,
    pub(crate) failures: Failures,
    pub(crate) statuses: Statuses,
    pub(crate) queue: Queue,
    pub(crate) upgrades: UpgradeQueue,
    /// What admission makes of Deployments.
    pub(crate) rewritten: Rewritten,
    /// What was found of each resource's HQ and endpoint.
    pub(crate) verifications: Verifications,
}

/// Whose turn it is to get another rendering, as it comes.
pub(crate) struct Admissions(pub(crate) UnboundedReceiver<ObjectRef<WatchedServer>>);

impl Context {
    /// A context whose caches are filled once the controller runs.
    pub(crate) fn new(
        client: Client,
        caches: Arc<Caches>,
        metrics: Arc<Metrics>,
        defaults: Defaults,
        identity: String,
    ) -> (Self, Admissions) {
        let reporter = Reporter { controller: MANAGER.to_owned(), instance: Some(identity) };
        let recorder = Recorder::new(client.clone(), reporter);
        let (upgrades, admissions) = UpgradeQueue::new(defaults.upgrades_at_once);
        let context = Self {
            client,
            caches,
            metrics,
            defaults,
            recorder,
            failures: Failures::default(),
            statuses: Statuses::default(),
            queue: Queue::default(),
            upgrades,
            rewritten: Rewritten::default(),
            verifications: Verifications::default(),
        };
        (context, Admissions(admissions))
    }

    /// Every resource that there is has been listed.
    pub(crate) fn listed(&self) {
        let listed = self.caches.servers.state();
        self.upgrades.listed(listed.iter().map(|server| ObjectRef::from_obj(&**server)));
        self.forget_the_gone();
    }

    /// A resource is gone.
    pub(crate) fn forget(&self, server: &ObjectRef<WatchedServer>) {
        self.failures.0.forget(server);
        self.statuses.0.forget(server);
        self.queue.taken(server);
        self.upgrades.forget(server);
        self.rewritten.0.forget(server);
        self.verifications.forget(server);
    }

    /// Every resource that is gone.
    fn forget_the_gone(&self) {
        let is_there =
            |server: &ObjectRef<WatchedServer>| self.caches.servers.get(server).is_some();
        self.failures.0.retain(is_there);
        self.statuses.0.retain(is_there);
        self.rewritten.0.retain(is_there);
        self.verifications.retain(is_there);
    }

    /// The kinds that have not been read once.
    #[must_use]
    pub fn unread(&self) -> Vec<&'static str> {
        self.caches.unread()
    }

    /// What is so now, for the metrics.
    #[must_use]
    pub fn gauges(&self) -> Gauges {
        let (waiting, under_way) = self.upgrades.counts();
        Gauges {
            leader: true,
            queued: self.queue.depth(),
            conditions: self.caches.conditions(),
            oldest_verification: self.verifications.oldest(),
            upgrades_waiting: waiting,
            upgrades_under_way: under_way,
            refused_namespaces: self.caches.refused_namespaces(),
        }
    }
}
