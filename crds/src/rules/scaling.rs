//! How many pods run, and how they are replaced.

use kube::core::Rule;

/// A range has a lower and an upper end.
pub(crate) fn min_at_most_max() -> Rule {
    Rule::new("self.minReplicas <= self.maxReplicas")
        .message("write a maxReplicas that is at least minReplicas")
}

/// Utilization is in percent of what is asked for: without a request the autoscaler would never
/// act.
pub(crate) fn cpu_target_needs_a_request() -> Rule {
    Rule::new(
        "!has(self.autoscaling) || (has(self.autoscaling.metrics) && \
         !has(self.autoscaling.targetCPUUtilization)) || \
         (has(self.resources.requests) && 'cpu' in self.resources.requests)",
    )
    .message(
        "autoscaling goes by CPU in percent of resources.requests.cpu: write it, or \
         autoscaling.metrics alone",
    )
    .field_path(".resources")
}

/// Without a word about it, the default of one pod would take the place of however many there are.
pub(crate) fn replicas_after_autoscaling() -> Rule {
    Rule::new(
        "!has(oldSelf.autoscaling) || has(self.autoscaling) || self.replicas == 0 || \
         self.replicas >= oldSelf.autoscaling.minReplicas",
    )
    .message(
        "autoscaling is taken away: write replicas, how many pods are to run from now on, 0 or at \
         least the former minReplicas",
    )
    .field_path(".replicas")
}

/// Kubernetes takes one of the two.
pub(crate) fn at_most_one_budget() -> Rule {
    Rule::new("!has(self.minAvailable) || !has(self.maxUnavailable)")
        .message("write one of minAvailable and maxUnavailable, not both")
}

/// As Kubernetes refuses it in a Deployment: no pod could be replaced.
pub(crate) fn rollout_can_move() -> Rule {
    let none =
        |field| format!("(self.{field} == 0 || self.{field} == '0%' || self.{field} == '00%')");
    Rule::new(format!("!({} && {})", none("maxSurge"), none("maxUnavailable")))
        .message("maxSurge and maxUnavailable are both 0, so no pod can be replaced: raise one")
        .field_path(".maxUnavailable")
}
