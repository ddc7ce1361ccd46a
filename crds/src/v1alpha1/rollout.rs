//! `spec.rollout`: how a change reaches the pods.

use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::scaling::PERCENTAGE;
use crate::rules;

/// How a change reaches the pods.
#[derive(KubeSchema, Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = rules::rollout_can_move())]
pub struct Rollout {
    /// What is done when a change asks more of callers or offers them less (sign-in, scopes,
    /// tools): `Recreate` takes the old pods down first, so that nobody is served by the old rules
    /// any more; `RollingUpdate` replaces them one by one, with no request lost, as any other
    /// change does. Default: `Recreate`.
    #[serde(default)]
    pub security_change: SecurityChange,

    /// How many seconds new pods may take without one more of them becoming ready before the change
    /// counts as stalled; the old pods serve on, and the new ones are tried further. From 10
    /// to 3600. Default: 300.
    #[serde(default = "progress_deadline_seconds")]
    #[schemars(range(min = 10, max = 3600))]
    pub progress_deadline_seconds: i32,

    /// How many pods a rolling update may add to `replicas`, as a number or a percentage such as
    /// `25%`. With 0 an old pod stops before its successor starts, so set `maxUnavailable` too. Use
    /// it if a quota has no room for one more pod. Default: 1.
    #[serde(default = "one_pod")]
    #[schemars(extend("minimum" = 0, "pattern" = PERCENTAGE))]
    pub max_surge: IntOrString,

    /// How many pods of `replicas` may be missing during a rolling update, as a number or a
    /// percentage such as `25%`. With one replica and 1 the server does not answer until the new
    /// pod is ready. Default: 0.
    #[serde(default = "no_pod")]
    #[schemars(extend("minimum" = 0, "pattern" = PERCENTAGE))]
    pub max_unavailable: IntOrString,
}

impl Default for Rollout {
    fn default() -> Self {
        Self {
            security_change: SecurityChange::default(),
            progress_deadline_seconds: progress_deadline_seconds(),
            max_surge: one_pod(),
            max_unavailable: no_pod(),
        }
    }
}

fn one_pod() -> IntOrString {
    IntOrString::Int(1)
}

fn no_pod() -> IntOrString {
    IntOrString::Int(0)
}

fn progress_deadline_seconds() -> i32 {
    300
}

/// How a change that tightens the server reaches the pods.
#[derive(JsonSchema, Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
pub enum SecurityChange {
    /// The old pods go first.
    #[default]
    Recreate,
    /// The old pods serve until the new ones do.
    RollingUpdate,
}
