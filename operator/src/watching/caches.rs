//! What is watched, as it was last seen: one cache a kind, shared by all reconciles.
//!
//! - Of kinds that every resource has an object of, this operator's own objects are kept, by label, and of others' the metadata: so
//!   it is known without a request who has a name, and a resource may refer to any config map.
//! - Of kinds that are made only where a spec asks for them, only this operator's own objects are kept.
//! - Services are all kept, since a resource may refer to any. Of Secrets, to any of which a resource may refer too, only metadata
//!   is: no value of a Secret is ever read.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use k8s_openapi::api::{
    apps::v1::Deployment,
    autoscaling::v2::HorizontalPodAutoscaler,
    core::v1::{ConfigMap, Secret, Service, ServiceAccount},
    networking::v1::{Ingress, NetworkPolicy},
    policy::v1::PodDisruptionBudget,
};
use kube::{
    core::PartialObjectMeta,
    runtime::reflector::{self, ObjectRef, Store, store::Writer},
};

use super::{
    cache::Cache,
    change::Change,
    coverage::Coverage,
    optional::Optional,
    pods::{PodIndex, WatchedPod},
    references::Index,
    servers::{self, WatchedServer},
};
use crate::{
    apis::{CachedKind, HTTPRoute, ServiceMonitor},
    metrics::ConditionLabels,
    names,
};

/// The reading ends.
pub(crate) struct Caches {
    pub(crate) servers: Store<WatchedServer>,
    pub(crate) servers_coverage: Arc<Coverage>,
    pub(crate) pods: Store<WatchedPod>,
    pub(crate) pods_coverage: Arc<Coverage>,
    pub(crate) pods_by_server: PodIndex,
    pub(crate) service_accounts: OwnAndOthers<ServiceAccount>,
    pub(crate) config_maps: OwnAndOthers<ConfigMap>,
    pub(crate) deployments: OwnAndOthers<Deployment>,
    pub(crate) network_policies: OwnAndOthers<NetworkPolicy>,
    pub(crate) secrets: Arc<Cache<PartialObjectMeta<Secret>>>,
    pub(crate) services: Arc<Cache<Service>>,
    pub(crate) ingresses: Arc<Cache<Ingress>>,
    pub(crate) http_routes: Arc<Optional<HTTPRoute>>,
    pub(crate) service_monitors: Arc<Optional<ServiceMonitor>>,
    pub(crate) horizontal_pod_autoscalers: Arc<Cache<HorizontalPodAutoscaler>>,
    pub(crate) pod_disruption_budgets: Arc<Cache<PodDisruptionBudget>>,
    pub(crate) references: Index,
}

/// All objects of a kind: this operator's own, and the metadata of all others.
pub(crate) struct OwnAndOthers<K> {
    pub(crate) own: Arc<Cache<K>>,
    pub(crate) others: Arc<Cache<PartialObjectMeta<K>>>,
}

impl<K> Default for OwnAndOthers<K> {
    fn default() -> Self {
        Self { own: Arc::default(), others: Arc::default() }
    }
}

impl<K: CachedKind> OwnAndOthers<K>
where
    PartialObjectMeta<K>: CachedKind,
{
    fn coverages(&self) -> [&Coverage; 2] {
        [self.own.coverage(), self.others.coverage()]
    }
}

/// The writing ends of the caches that are not written through [`Caches`] itself.
pub(crate) struct Writers {
    pub(crate) servers: Writer<WatchedServer>,
    pub(crate) pods: Writer<WatchedPod>,
}

impl Caches {
    /// Empty caches, and what fills them.
    pub(crate) fn new() -> (Self, Writers) {
        let (servers, servers_writer) = reflector::store();
        let (pods, pods_writer) = reflector::store();
        let caches = Self {
            servers,
            servers_coverage: Arc::default(),
            pods,
            pods_coverage: Arc::default(),
            pods_by_server: PodIndex::default(),
            service_accounts: OwnAndOthers::default(),
            config_maps: OwnAndOthers::default(),
            deployments: OwnAndOthers::default(),
            network_policies: OwnAndOthers::default(),
            secrets: Arc::default(),
            services: Arc::default(),
            ingresses: Arc::default(),
            http_routes: Arc::default(),
            service_monitors: Arc::default(),
            horizontal_pod_autoscalers: Arc::default(),
            pod_disruption_budgets: Arc::default(),
            references: Index::default(),
        };
        (caches, Writers { servers: servers_writer, pods: pods_writer })
    }

    /// Waits until every kind has been read once: before that, an object that is not there cannot
    /// be told from one that is not yet read.
    pub(crate) async fn read(&self) {
        for (_, coverage) in self.coverages() {
            coverage.read().await;
        }
        self.http_routes.known().await;
        self.service_monitors.known().await;
    }

    /// The kinds that have not been read once.
    pub(crate) fn unread(&self) -> Vec<&'static str> {
        let are_known = self.http_routes.is_known() && self.service_monitors.is_known();
        self.coverages()
            .map(|(kind, coverage)| (kind, coverage.is_read()))
            .chain([("CustomResourceDefinitions", are_known)])
            .filter_map(|(kind, is_read)| (!is_read).then_some(kind))
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect()
    }

    /// The kinds that the API server does not list in this namespace.
    pub(crate) fn unknown_in(&self, namespace: &str) -> Vec<&'static str> {
        let unknown = self.coverages().filter(|(_, coverage)| !coverage.knows(namespace));
        unknown.map(|(kind, _)| kind).collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// How many of the namespaces that are to be watched cannot be, in full.
    pub(crate) fn refused_namespaces(&self) -> usize {
        let refused = self.coverages().flat_map(|(_, coverage)| coverage.refused_namespaces());
        refused.collect::<BTreeSet<_>>().len()
    }

    /// How far the watches of each kind have got that every cluster has. Of some kinds there are
    /// two.
    fn coverages(&self) -> impl Iterator<Item = (&'static str, &Coverage)> {
        let pairs = [
            ("ServiceAccounts", self.service_accounts.coverages()),
            ("ConfigMaps", self.config_maps.coverages()),
            ("Deployments", self.deployments.coverages()),
            ("NetworkPolicies", self.network_policies.coverages()),
        ];
        [
            ("LensesMcpServers", &*self.servers_coverage),
            ("Pods", &*self.pods_coverage),
            ("Secrets", self.secrets.coverage()),
            ("Services", self.services.coverage()),
            ("Ingresses", self.ingresses.coverage()),
            ("HorizontalPodAutoscalers", self.horizontal_pod_autoscalers.coverage()),
            ("PodDisruptionBudgets", self.pod_disruption_budgets.coverage()),
        ]
        .into_iter()
        .chain(pairs.into_iter().flat_map(|(kind, both)| both.map(|one| (kind, one))))
    }

    /// How many resources have each condition with each status.
    pub(crate) fn conditions(&self) -> BTreeMap<ConditionLabels, i64> {
        servers::count(&self.servers.state())
    }

    /// The resources that an object's change concerns: the one that it is named after, and those that refer to it.
    pub(crate) fn concerned(&self, change: &Change) -> Vec<ObjectRef<WatchedServer>> {
        let mut concerned =
            self.references.referrers(&change.kind, &change.namespace, &change.name);
        let namesakes = [Some(change.name.as_str()), names::server_of_settings(&change.name)];
        for name in namesakes.into_iter().flatten() {
            let namesake = ObjectRef::new(name).within(&change.namespace);
            if self.servers.get(&namesake).is_some() {
                concerned.insert(namesake);
            }
        }
        concerned.into_iter().collect()
    }
}

impl Caches {
    /// A server's pods, in the order of their names.
    pub(crate) fn pods(&self, namespace: &str, server: &str) -> Vec<Arc<WatchedPod>> {
        let names = self.pods_by_server.pods(namespace, server);
        names
            .iter()
            .filter_map(|name| self.pods.get(&ObjectRef::new(name).within(namespace)))
            // Its label may have been changed since.
            .filter(|pod| pod.seen.server == server)
            .collect()
    }
}
