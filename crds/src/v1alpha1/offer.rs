//! `spec.tools` and `spec.limits`: what the server offers at all, and how much of it.

use kube::{KubeSchema, core::Duration};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use super::duration;
use crate::{rules, tools};

/// Which tools there are, and what they may touch.
#[derive(KubeSchema, Clone, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Tools {
    /// `true` leaves only tools that read, and of SQL only statements that read. Default: false.
    #[serde(default)]
    pub read_only: bool,

    /// The tools that there are: names such as `list_topics`, and whole groups such as `topics/*`. Default: all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "selectors")]
    pub allow: Vec<String>,

    /// The tools that there are not: names such as `execute_sql`, and whole groups such as `sql/*`. It wins over `allow`. Default:
    /// none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "selectors")]
    pub deny: Vec<String>,

    /// The Lenses environments that the tools may touch, by name. Default: all that the caller may see in Lenses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(
        length(max = 256),
        inner(
            length(min = 1, max = 63),
            regex(pattern = r"^[a-zA-Z0-9]([-a-zA-Z0-9]*[a-zA-Z0-9])?$")
        )
    )]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub environments: Vec<String>,

    /// `destructive` asks the user, through the client where the client can, before something is deleted; `never` does not ask.
    /// Default: `destructive`.
    #[serde(default)]
    pub confirm: Confirm,
}

/// When the user is asked.
#[derive(JsonSchema, Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Confirm {
    /// Before something is deleted.
    #[default]
    Destructive,
    /// Not at all.
    Never,
}

impl Confirm {
    /// The value as it is written in the manifest and in the server's settings.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Destructive => "destructive",
            Self::Never => "never",
        }
    }
}

/// The bounds on each call.
#[derive(KubeSchema, Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = rules::sql_ends_before_its_request())]
pub struct Limits {
    /// The rows after which a query's result is cut, from 1 to 1000000. Default: 1000.
    #[serde(default = "sql_max_rows")]
    #[schemars(range(min = 1, max = 1_000_000))]
    pub sql_max_rows: i32,

    /// How long a query may run, from `1s` to `1h`, less than `requestTimeout`. Default: `30s`.
    #[serde(default = "sql_timeout", with = "duration")]
    #[schemars(with = "String", length(max = duration::MAX_LENGTH), regex(pattern = duration::PATTERN))]
    #[x_kube(validation = rules::from_a_second_to_an_hour())]
    pub sql_timeout: Duration,

    /// The largest reply that is read from HQ, in bytes, from 1024 to 67108864 (64 MiB). Default: 4194304 (4 MiB).
    #[serde(default = "response_max_bytes")]
    #[schemars(range(min = 1024, max = 67_108_864))]
    pub response_max_bytes: i32,

    /// The longest time from a request to the head of its response, from `1s` to `1h`. Default: `60s`.
    #[serde(default = "request_timeout", with = "duration")]
    #[schemars(with = "String", length(max = duration::MAX_LENGTH), regex(pattern = duration::PATTERN))]
    #[x_kube(validation = rules::from_a_second_to_an_hour())]
    pub request_timeout: Duration,

    /// How many calls one user may make a minute at each pod, up to 1000000; 0 is any number. Default: 600.
    #[serde(default = "calls_per_minute_per_user")]
    #[schemars(range(min = 0, max = 1_000_000))]
    pub calls_per_minute_per_user: i32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            sql_max_rows: sql_max_rows(),
            sql_timeout: sql_timeout(),
            response_max_bytes: response_max_bytes(),
            request_timeout: request_timeout(),
            calls_per_minute_per_user: calls_per_minute_per_user(),
        }
    }
}

fn sql_max_rows() -> i32 {
    1000
}

fn sql_timeout() -> Duration {
    duration::seconds(30)
}

fn response_max_bytes() -> i32 {
    4 << 20
}

fn request_timeout() -> Duration {
    duration::seconds(60)
}

fn calls_per_minute_per_user() -> i32 {
    600
}

/// The API server refuses a name that no tool has, and tells all that there are.
fn selectors(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "array",
        "x-kubernetes-list-type": "set",
        "maxItems": 128,
        "items": { "type": "string", "maxLength": 64, "enum": tools::selectors().collect::<Vec<_>>() }
    })
}
