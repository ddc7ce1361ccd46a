//! Kafka Connect. Secrets in what Lenses says about connectors are hidden.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    ToolError,
    arguments::{ArgumentError, Environment, Fields, Int, List},
    definition::{Call, Effect, Tool},
    masking::{self, MASK},
};
use crate::lenses::{ConnectorAction, ConnectorSettings, Error, Name, RawObject};

pub(super) fn tools() -> Vec<Tool> {
    vec![
        Tool::new(
            "list_kafka_connectors",
            "List Kafka connectors",
            "Lists the Kafka connectors of an environment that the user may see, by Kafka Connect cluster, with state, \
             tasks and settings. Start here when a connector misbehaves: a failed task shows its error. Passwords and \
             other secrets are shown as ********.",
            Effect::Read,
            list_kafka_connectors,
        ),
        Tool::new(
            "get_kafka_connector_target_definition",
            "Get Kafka connector target definition",
            "Gives the definition of one Kafka connector as YAML, as Lenses would deploy it. For its state and tasks use \
             list_kafka_connectors. Passwords and other secrets are shown as ********.",
            Effect::Read,
            get_kafka_connector_target_definition,
        ),
        Tool::new(
            "validate_connector_configuration",
            "Validate connector configuration",
            "Checks the settings of a Kafka connector against its plugin, setting by setting, and creates nothing. Call it \
             before create_kafka_connector.",
            Effect::Read,
            validate_connector_configuration,
        ),
        Tool::new(
            "create_kafka_connector",
            "Create Kafka connector",
            "Creates a Kafka connector and starts it, so that it moves data at once: check the settings with \
             validate_connector_configuration and ask the user first. Fails when the cluster has a connector of that name.",
            Effect::Create,
            create_kafka_connector,
        ),
        Tool::new(
            "set_action_on_kafka_connector",
            "Set action on Kafka connector",
            "Starts, stops, restarts, pauses or resumes a Kafka connector. While it is stopped or paused, no data is moved: \
             ask the user first. To restart one failed task, restart_kafka_connector_task disturbs less.",
            Effect::Trigger,
            set_action_on_kafka_connector,
        ),
        Tool::new(
            "restart_kafka_connector_task",
            "Restart Kafka connector task",
            "Restarts one task of a Kafka connector, usually one that failed. list_kafka_connectors shows the tasks. Where \
             the cause is still there it fails again: read its error first.",
            Effect::Trigger,
            restart_kafka_connector_task,
        ),
        Tool::new(
            "delete_kafka_connector",
            "Delete Kafka connector",
            "Deletes a Kafka connector with its settings, for good. Topics and their records stay. To only halt it, use \
             set_action_on_kafka_connector. Ask the user before calling.",
            Effect::Delete,
            delete_kafka_connector,
        ),
    ]
}

/// Connectors of a cluster are few, and so are clusters.
type Filter = List<Name, 100>;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ListKafkaConnectors {
    environment: Environment,
    /// Only connectors of these Kafka Connect clusters: `["connect-eu"]`.
    #[serde(default)]
    cluster: Option<Filter>,
    /// Only connectors of these classes: `["io.debezium.connector.postgresql.PostgresConnector"]`.
    #[serde(default)]
    class_name: Option<Filter>,
}

async fn list_kafka_connectors(
    call: Call,
    arguments: ListKafkaConnectors,
) -> Result<RawObject, Error> {
    let ListKafkaConnectors { environment, cluster, class_name } = arguments;
    let values = |filter: Option<Filter>| filter.map(List::into_vec).unwrap_or_default();
    call.lenses.connectors(&environment, &values(cluster), &values(class_name)).await.map(masked)
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct GetDefinition {
    environment: Environment,
    /// Name of the Kafka Connect cluster, as `list_kafka_connectors` shows it.
    connect_cluster_name: Name,
    /// Name of the connector.
    connector_name: Name,
}

async fn get_kafka_connector_target_definition(
    call: Call,
    arguments: GetDefinition,
) -> Result<String, ToolError> {
    let GetDefinition { environment, connect_cluster_name, connector_name } = arguments;
    let definition = call
        .lenses
        .connector_definition(&environment, &connect_cluster_name, &connector_name)
        .await?;
    masking::mask_yaml(&definition).map_err(|_| {
        ToolError::Hidden(
            "Lenses gave a definition that this server cannot read as YAML, so that it cannot tell whether there are \
             secrets in it, and does not show it. list_kafka_connectors shows the connector's settings.",
        )
    })
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Settings {
    environment: Environment,
    /// Name of the connector.
    name: Name,
    /// Name of the Kafka Connect cluster that runs it, as `get_deployment_targets` shows it.
    cluster: Name,
    /// Its settings, name to value: {"connector.class": "io.debezium.connector.postgresql.PostgresConnector",
    /// "tasks.max": "1"}. Secrets are best given as references: "${secret:path:key}".
    configuration: Fields,
}

impl Settings {
    fn into_parts(self) -> Result<(Environment, ConnectorSettings), ArgumentError> {
        let Self { environment, name, cluster, configuration } = self;
        let configuration = configuration.into_object();
        let is_masked =
            |value: &serde_json::Value| value.as_str().is_some_and(|text| text.contains(MASK));
        if let Some((setting, _)) = configuration.iter().find(|(_, value)| is_masked(value)) {
            let setting: String = setting.chars().take(100).collect();
            return Err(ArgumentError::value(
                "configuration",
                format!(
                    "the value of {setting:?} is the mask that stands where a secret is hidden; ask the user for the \
                     value, or for a reference to it"
                ),
            ));
        }
        Ok((environment, ConnectorSettings { name, cluster, configuration }))
    }
}

async fn validate_connector_configuration(
    call: Call,
    arguments: Settings,
) -> Result<RawObject, ToolError> {
    let (environment, connector) = arguments.into_parts()?;
    Ok(call.lenses.validate_connector(&environment, &connector).await.map(masked)?)
}

async fn create_kafka_connector(call: Call, arguments: Settings) -> Result<RawObject, ToolError> {
    let (environment, connector) = arguments.into_parts()?;
    Ok(call.lenses.create_connector(&environment, &connector).await.map(masked)?)
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SetAction {
    environment: Environment,
    /// Name of the Kafka Connect cluster, as `list_kafka_connectors` shows it.
    cluster: Name,
    /// Name of the connector.
    connector: Name,
    /// What to do.
    action: ConnectorAction,
}

async fn set_action_on_kafka_connector(
    call: Call,
    arguments: SetAction,
) -> Result<RawObject, Error> {
    let SetAction { environment, cluster, connector, action } = arguments;
    call.lenses.act_on_connector(&environment, &cluster, &connector, action).await.map(masked)
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RestartTask {
    environment: Environment,
    /// Name of the Kafka Connect cluster, as `list_kafka_connectors` shows it.
    cluster: Name,
    /// Name of the connector.
    connector: Name,
    /// Number of the task, from 0.
    task_id: Int<0, 1_000_000>,
}

async fn restart_kafka_connector_task(
    call: Call,
    arguments: RestartTask,
) -> Result<RawObject, Error> {
    let RestartTask { environment, cluster, connector, task_id } = arguments;
    call.lenses
        .restart_connector_task(&environment, &cluster, &connector, task_id.get())
        .await
        .map(masked)
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct DeleteConnector {
    environment: Environment,
    /// Name of the Kafka Connect cluster, as `list_kafka_connectors` shows it.
    cluster: Name,
    /// Name of the connector.
    connector: Name,
}

async fn delete_kafka_connector(
    call: Call,
    arguments: DeleteConnector,
) -> Result<RawObject, Error> {
    let DeleteConnector { environment, cluster, connector } = arguments;
    call.lenses.delete_connector(&environment, &cluster, &connector).await.map(masked)
}

fn masked(reply: RawObject) -> RawObject {
    RawObject::new(masking::mask_json(reply.into_string()))
}
