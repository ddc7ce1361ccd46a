//! What is watched, as it was last seen: one cache a kind, shared by all passes.
//!
//! Of most kinds only this operator's own objects are kept, by label. Services are all kept, since a resource may refer to any. Of
//! Secrets and of others' config maps, to any of which a resource may refer too, only metadata is: no value of a Secret is ever
//! read.

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
    Resource, ResourceExt,
    core::PartialObjectMeta,
    runtime::reflector::{
        self, Lookup, ObjectRef, Store,
        store::{Writer, WriterDropped},
    },
};

use super::{
    Watched,
    build::{http_route::HTTPRoute, service_monitor::ServiceMonitor},
    optional::{Optional, Source, optional},
    pods::{PodIndex, WatchedPod},
    references::Index,
    verification::Verifications,
};
use crate::metrics::ConditionLabels;

/// The reading ends.
pub struct Caches {
    pub(super) servers: Store<Watched>,
    pub(super) service_accounts: Store<ServiceAccount>,
    pub(super) secrets: Store<PartialObjectMeta<Secret>>,
    pub(super) config_maps: Store<ConfigMap>,
    pub(super) services: Store<Service>,
    pub(super) deployments: Store<Deployment>,
    pub(super) pods: Store<WatchedPod>,
    pub(super) pods_by_server: PodIndex,
    pub(super) ingresses: Store<Ingress>,
    pub(super) http_routes: Optional<HTTPRoute>,
    pub(super) service_monitors: Optional<ServiceMonitor>,
    pub(super) foreign_config_maps: Store<PartialObjectMeta<ConfigMap>>,
    pub(super) horizontal_pod_autoscalers: Store<HorizontalPodAutoscaler>,
    pub(super) pod_disruption_budgets: Store<PodDisruptionBudget>,
    pub(super) network_policies: Store<NetworkPolicy>,
    pub(super) references: Index,
    /// What was found by looking, not by watching.
    pub(super) verifications: Verifications,
}

/// The writing ends, which the watches take.
pub struct Writers {
    pub(super) servers: Writer<Watched>,
    pub(super) service_accounts: Writer<ServiceAccount>,
    pub(super) secrets: Writer<PartialObjectMeta<Secret>>,
    pub(super) config_maps: Writer<ConfigMap>,
    pub(super) services: Writer<Service>,
    pub(super) deployments: Writer<Deployment>,
    pub(super) pods: Writer<WatchedPod>,
    pub(super) ingresses: Writer<Ingress>,
    pub(super) http_routes: Source<HTTPRoute>,
    pub(super) service_monitors: Source<ServiceMonitor>,
    pub(super) foreign_config_maps: Writer<PartialObjectMeta<ConfigMap>>,
    pub(super) horizontal_pod_autoscalers: Writer<HorizontalPodAutoscaler>,
    pub(super) pod_disruption_budgets: Writer<PodDisruptionBudget>,
    pub(super) network_policies: Writer<NetworkPolicy>,
}

impl Caches {
    /// Empty caches, and what fills them.
    #[must_use]
    pub fn new() -> (Self, Writers) {
        let (servers, servers_writer) = reflector::store();
        let (service_accounts, service_accounts_writer) = reflector::store();
        let (secrets, secrets_writer) = reflector::store();
        let (config_maps, config_maps_writer) = reflector::store();
        let (services, services_writer) = reflector::store();
        let (deployments, deployments_writer) = reflector::store();
        let (pods, pods_writer) = reflector::store();
        let (ingresses, ingresses_writer) = reflector::store();
        let (http_routes, http_routes_source) = optional();
        let (service_monitors, service_monitors_source) = optional();
        let (foreign_config_maps, foreign_config_maps_writer) = reflector::store();
        let (horizontal_pod_autoscalers, horizontal_pod_autoscalers_writer) = reflector::store();
        let (pod_disruption_budgets, pod_disruption_budgets_writer) = reflector::store();
        let (network_policies, network_policies_writer) = reflector::store();
        (
            Self {
                servers,
                service_accounts,
                secrets,
                config_maps,
                services,
                deployments,
                pods,
                pods_by_server: PodIndex::default(),
                ingresses,
                http_routes,
                service_monitors,
                foreign_config_maps,
                references: Index::default(),
                verifications: Verifications::default(),
                horizontal_pod_autoscalers,
                pod_disruption_budgets,
                network_policies,
            },
            Writers {
                servers: servers_writer,
                service_accounts: service_accounts_writer,
                secrets: secrets_writer,
                config_maps: config_maps_writer,
                services: services_writer,
                deployments: deployments_writer,
                pods: pods_writer,
                ingresses: ingresses_writer,
                http_routes: http_routes_source,
                service_monitors: service_monitors_source,
                foreign_config_maps: foreign_config_maps_writer,
                horizontal_pod_autoscalers: horizontal_pod_autoscalers_writer,
                pod_disruption_budgets: pod_disruption_budgets_writer,
                network_policies: network_policies_writer,
            },
        )
    }

    /// Waits until every kind has been read once: before that, what is not there cannot be told from what is not yet read.
    pub(super) async fn read(&self) -> Result<(), WriterDropped> {
        tokio::try_join!(
            self.servers.wait_until_ready(),
            self.service_accounts.wait_until_ready(),
            self.secrets.wait_until_ready(),
            self.config_maps.wait_until_ready(),
            self.services.wait_until_ready(),
            self.deployments.wait_until_ready(),
            self.pods.wait_until_ready(),
            self.ingresses.wait_until_ready(),
            self.foreign_config_maps.wait_until_ready(),
            self.horizontal_pod_autoscalers.wait_until_ready(),
            self.pod_disruption_budgets.wait_until_ready(),
            self.network_policies.wait_until_ready(),
        )?;
        self.http_routes.known().await;
        self.service_monitors.known().await;
        Ok(())
    }

    /// The kinds that have not been read once.
    #[must_use]
    pub fn unread(&self) -> Vec<&'static str> {
        [
            ("LensesMcpServers", is_read(&self.servers)),
            ("ServiceAccounts", is_read(&self.service_accounts)),
            ("Secrets", is_read(&self.secrets)),
            ("ConfigMaps", is_read(&self.config_maps) && is_read(&self.foreign_config_maps)),
            ("Services", is_read(&self.services)),
            ("Deployments", is_read(&self.deployments)),
            ("Pods", is_read(&self.pods)),
            ("Ingresses", is_read(&self.ingresses)),
            ("CustomResourceDefinitions", self.http_routes.is_known() && self.service_monitors.is_known()),
            ("HorizontalPodAutoscalers", is_read(&self.horizontal_pod_autoscalers)),
            ("PodDisruptionBudgets", is_read(&self.pod_disruption_budgets)),
            ("NetworkPolicies", is_read(&self.network_policies)),
        ]
        .into_iter()
        .filter_map(|(kind, read)| (!read).then_some(kind))
        .collect()
    }

    /// How many resources have each condition with each status.
    #[must_use]
    pub fn conditions(&self) -> BTreeMap<ConditionLabels, i64> {
        use lenses_mcp_crds::conditions::ConditionType::{
            Accepted, Available, LensesReachable, Ready, Reconciling, Stalled, Verified,
        };
        let mut counts = BTreeMap::new();
        for watched in self.servers.state() {
            let conditions =
                watched.0.as_ref().ok().and_then(|server| server.status.as_ref()).map(|s| &s.conditions[..]);
            for kind in [Ready, Accepted, Available, LensesReachable, Verified, Reconciling, Stalled] {
                let condition =
                    conditions.unwrap_or_default().iter().find(|condition| condition.type_ == kind.as_str());
                let status = match condition.map(|condition| condition.status.as_str()) {
                    Some("True") => "True",
                    Some("False") => "False",
                    // These two are there only while true.
                    _ if matches!(kind, Reconciling | Stalled) => "False",
                    _ => "Unknown",
                };
                *counts.entry(ConditionLabels { condition: kind.as_str(), status }).or_default() += 1;
            }
        }
        counts
    }

    /// How long ago the endpoint was looked at that has waited longest; `None` where none has been looked at.
    #[must_use]
    pub fn oldest_verification(&self) -> Option<Duration> {
        self.verifications.oldest()
    }

    /// The resources that an object's change concerns: the one that it is named after, and those that refer to it.
    pub(super) fn concerned<K: Resource<DynamicType = ()>>(&self, object: &K) -> Vec<ObjectRef<Watched>> {
        let (namespace, name) = (ResourceExt::namespace(object).unwrap_or_default(), object.name_any());
        let mut concerned = self.references.referrers(&K::kind(&()), &namespace, &name);
        let namesake = ObjectRef::new(&name).within(&namespace);
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
        names.iter().filter_map(|name| self.pods.get(&ObjectRef::new(name).within(namespace))).collect()
    }
}

fn is_read<K>(store: &Store<K>) -> bool
where
    K: 'static + Lookup + Clone,
    K::DynamicType: Eq + Hash + Clone,
{
    store.wait_until_ready().now_or_never().is_some_and(|read| read.is_ok())
}
