//! The kinds of objects that this operator manages.

pub(crate) mod http_route;
pub(crate) mod service_monitor;

use std::fmt::Debug;

use k8s_openapi::NamespaceResourceScope;
pub(crate) use k8s_openapi::api::{
    apps::v1::Deployment,
    autoscaling::v2::HorizontalPodAutoscaler,
    core::v1::{ConfigMap, Secret, Service, ServiceAccount},
    networking::v1::{Ingress, NetworkPolicy},
    policy::v1::PodDisruptionBudget,
};
use kube::{Resource, core::PartialObjectMeta};
use lenses_mcp_crds::LensesMcpServer;
use serde::{Serialize, de::DeserializeOwned};

pub(crate) use http_route::HTTPRoute;
pub(crate) use service_monitor::ServiceMonitor;

/// The Secret with the sealing key: its metadata alone. The key is made when it is stored, and
/// never read.
pub(crate) type SealingKey = PartialObjectMeta<Secret>;

/// Gives `$define!` the kinds of the objects that a server consists of, each with its field's name.
macro_rules! managed_kinds {
    ($define:ident) => {
        $define! {
            service_account: $crate::apis::ServiceAccount,
            sealing_key: $crate::apis::SealingKey,
            config_map: $crate::apis::ConfigMap,
            service: $crate::apis::Service,
            deployment: $crate::apis::Deployment,
            ingress: $crate::apis::Ingress,
            http_route: $crate::apis::HTTPRoute,
            horizontal_pod_autoscaler: $crate::apis::HorizontalPodAutoscaler,
            pod_disruption_budget: $crate::apis::PodDisruptionBudget,
            network_policy: $crate::apis::NetworkPolicy,
            service_monitor: $crate::apis::ServiceMonitor,
        }
    };
}
pub(crate) use managed_kinds;

/// What a kind must be to be watched.
pub(crate) trait Kind:
    Resource<DynamicType = (), Scope = NamespaceResourceScope>
    + Clone
    + DeserializeOwned
    + Debug
    + Send
    + Sync
    + 'static
{
}

impl<K> Kind for K where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope>
        + Clone
        + DeserializeOwned
        + Debug
        + Send
        + Sync
        + 'static
{
}

/// What it must be, too, to be kept in a cache.
pub(crate) trait CachedKind: Kind + Serialize {}

impl<K: Kind + Serialize> CachedKind for K {}

/// A kind whose API a cluster may lack.
pub(crate) trait OptionalKind: CachedKind {
    /// The name of its CRD.
    const CRD: &'static str;

    /// Whether this resource asks for an object of the kind.
    fn is_wanted(server: &LensesMcpServer) -> bool;
}
