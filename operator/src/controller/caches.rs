//! What is watched, as it was last seen: one cache a kind, shared by all passes.
//!
//! - Of kinds that every resource has an object of, this operator's own objects are kept, by label, and of others' the metadata: so
//!   it is known without a request who has a name, and a resource may refer to any config map.
//! - Of kinds that are made only where a spec asks for them, only this operator's own objects are kept.
//! - Services are all kept, since a resource may refer to any. Of Secrets, to any of which a resource may refer too, only metadata
//!   is: no value of a Secret is ever read.

use std::{collections::BTreeMap, hash::Hash, sync::Arc, time::Duration};

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
    build::{http_route::HTTPRoute, service_monitor::ServiceMonitor},
    cache::Cache,
    optional::Optional,
    pods::{PodIndex, WatchedPod},
    references::Index,
    servers::{self, WatchedServer},
    verification::Verifications,
    watch::{Change, Kept},
};
use crate::metrics::ConditionLabels;

/// The reading ends.
pub struct Caches {
    pub(super) servers: Store<WatchedServer>,
    pub(super) pods: Store<WatchedPod>,
    pub(super) pods_by_server: PodIndex,
    pub(super) service_accounts: OwnAndOthers<ServiceAccount>,
    pub(super) config_maps: OwnAndOthers<ConfigMap>,
    pub(super) deployments: OwnAndOthers<Deployment>,
    pub(super) network_policies: OwnAndOthers<NetworkPolicy>,
    pub(super) secrets: Arc<Cache<PartialObjectMeta<Secret>>>,
    pub(super) services: Arc<Cache<Service>>,
    pub(super) ingresses: Arc<Cache<Ingress>>,
    pub(super) http_routes: Arc<Optional<HTTPRoute>>,
    pub(super) service_monitors: Arc<Optional<ServiceMonitor>>,
    pub(super) horizontal_pod_autoscalers: Arc<Cache<HorizontalPodAutoscaler>>,
    pub(super) pod_disruption_budgets: Arc<Cache<PodDisruptionBudget>>,
    pub(super) references: Index,
    /// What was found by looking, not by watching.
    pub(super) verifications: Verifications,
}

/// All objects of a kind: this operator's own, and the metadata of all others.
pub(super) struct OwnAndOthers<K> {
    pub(super) own: Arc<Cache<K>>,
    pub(super) others: Arc<Cache<PartialObjectMeta<K>>>,
}

impl<K> Default for OwnAndOthers<K> {
    fn default() -> Self {
        Self { own: Arc::default(), others: Arc::default() }
    }
}

impl<K: Kept> OwnAndOthers<K>
where
    PartialObjectMeta<K>: Kept,
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
pub struct Writers {
    pub(super) servers: Writer<WatchedServer>,
    pub(super) pods: Writer<WatchedPod>,
}

impl Caches {
    /// Empty caches, and what fills them.
    #[must_use]
    pub fn new() -> (Self, Writers) {
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
            verifications: Verifications::default(),
        };
        (caches, Writers { servers: servers_writer, pods: pods_writer })
    }

    /// Waits until every kind has been read once: before that, what is not there cannot be told from what is not yet read.
    pub(super) async fn read(&self) -> Result<(), WriterDropped> {
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
    #[must_use]
    pub fn unread(&self) -> Vec<&'static str> {
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
    #[must_use]
    pub fn conditions(&self) -> BTreeMap<ConditionLabels, i64> {
        servers::count(&self.servers.state())
    }

    /// How long ago the endpoint was looked at that has waited longest; `None` where none has been looked at.
    #[must_use]
    pub fn oldest_verification(&self) -> Option<Duration> {
        self.verifications.oldest()
    }

    /// The resources that an object's change concerns: the one that it is named after, and those that refer to it.
    pub(super) fn concerned(&self, change: &Change) -> Vec<ObjectRef<WatchedServer>> {
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
    pub(super) fn pods(&self, namespace: &str, server: &str) -> Vec<Arc<WatchedPod>> {
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
