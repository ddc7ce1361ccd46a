//! `spec.rollout`: how a change reaches the pods.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How a change reaches the pods.
#[derive(JsonSchema, Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Rollout {
    /// What is done when a change asks more of callers or offers them less (sign-in, scopes, tools): `Recreate` takes the old pods
    /// down first, so that nobody is served by the old rules any more; `RollingUpdate` replaces them one by one, with no request
    /// lost, as any other change does. Default: `Recreate`.
    #[serde(default)]
    pub security_change: SecurityChange,

    /// How many seconds new pods may take without one more of them becoming ready before the change counts as stalled; the old pods
    /// serve on, and the new ones are tried further. From 10 to 3600. Default: 300.
    #[serde(default = "progress_deadline_seconds")]
    #[schemars(range(min = 10, max = 3600))]
    pub progress_deadline_seconds: i32,
}

impl Default for Rollout {
    fn default() -> Self {
        Self {
            security_change: SecurityChange::default(),
            progress_deadline_seconds: progress_deadline_seconds(),
        }
    }
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
