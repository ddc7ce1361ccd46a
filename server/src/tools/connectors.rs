//! Kafka Connect. Secrets in what Lenses says about connectors are hidden.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    ToolError,
    arguments::{ArgumentError, Environment, Fields, Int, List},
    call::Call,
    definition::{Effect, Tool},
    masking::{self, MASK},
};
use crate::lenses::{ConnectorAction, ConnectorSettings, Error, Name, RawObject};

pub(super) fn tools() -> Vec<Tool> {
    vec![
        Tool::new(
            "list_kafka_connectors",
            "List Kafka connectors",
            "Lists Kafka connectors by Connect cluster, with state, tasks, errors and settings. \
             Start here if a connector misbehaves. What may be secret is shown as ********.",
            Effect::Read,
            list_kafka_connectors,
        ),
        Tool::new(
            "get_kafka_connector_target_definition",
            "Get Kafka connector target definition",
            "Gives the YAML definition of one connector, as Lenses would deploy it, with \
             secrets hidden. For its state use list_kafka_connectors.",
            Effect::Read,
            get_kafka_connector_target_definition,
        ),
        Tool::new(
            "validate_connector_configuration",
            "Validate connector configuration",
            "Checks the settings of a connector against its plugin and creates nothing. Call it \
             before create_kafka_connector.",
            Effect::Read,
            validate_connector_configuration,
        ),
        Tool::new(
            "create_kafka_connector",
            "Create Kafka connector",
            "Creates a connector and starts it, so that it moves data at once. Check the \
             settings with validate_connector_configuration and ask the user first.",
            Effect::Create,
            create_kafka_connector,
        ),
        Tool::new(
            "set_action_on_kafka_connector",
            "Set action on Kafka connector",
            "Starts, stops, restarts, pauses or resumes a connector. No data moves while it is \
             stopped or paused: ask the user first. For one failed task use \
             restart_kafka_connector_task.",
            Effect::Trigger,
            set_action_on_kafka_connector,
        ),
        Tool::new(
            "restart_kafka_connector_task",
            "Restart Kafka connector task",
            "Restarts one task of a connector. It fails again if the cause is still there: read \
             its error with list_kafka_connectors first.",
            Effect::Trigger,
            restart_kafka_connector_task,
        ),
        Tool::new(
            "delete_kafka_connector",
            "Delete Kafka connector",
            "Deletes a connector with its settings, for good. Topics and records stay. To halt \
             it only, use set_action_on_kafka_connector. Ask the user first.",
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
    /// Only these Connect clusters.
    #[serde(default)]
    cluster: Option<Filter>,
    /// Only these connector classes.
    #[serde(default)]
    class_name: Option<Filter>,
}

async fn list_kafka_connectors(
    call: Call,
    arguments: ListKafkaConnectors,
) -> Result<RawObject, Error> {
    let ListKafkaConnectors { environment, cluster, class_name } = arguments;
    let values = |filter: Option<Filter>| filter.map(List::into_vec).unwrap_or_default();
    masked(call.lenses.connectors(&environment, &values(cluster), &values(class_name)).await)
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct GetDefinition {
    environment: Environment,
    /// See `list_kafka_connectors`.
    connect_cluster_name: Name,
    /// Connector name.
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
        .await
        .map_err(masking::mask_error)?;
    masking::mask_yaml(&definition).map_err(|_| {
        ToolError::Hidden(
            "Lenses gave a definition that this server cannot read as YAML, so that it cannot tell \
             whether there are secrets in it, and does not show it. list_kafka_connectors shows \
             the connector's settings.",
        )
    })
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Settings {
    environment: Environment,
    /// Connector name.
    name: Name,
    /// See `get_deployment_targets`.
    cluster: Name,
    /// Settings, such as tasks.max. Give secrets as references: ${secret:path:key}.
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
                    "the value of {setting:?} is the mask that stands where a secret is hidden; \
                     ask the user for the value, or for a reference to it"
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
    Ok(masked(call.lenses.validate_connector(&environment, &connector).await)?)
}

async fn create_kafka_connector(call: Call, arguments: Settings) -> Result<RawObject, ToolError> {
    let (environment, connector) = arguments.into_parts()?;
    Ok(masked(call.lenses.create_connector(&environment, &connector).await)?)
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SetAction {
    environment: Environment,
    /// See `list_kafka_connectors`.
    cluster: Name,
    /// Connector name.
    connector: Name,
    /// What to do.
    action: ConnectorAction,
}

async fn set_action_on_kafka_connector(
    call: Call,
    arguments: SetAction,
) -> Result<RawObject, Error> {
    let SetAction { environment, cluster, connector, action } = arguments;
    masked(call.lenses.act_on_connector(&environment, &cluster, &connector, action).await)
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RestartTask {
    environment: Environment,
    /// See `list_kafka_connectors`.
    cluster: Name,
    /// Connector name.
    connector: Name,
    /// From 0.
    task_id: Int<0, 1_000_000>,
}

async fn restart_kafka_connector_task(
    call: Call,
    arguments: RestartTask,
) -> Result<RawObject, Error> {
    let RestartTask { environment, cluster, connector, task_id } = arguments;
    let task = task_id.get();
    masked(call.lenses.restart_connector_task(&environment, &cluster, &connector, task).await)
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct DeleteConnector {
    environment: Environment,
    /// See `list_kafka_connectors`.
    cluster: Name,
    /// Connector name.
    connector: Name,
}

async fn delete_kafka_connector(
    call: Call,
    arguments: DeleteConnector,
) -> Result<RawObject, Error> {
    let DeleteConnector { environment, cluster, connector } = arguments;
    masked(call.lenses.delete_connector(&environment, &cluster, &connector).await)
}

/// A reply, or why there is none, with the secrets in it hidden.
fn masked(reply: Result<RawObject, Error>) -> Result<RawObject, Error> {
    reply
        .map(|reply| RawObject::new(masking::mask_json(reply.into_string())))
        .map_err(masking::mask_error)
}
