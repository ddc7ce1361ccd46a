//! What every reconcile can use.

use std::sync::Arc;

use futures::channel::mpsc::UnboundedReceiver;
use kube::{
    Client,
    runtime::{
        events::{Recorder, Reporter},
        reflector::ObjectRef,
        watcher::Event,
    },
};

use lenses_mcp_crds::VerificationMode;

use crate::{
    MANAGER,
    back_off::Failures,
    metrics::{Gauges, Metrics},
    probe::{ProbeSettings, Proxy, Verifications, dial::DialPolicy},
    queue::Queue,
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
    /// How many servers at a time are given a new default image.
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
    pub(crate) queue: Queue,
    pub(crate) upgrades: UpgradeQueue,
    /// What was found of each resource's HQ and endpoint.
    pub(crate) verifications: Verifications,
}

/// Whose turn it is to be given a new default image, as it comes.
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
        let (upgrades, admissions) =
            UpgradeQueue::new(defaults.image.clone(), defaults.upgrades_at_once);
        let context = Self {
            client,
            caches,
            metrics,
            defaults,
            recorder,
            failures: Failures::default(),
            queue: Queue::default(),
            upgrades,
            verifications: Verifications::default(),
        };
        (context, Admissions(admissions))
    }

    /// Tells the upgrades how far one server is on the way to the default image.
    pub(crate) fn follow_upgrade(&self, server: &ObjectRef<WatchedServer>) {
        // What has no Deployment yet is not on the way.
        let deployment = self
            .caches
            .deployments
            .own
            .get(server.namespace.as_deref().unwrap_or_default(), &server.name);
        let watched = self.caches.servers.get(server).filter(|_| deployment.is_some());
        let read = watched.and_then(|watched| watched.read().ok());
        self.upgrades.follow(server, read.as_ref(), deployment.as_ref());
    }

    /// A server has changed; after a list, any may have.
    pub(crate) fn follow_upgrades(&self, event: &Event<WatchedServer>) {
        match event {
            Event::Init | Event::InitApply(_) => {}
            Event::InitDone => {
                // Those that went while the list was made are in the queue still.
                let queued = self.upgrades.queued();
                let listed = self.caches.servers.state();
                let listed = listed.iter().map(|server| ObjectRef::from_obj(&**server));
                queued.into_iter().chain(listed).for_each(|server| self.follow_upgrade(&server));
            }
            Event::Apply(server) | Event::Delete(server) => {
                self.follow_upgrade(&ObjectRef::from_obj(server));
            }
        }
    }

    /// A resource is gone.
    pub(crate) fn forget(&self, server: &ObjectRef<WatchedServer>) {
        self.failures.forget(server);
        self.queue.taken(server);
        self.verifications.forget(server);
    }

    /// Every resource that is gone.
    pub(crate) fn forget_the_gone(&self) {
        let is_there =
            |server: &ObjectRef<WatchedServer>| self.caches.servers.get(server).is_some();
        self.failures.retain(is_there);
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
