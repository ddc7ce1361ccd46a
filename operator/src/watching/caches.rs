//! What is watched, as it was last seen: one cache a kind, shared by all reconciles.
//!
//! - Of kinds that every resource has an object of, this operator's own objects are kept, by label, and of others' the metadata: so
//!   it is known without a request who has a name, and a resource may refer to any config map.
//! - Of kinds that are made only where a spec asks for them, only this operator's own objects are kept.
//! - Services are all kept, since a resource may refer to any. Of Secrets, to any of which a resource may refer too, only metadata
//!   is: no value of a Secret is ever read.

use std::{collections::BTreeMap, hash::Hash, sync::Arc};

use futures::FutureExt;
use k8s_openapi::api::{
    apps::v1::Deployment,
    autoscaling::v2::HorizontalPodAutoscaler,
    core::v1::{ConfigMap, Secret, Service, ServiceAccount},
    networking::v1::{Ingress, NetworkPolicy},
    policy::v1::PodDisruptionBudget,
};
use kube::{
    core::PartialObjectMeta,
    runtime::reflector::{
        self, Lookup, ObjectRef, Store,
        store::{Writer, WriterDropped},
    },
};

use super::{
    cache::Cache,
    change::Change,
    optional::Optional,
    pods::{PodIndex, WatchedPod},
    references::Index,
    servers::{self, WatchedServer},
};
use crate::{
    apis::{CachedKind, HTTPRoute, ServiceMonitor},
    metrics::ConditionLabels,
};

/// The reading ends.
pub(crate) struct Caches {
    pub(crate) servers: Store<WatchedServer>,
    pub(crate) pods: Store<WatchedPod>,
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
    async fn listed(&self) {
        self.own.listed().await;
        self.others.listed().await;
    }

    fn is_listed(&self) -> bool {
        self.own.is_listed() && self.others.is_listed()
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
            pods,
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

    /// Waits until every kind has been read once: before that, what is not there cannot be told from what is not yet read.
    pub(crate) async fn read(&self) -> Result<(), WriterDropped> {
        self.servers.wait_until_ready().await?;
        self.pods.wait_until_ready().await?;
        self.service_accounts.listed().await;
        self.config_maps.listed().await;
        self.deployments.listed().await;
        self.network_policies.listed().await;
        self.secrets.listed().await;
        self.services.listed().await;
        self.ingresses.listed().await;
        self.http_routes.known().await;
        self.service_monitors.known().await;
        self.horizontal_pod_autoscalers.listed().await;
        self.pod_disruption_budgets.listed().await;
        Ok(())
    }

    /// The kinds that have not been read once.
    pub(crate) fn unread(&self) -> Vec<&'static str> {
        [
            ("LensesMcpServers", is_read(&self.servers)),
            ("Pods", is_read(&self.pods)),
            ("ServiceAccounts", self.service_accounts.is_listed()),
            ("ConfigMaps", self.config_maps.is_listed()),
            ("Deployments", self.deployments.is_listed()),
            ("NetworkPolicies", self.network_policies.is_listed()),
            ("Secrets", self.secrets.is_listed()),
            ("Services", self.services.is_listed()),
            ("Ingresses", self.ingresses.is_listed()),
            (
                "CustomResourceDefinitions",
                self.http_routes.is_known() && self.service_monitors.is_known(),
            ),
            ("HorizontalPodAutoscalers", self.horizontal_pod_autoscalers.is_listed()),
            ("PodDisruptionBudgets", self.pod_disruption_budgets.is_listed()),
        ]
        .into_iter()
        .filter_map(|(kind, read)| (!read).then_some(kind))
        .collect()
    }

    /// How many resources have each condition with each status.
    pub(crate) fn conditions(&self) -> BTreeMap<ConditionLabels, i64> {
        servers::count(&self.servers.state())
    }

    /// The resources that an object's change concerns: the one that it is named after, and those that refer to it.
    pub(crate) fn concerned(&self, change: &Change) -> Vec<ObjectRef<WatchedServer>> {
        let mut concerned =
            self.references.referrers(&change.kind, &change.namespace, &change.name);
        let namesake = ObjectRef::new(&change.name).within(&change.namespace);
        if self.servers.get(&namesake).is_some() {
            concerned.insert(namesake);
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
            .collect()
    }
}

fn is_read<K>(store: &Store<K>) -> bool
where
    K: 'static + Lookup + Clone,
    K::DynamicType: Eq + Hash + Clone,
{
    store.wait_until_ready().now_or_never().is_some_and(|read| read.is_ok())
}
