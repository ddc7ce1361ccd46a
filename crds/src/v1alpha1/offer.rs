//! `spec.tools` and `spec.limits`: what the server offers at all, and how much of it.

use kube::{KubeSchema, core::Duration};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use super::{Scope, duration};
use crate::{rules, tools};

/// Which tools there are, and what they may touch.
#[derive(KubeSchema, Clone, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Tools {
    /// `true` leaves only tools that read, and of SQL only statements that read. Default: false.
    #[serde(default)]
    pub read_only: bool,

    /// The tools that there are: names such as `list_topics`, and whole groups such as `topics/*`.
    /// Default: all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "selectors")]
    pub allow: Vec<String>,

    /// The tools that there are not: names such as `execute_sql`, and whole groups such as `sql/*`.
    /// It wins over `allow`. Default: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "selectors")]
    pub deny: Vec<String>,

    /// The Lenses environments that the tools may touch, by name. Default: all that the caller may
    /// see in Lenses.
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

    /// Whether the user must agree before something is deleted. `destructive`: the user is asked if
    /// the client can show the question, and a call of any other client runs. `required`: a call is
    /// refused if the client cannot show it. `never`: nobody is asked. Default: `destructive`.
    #[serde(default)]
    pub confirm: Confirm,

    /// What holds in some environments. The first rule that matches an environment decides; where
    /// none does, the fields above alone hold. No rule offers more than they do. Default: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32))]
    #[x_kube(merge_strategy = ListMerge::Atomic, validation = rules::rule_for_all_is_last())]
    pub rules: Vec<EnvironmentRule>,
}

/// What holds in some environments.
#[derive(KubeSchema, Clone, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = rules::environment_rule_says_something())]
pub struct EnvironmentRule {
    /// Patterns of environments' names, such as `prod*`: `*` stands for any text, `?` for one
    /// character. Case makes no difference.
    #[schemars(
        length(min = 1, max = 16),
        inner(length(min = 1, max = 63), regex(pattern = r"^[-a-zA-Z0-9_.*?]+$"))
    )]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub environments: Vec<String>,

    /// The scopes that are offered there, of those in `auth.oauth.scopes`; `[]` for none at all.
    /// Default: all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 3))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub scopes: Option<Vec<Scope>>,

    /// As `tools.confirm`, for these environments. Default: as there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirm: Option<Confirm>,

    /// The tools that there are for these environments, as in `tools.allow`. Default: all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "selectors")]
    pub allow: Vec<String>,

    /// The tools that there are not for these environments, as in `tools.deny`. Default: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "selectors")]
    pub deny: Vec<String>,
}

impl EnvironmentRule {
    /// The rule as the server's settings have it.
    #[must_use]
    pub fn setting(&self) -> String {
        let Self { environments, scopes, confirm, allow, deny } = self;
        let mut offer = Vec::new();
        if let Some(scopes) = scopes {
            let words: Vec<_> = scopes.iter().map(|scope| scope.as_str()).collect();
            offer.push(if words.is_empty() { "none".to_owned() } else { words.join(" ") });
        }
        offer.extend(confirm.map(|confirm| format!("confirm={}", confirm.as_str())));
        for (name, tools) in [("allow", allow), ("deny", deny)] {
            if !tools.is_empty() {
                offer.push(format!("{name}={}", tools.join(" ")));
            }
        }
        format!("{}: {}", environments.join(" "), offer.join(", "))
    }
}

/// When the user is asked.
#[derive(JsonSchema, Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Confirm {
    /// Before something is deleted, if the client can show the question.
    #[default]
    Destructive,
    /// Before something is deleted; a client that cannot show the question is refused.
    Required,
    /// Not at all.
    Never,
}

impl Confirm {
    /// The value as it is written in the manifest and in the server's settings.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Destructive => "destructive",
            Self::Required => "required",
            Self::Never => "never",
        }
    }
}

/// The bounds on what one caller can use, each at every pod.
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
    #[schemars(
        with = "String", length(max = duration::MAX_LENGTH), regex(pattern = duration::PATTERN)
    )]
    #[x_kube(validation = rules::from_a_second_to_an_hour())]
    pub sql_timeout: Duration,

    /// The largest reply that is read from HQ, in bytes, from 1024 to 67108864 (64 MiB). Default:
    /// 4194304 (4 MiB).
    #[serde(default = "response_max_bytes")]
    #[schemars(range(min = 1024, max = 67_108_864))]
    pub response_max_bytes: i32,

    /// The longest time from a request to the head of its response, from `1s` to `1h`. Default:
    /// `60s`.
    #[serde(default = "request_timeout", with = "duration")]
    #[schemars(
        with = "String", length(max = duration::MAX_LENGTH), regex(pattern = duration::PATTERN)
    )]
    #[x_kube(validation = rules::from_a_second_to_an_hour())]
    pub request_timeout: Duration,

    /// How many calls one user may make a minute at each pod, up to 1000000; 0 is any number.
    /// Default: 600.
    #[serde(default = "calls_per_minute_per_user")]
    #[schemars(range(min = 0, max = 1_000_000))]
    pub calls_per_minute_per_user: i32,

    /// How many requests and streams of one user each pod answers at a time, from 1 to 65536. One
    /// more gets 429. Default: 16.
    #[serde(default = "concurrent_calls_per_user")]
    #[schemars(range(min = 1, max = 65_536))]
    pub concurrent_calls_per_user: i32,

    /// The largest request body, in bytes, from 1024 to 67108864 (64 MiB). A longer one gets 413.
    /// Default: 1048576 (1 MiB).
    #[serde(default = "body_max_bytes")]
    #[schemars(range(min = 1024, max = 67_108_864))]
    pub body_max_bytes: i32,

    /// How many connections one client address (IPv6: one /64 network) may have open to each pod,
    /// from 1 to 262144. For one more, the one that is idle longest is closed. Those of
    /// `trustedProxies` are not counted. Default: 64.
    #[serde(default = "connections_per_address")]
    #[schemars(range(min = 1, max = 262_144))]
    pub connections_per_address: i32,

    /// How many access tokens of one client address HQ may refuse in a minute, at each pod, up to
    /// 1000000; 0 is any number. After that, tokens of that address that HQ did not accept within
    /// the hour get 429. Default: 20.
    #[serde(default = "failed_sign_ins_per_minute")]
    #[schemars(range(min = 0, max = 1_000_000))]
    pub failed_sign_ins_per_minute: i32,

    /// The proxies in front of the pods, such as an ingress controller: IP addresses or CIDR
    /// ranges, such as `10.0.0.7` or `10.244.0.0/16`. They are believed about their clients'
    /// addresses (`Forwarded`, `X-Forwarded-For`). Without them, all clients of a proxy count as
    /// one address. Default: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(
        length(max = 64),
        inner(length(max = 64), regex(pattern = r"^[0-9a-fA-F.:]+(/(0|[1-9][0-9]{0,2}))?$"))
    )]
    #[x_kube(merge_strategy = ListMerge::Set, validation = rules::proxies_are_not_everyone())]
    pub trusted_proxies: Vec<String>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            sql_max_rows: sql_max_rows(),
            sql_timeout: sql_timeout(),
            response_max_bytes: response_max_bytes(),
            request_timeout: request_timeout(),
            calls_per_minute_per_user: calls_per_minute_per_user(),
            concurrent_calls_per_user: concurrent_calls_per_user(),
            body_max_bytes: body_max_bytes(),
            connections_per_address: connections_per_address(),
            failed_sign_ins_per_minute: failed_sign_ins_per_minute(),
            trusted_proxies: Vec::new(),
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

fn concurrent_calls_per_user() -> i32 {
    16
}

fn body_max_bytes() -> i32 {
    1 << 20
}

fn connections_per_address() -> i32 {
    64
}

fn failed_sign_ins_per_minute() -> i32 {
    20
}

/// The API server refuses a name that no tool has, and tells all that there are.
fn selectors(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "array",
        "x-kubernetes-list-type": "set",
        "maxItems": 128,
        "items": {
            "type": "string", "maxLength": 64, "enum": tools::selectors().collect::<Vec<_>>()
        }
    })
}
