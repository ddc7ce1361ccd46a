//! How many pods serve: `spec.autoscaling` and `spec.disruptionBudget`.

use k8s_openapi::{
    api::autoscaling::v2::{HorizontalPodAutoscalerBehavior, MetricSpec},
    apimachinery::pkg::util::intstr::IntOrString,
};
use kube::KubeSchema;
use serde::{Deserialize, Serialize};

use crate::rules;

/// As Kubernetes takes it.
pub(super) const PERCENTAGE: &str = "^([0-9]{1,2}|100)%$";

/// Pods by load.
#[derive(KubeSchema, Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = rules::min_at_most_max())]
pub struct Autoscaling {
    /// The fewest pods, from 1. Default: 1.
    #[serde(default = "one")]
    #[schemars(range(min = 1, max = 1000))]
    pub min_replicas: i32,

    /// The most pods, at least `minReplicas`.
    #[schemars(range(min = 1, max = 1000))]
    pub max_replicas: i32,

    /// The CPU that the pods are to use on average, in percent of what `resources.requests.cpu`
    /// asks for. Default: 80, unless `metrics` says what else to go by.
    #[serde(rename = "targetCPUUtilization", default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 10000))]
    pub target_cpu_utilization: Option<i32>,

    /// How fast pods are added and taken away, as in a `HorizontalPodAutoscaler`. Default: what
    /// Kubernetes does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub behavior: Option<HorizontalPodAutoscalerBehavior>,

    /// Further metrics to go by, as in a `HorizontalPodAutoscaler`; the one that asks for the most
    /// pods decides. Default: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    pub metrics: Vec<MetricSpec>,
}

impl Autoscaling {
    /// The target of average CPU utilization in percent, if CPU is gone by.
    #[must_use]
    pub fn cpu_target(&self) -> Option<i32> {
        self.target_cpu_utilization.or_else(|| self.metrics.is_empty().then_some(80))
    }
}

/// How many pods a drain of nodes may take at a time.
#[derive(KubeSchema, Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = rules::at_most_one_budget())]
pub struct DisruptionBudget {
    /// How many pods must stay, as a number or a percentage such as `50%`. Not with
    /// `maxUnavailable`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("minimum" = 0, "pattern" = PERCENTAGE))]
    pub min_available: Option<IntOrString>,

    /// How many pods may be missing, as a number or a percentage such as `25%`. Default: 1, unless
    /// `minAvailable` is set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("minimum" = 0, "pattern" = PERCENTAGE))]
    pub max_unavailable: Option<IntOrString>,
}

fn one() -> i32 {
    1
}
