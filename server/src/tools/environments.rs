//! Environments: the Kafka clusters that Lenses HQ knows, each behind an agent.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    arguments::{EnvironmentName, Fields, KnownEnvironmentName, Text},
    call::Call,
    definition::{Effect, Tool},
    output::Typed,
    page::{Cursor, Limit, Page, Paging},
};
use crate::lenses::{Error, Name, NewEnvironment, RawObject};

pub(super) fn tools() -> Vec<Tool> {
    vec![
        Tool::new(
            "list_environments",
            "List environments",
            "Lists the environments (one Kafka cluster each) that the user may see, with tier \
             and agent state. Start here: most tools need an environment's name.",
            Effect::Read,
            list_environments,
        ),
        Tool::new(
            "get_environment",
            "Get environment",
            "Shows one environment: tier, metadata, agent connection, version and metrics.",
            Effect::Read,
            get_environment,
        )
        .with_environment_in("name"),
        Tool::new(
            "check_environment_health",
            "Check environment health",
            "Tells whether an environment is usable, what is wrong, and its numbers of brokers, \
             topics, consumers and connectors. Use it if its agent is not connected.",
            Effect::Read,
            check_environment_health,
        )
        .with_environment_in("name"),
        Tool::new(
            "create_environment",
            "Create environment",
            "Creates an environment. It stays empty until an agent connects with the \
             `agent_key` of the reply: a secret that may not be shown again, so give it to the \
             user at once. Ask the user first.",
            Effect::Create,
            create_environment,
        )
        .with_environment_in("name"),
    ]
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ListEnvironments {
    /// Default: as many as fit.
    #[serde(default)]
    limit: Option<Limit>,
    /// `cut.cursor` of the last result.
    #[serde(default)]
    cursor: Option<Cursor>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct OneEnvironment {
    /// See `list_environments`.
    name: KnownEnvironmentName,
}

async fn list_environments(
    call: Call,
    ListEnvironments { limit, cursor }: ListEnvironments,
) -> Result<Page, Error> {
    let mut environments = call.lenses.environments().await?;
    environments.retain(|environment| {
        environment.text("name").is_some_and(|name| call.policy.includes_environment(&name))
    });
    Ok(Page::of(&environments, "name", Paging { limit, cursor }, call.limits))
}

async fn get_environment(
    call: Call,
    OneEnvironment { name }: OneEnvironment,
) -> Result<RawObject, Error> {
    call.lenses.environment(&name).await
}

async fn check_environment_health(
    call: Call,
    OneEnvironment { name }: OneEnvironment,
) -> Result<Typed<Health>, Error> {
    let environment = call.lenses.environment(&name).await?;
    let status = environment.member("status").unwrap_or_default();
    Ok(Typed(Health::of(&name, &status)))
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CreateEnvironment {
    /// New name: lower-case letters, digits and inner hyphens, at most 63.
    name: EnvironmentName,
    /// Name for people. Default: `name`.
    #[serde(default)]
    display_name: Option<Text<255>>,
    /// What it is for.
    #[serde(default)]
    tier: Tier,
    /// Anything else to keep, such as owner.
    #[serde(default)]
    metadata: Option<Fields>,
}

#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Tier {
    #[default]
    Development,
    Staging,
    Production,
}

impl Tier {
    fn as_str(self) -> &'static str {
        match self {
            Self::Development => "development",
            Self::Staging => "staging",
            Self::Production => "production",
        }
    }
}

async fn create_environment(call: Call, arguments: CreateEnvironment) -> Result<RawObject, Error> {
    let CreateEnvironment { name, display_name, tier, metadata } = arguments;
    let environment = NewEnvironment {
        name: name.into_name(),
        tier: tier.as_str(),
        display_name: display_name.map(|name| name.as_str().to_owned()),
        metadata: metadata.map(Fields::into_object),
    };
    call.lenses.create_environment(&environment).await
}

/// How an environment is.
#[derive(Debug, PartialEq, Serialize, JsonSchema)]
struct Health {
    /// Its name.
    environment: Name,
    /// Whether it is usable: the agent is connected and nothing is reported.
    healthy: bool,
    /// Whether its agent is connected to Lenses HQ.
    agent_connected: bool,
    /// What is wrong, for people.
    issues: Vec<String>,
    /// What it has; missing when the agent reports nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    summary: Option<Summary>,
}

/// What an environment has; null where the agent does not say.
#[derive(Debug, PartialEq, Serialize, JsonSchema)]
struct Summary {
    /// Kafka brokers.
    kafka_brokers: Option<i64>,
    /// Topics.
    topics: Option<i64>,
    /// Consumer groups.
    consumers: Option<i64>,
    /// Kafka connectors.
    connectors: Option<i64>,
}

impl Health {
    fn of(name: &Name, status: &Value) -> Self {
        let mut issues = Vec::new();
        let agent_connected = match status.get("agent_connected").and_then(Value::as_bool) {
            Some(true) => true,
            Some(false) => {
                issues.push("the agent is not connected to Lenses HQ".to_owned());
                false
            }
            None => {
                issues.push("Lenses HQ does not say whether the agent is connected".to_owned());
                false
            }
        };
        let metrics = status.pointer("/agent/metrics").filter(|metrics| metrics.is_object());
        let number = |pointer: &str| {
            metrics.and_then(|metrics| metrics.pointer(pointer)).and_then(Value::as_i64)
        };
        if let Some(count @ 1..) = number("/other/num_issues") {
            issues.push(format!(
                "the agent reports {count} issue{}",
                if count == 1 { "" } else { "s" }
            ));
        }
        Self {
            environment: name.clone(),
            healthy: agent_connected && issues.is_empty(),
            agent_connected,
            issues,
            summary: metrics.map(|_| Summary {
                kafka_brokers: number("/kafka/num_brokers"),
                topics: number("/data/num_topics"),
                consumers: number("/apps/num_consumers"),
                connectors: number("/connect/num_connectors"),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn health(environment: &Value) -> Value {
        let status = &environment["status"];
        serde_json::to_value(Health::of(&"dev".parse().unwrap(), status)).unwrap()
    }

    #[test]
    fn a_connected_agent_without_issues_is_healthy_and_summed_up() {
        let environment = json!({
            "name": "dev",
            "status": {
                "agent_connected": true,
                "agent": {
                    "metrics": {
                        "kafka": {"num_brokers": 3}, "data": {"num_topics": 12},
                        "apps": {"num_consumers": 4}, "connect": {"num_connectors": 2},
                        "other": {"num_issues": 0}
                    }
                }
            }
        });
        assert_eq!(
            health(&environment),
            json!({"environment": "dev", "healthy": true, "agent_connected": true, "issues": [],
                "summary": {"kafka_brokers": 3, "topics": 12, "consumers": 4, "connectors": 2}})
        );
    }

    #[test]
    fn what_is_wrong_is_said_and_what_is_missing_breaks_nothing() {
        for (environment, connected, issues) in [
            (
                json!({"status": {"agent_connected": false}}),
                false,
                vec!["the agent is not connected to Lenses HQ"],
            ),
            (json!({}), false, vec!["Lenses HQ does not say whether the agent is connected"]),
            (
                json!({
                    "status": {
                        "agent_connected": true, "agent": {"metrics": {"other": {"num_issues": 2}}}
                    }
                }),
                true,
                vec!["the agent reports 2 issues"],
            ),
        ] {
            let health = health(&environment);
            assert_eq!(
                (&health["healthy"], &health["agent_connected"]),
                (&json!(false), &json!(connected))
            );
            assert_eq!(health["issues"], json!(issues));
        }
    }
}
