//! The kinds of objects that this operator manages.

pub(crate) mod http_route;
pub(crate) mod service_monitor;

use std::fmt::Debug;

use k8s_openapi::NamespaceResourceScope;
use kube::Resource;
use lenses_mcp_crds::LensesMcpServer;
use serde::{Serialize, de::DeserializeOwned};

pub(crate) use http_route::HTTPRoute;
pub(crate) use service_monitor::ServiceMonitor;

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
