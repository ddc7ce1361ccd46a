//! Which of the objects that not every server has a spec asks for. Pure.

use lenses_mcp_crds::LensesMcpServerSpec;

/// A `HorizontalPodAutoscaler`.
pub(super) fn autoscaler(spec: &LensesMcpServerSpec) -> bool {
    spec.autoscaling.is_some()
}

/// A `PodDisruptionBudget`: of a single pod it would hold a drain up or mean nothing.
pub(super) fn disruption_budget(spec: &LensesMcpServerSpec) -> bool {
    spec.autoscaling.as_ref().map_or(spec.replicas, |autoscaling| autoscaling.max_replicas) > 1
}

/// A `NetworkPolicy`.
pub(super) fn network_policy(spec: &LensesMcpServerSpec) -> bool {
    spec.network_policy.enabled
}
