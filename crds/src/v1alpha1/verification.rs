//! `spec.verification`: how what was made is checked, from outside, for ever.

use kube::{KubeSchema, core::Duration};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::duration;
use crate::rules;

/// How HQ and the endpoint are checked.
#[derive(KubeSchema, Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Verification {
    /// What the condition `Verified` examines. `endpoint`: the public URL, as a client dials it.
    /// `service`: the server's Service only, for a URL that the operator cannot dial (split DNS,
    /// hairpin NAT). `off`: nothing; there is no condition `Verified`, and it does not hold `Ready`
    /// back. Lenses HQ is examined in each case. Default: the operator's default, which its chart
    /// sets to `endpoint`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<VerificationMode>,

    /// How often the operator looks whether Lenses HQ and the endpoint are as a client needs them,
    /// from `10s` to `24h`; a little earlier or later each time. What has changed is looked at at
    /// once, and what is not well sooner and again until it is. Default: `5m`.
    #[serde(default = "five_minutes", with = "duration")]
    #[schemars(
        with = "String", length(max = duration::MAX_LENGTH), regex(pattern = duration::PATTERN)
    )]
    #[x_kube(validation = rules::from_ten_seconds_to_a_day())]
    pub interval: Duration,

    /// A token with which the operator lists the tools as a client that has signed in:
    /// `status.tools` shows their number and digest. With `auth.oauth` it is an access token with
    /// the scope `read`, with `auth.apiKey.callers.tokenSecretRef` that token. The operator sends
    /// it to the server's own Service only, and uses a Secret only if it has the label
    /// `mcp.lenses.io/operator-may-read: "true"`. Without it the operator examines what comes
    /// before sign-in. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential_secret_ref: Option<CredentialSecretRef>,

    /// What `status.tools.digest` must be, such as one that somebody has reviewed. When the tools
    /// that the server lists to this credential are others, or take other arguments, `Verified`
    /// turns false with the reason `ToolsChanged`. It needs `credentialSecretRef`, unless anyone
    /// may call. Default: any tools.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 71), regex(pattern = r"^sha256:[0-9a-f]{64}$"))]
    pub expected_tools_digest: Option<String>,
}

/// What `Verified` examines.
#[derive(JsonSchema, Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum VerificationMode {
    /// The public URL.
    #[default]
    Endpoint,
    /// The server's Service only.
    Service,
    /// Nothing.
    Off,
}

impl VerificationMode {
    /// Every mode.
    pub const ALL: [Self; 3] = [Self::Endpoint, Self::Service, Self::Off];

    /// The value as it is written in a manifest and in the operator's settings.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Endpoint => "endpoint",
            Self::Service => "service",
            Self::Off => "off",
        }
    }
}

impl Default for Verification {
    fn default() -> Self {
        Self {
            mode: None,
            interval: five_minutes(),
            credential_secret_ref: None,
            expected_tools_digest: None,
        }
    }
}

/// A key of a Secret in the resource's own namespace, with a token that the operator itself shows.
#[derive(JsonSchema, Clone, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
pub struct CredentialSecretRef {
    /// The Secret's name.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,

    /// The key in the Secret's `data`. Unlike the values that are for the pods, the operator reads
    /// this one: each time that it is used, by one request to the API server, and it is not kept.
    #[schemars(length(min = 1, max = 253), regex(pattern = r"^[-._a-zA-Z0-9]+$"))]
    pub key: String,
}

fn five_minutes() -> Duration {
    duration::seconds(300)
}
