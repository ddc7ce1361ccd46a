//! `spec.rollout`: how a change reaches the pods.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How a change reaches the pods.
#[derive(JsonSchema, Clone, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Rollout {
    /// What is done when a change asks more of callers or offers them less (sign-in, scopes, tools): `Recreate` takes the old pods
    /// down first, so that nobody is served by the old rules any more; `RollingUpdate` replaces them one by one, with no request
    /// lost, as any other change does. Default: `Recreate`.
    #[serde(default)]
    pub security_change: SecurityChange,
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
