//! Which of the objects that not every server has a spec asks for. Pure.

use lenses_mcp_crds::LensesMcpServerSpec;

/// A `HorizontalPodAutoscaler`.
pub(in crate::controller) fn autoscaler(spec: &LensesMcpServerSpec) -> bool {
    spec.autoscaling.is_some()
}

/// A `PodDisruptionBudget`: of a single pod it would hold a drain up or mean nothing.
pub(in crate::controller) fn disruption_budget(spec: &LensesMcpServerSpec) -> bool {
    spec.autoscaling.as_ref().map_or(spec.replicas, |autoscaling| autoscaling.max_replicas) > 1
}

/// A `NetworkPolicy`.
pub(in crate::controller) fn network_policy(spec: &LensesMcpServerSpec) -> bool {
    spec.network_policy.enabled
}
