//! `status`: what runs, what was derived and why, and the conditions.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What runs, what was derived and why, and the conditions.
#[derive(KubeSchema, Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LensesMcpServerStatus {
    /// The generation of the spec that this status speaks of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,

    /// The MCP URL to give to a client.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,

    /// Lenses HQ as the pods reach it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lenses_url: Option<String>,

    /// The version of Lenses HQ, as HQ told it at the last verification. Absent if HQ does not tell
    /// it: older releases have no such answer, and some want a sign-in for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lenses_version: Option<String>,

    /// The issuer that clients sign in to. Only with `auth.oauth`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorization_server: Option<String>,

    /// Each setting of the server that was not written in the spec, with its value and the rule
    /// that gave it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["setting".into()]))]
    pub derived: Vec<DerivedSetting>,

    /// How callers sign in: `OAuth`, `APIKey`, or `APIKey (anyone)`, which is a warning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_mode: Option<String>,

    /// How many pods there are, old and new.
    #[serde(default)]
    pub replicas: i32,

    /// How many pods are ready.
    #[serde(default)]
    pub ready_replicas: i32,

    /// The label selector of the pods, for autoscalers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selector: Option<String>,

    /// The image that the Deployment runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,

    /// What that image was resolved to, as the nodes say: its digest. More than one, separated by
    /// commas, where a tag has moved between the start of one pod and the next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_digest: Option<String>,

    /// The tools that the server lists. Where the operator may ask: with
    /// `verification.credentialSecretRef`, or where anyone may.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tools: Option<ListedTools>,

    /// When the endpoint was last looked at, as of the last change of this status: a look that
    /// finds what the one before found writes nothing. How long ago the last look was is in the
    /// operator's metrics.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_verified: Option<Time>,

    /// `Ready` sums up `Accepted` (the spec is valid and what it refers to exists), `Available`
    /// (the Deployment serves with all its replicas), `LensesReachable` (HQ answers, and its OAuth
    /// settings are as sign-in needs them) and `Verified` (a client finds its way to the server and
    /// to sign-in). `Reconciling` and `Stalled` follow kstatus: they are there only while true.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["type".into()]))]
    pub conditions: Vec<Condition>,
}

/// The tools that the server lists.
#[derive(JsonSchema, Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub struct ListedTools {
    /// How many there are.
    pub count: i32,
    /// `sha256:` and a digest of their names and schemas, sorted by name: it changes when a tool
    /// comes, goes or takes other arguments.
    pub digest: String,
}

/// A setting of the server that the operator derived.
#[derive(JsonSchema, Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub struct DerivedSetting {
    /// The setting's name in the server, such as `LENSES_URL`.
    pub setting: String,
    /// Its value.
    pub value: String,
    /// The rule that gave it.
    pub rule: String,
}
