//! SQL processors: statements that run all the time, reading topics and writing others.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    ToolError,
    arguments::{ArgumentError, Environment, Int, KubernetesName, List, Text},
    call::Call,
    definition::{Effect, Tool},
    statement,
};
use crate::lenses::{Deployment, Error, Name, NewProcessor, RawObject};

pub(super) fn tools() -> Vec<Tool> {
    vec![
        Tool::new(
            "list_sql_processors",
            "List SQL processors",
            "Lists the SQL processors of an environment, with state, statement and deployment.",
            Effect::Read,
            list_sql_processors,
        ),
        Tool::new(
            "get_sql_processor",
            "Get SQL processor",
            "Shows one SQL processor: statement, state of its runners and their errors. For the \
             logs of its pods use get_pod_logs.",
            Effect::Read,
            get_sql_processor,
        ),
        Tool::new(
            "create_sql_processor",
            "Create SQL processor",
            "Creates a SQL processor from INSERT INTO … SELECT STREAM … and starts it: it \
             writes until it is deleted. Ask the user first. Without deployment it runs in the \
             agent, for trials only. To read records once, use execute_sql.",
            Effect::Create,
            create_sql_processor,
        )
        .with_scopes_by_arguments("what its statement needs", statement::scopes_of_argument),
        Tool::new(
            "delete_sql_processor",
            "Delete SQL processor",
            "Stops a SQL processor and deletes it with its state, for good. Topics that it \
             wrote stay. Ask the user first.",
            Effect::Delete,
            delete_sql_processor,
        ),
    ]
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ListProcessors {
    environment: Environment,
}

async fn list_sql_processors(
    call: Call,
    ListProcessors { environment }: ListProcessors,
) -> Result<RawObject, Error> {
    call.lenses.processors(&environment).await
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct OneProcessor {
    environment: Environment,
    /// See `list_sql_processors`.
    sql_processor_id: Name,
}

async fn get_sql_processor(
    call: Call,
    OneProcessor { environment, sql_processor_id }: OneProcessor,
) -> Result<RawObject, Error> {
    call.lenses.processor(&environment, &sql_processor_id).await
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CreateProcessor {
    environment: Environment,
    /// New name.
    name: Name,
    /// INSERT INTO big SELECT STREAM * FROM orders WHERE amount > 100
    sql: Text<100_000>,
    /// Default: `{"mode": "IN_PROC"}`.
    #[serde(default)]
    deployment: Option<Place>,
    /// Default: Lenses makes one.
    #[serde(default)]
    sql_processor_id: Option<Name>,
    /// What it is for.
    #[serde(default)]
    description: Option<Text<5_000>>,
    /// Tags: `["fraud"]`.
    #[serde(default)]
    tags: Option<List<Name, 100>>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "an object with \"mode\" and \"details\"")]
#[schemars(extend("maxProperties" = 2))]
struct Place {
    /// In the agent, or in pods.
    mode: Mode,
    /// Needed with KUBERNETES, and only there.
    #[serde(default)]
    details: Option<Pods>,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
enum Mode {
    #[serde(rename = "IN_PROC")]
    InProcess,
    #[serde(rename = "KUBERNETES")]
    Kubernetes,
}

#[derive(Deserialize, JsonSchema)]
#[serde(
    deny_unknown_fields,
    expecting = "an object with \"runners\", \"cluster\" and \"namespace\""
)]
#[schemars(extend("maxProperties" = 3))]
struct Pods {
    /// Number of pods.
    runners: Int<1, 1_000>,
    /// See `get_deployment_targets`.
    cluster: Name,
    /// Its namespace.
    namespace: KubernetesName,
}

impl Place {
    fn into_deployment(self) -> Result<Deployment, ArgumentError> {
        match (self.mode, self.details) {
            (Mode::InProcess, None) => Ok(Deployment::InProcess),
            (Mode::Kubernetes, Some(Pods { runners, cluster, namespace })) => {
                Ok(Deployment::Kubernetes {
                    runners: runners.get(),
                    cluster,
                    namespace: namespace.into_name(),
                })
            }
            (Mode::InProcess, Some(_)) => Err(ArgumentError::value(
                "deployment.details",
                "says something only with the mode KUBERNETES; leave it out with IN_PROC",
            )),
            (Mode::Kubernetes, None) => Err(ArgumentError::value(
                "deployment.details",
                "is missing; the mode KUBERNETES needs runners, cluster and namespace",
            )),
        }
    }
}

async fn create_sql_processor(
    call: Call,
    arguments: CreateProcessor,
) -> Result<RawObject, ToolError> {
    let processor = NewProcessor {
        name: arguments.name,
        sql: arguments.sql.as_str().to_owned(),
        processor_id: arguments.sql_processor_id,
        description: arguments.description.map(|text| text.as_str().to_owned()),
        // HQ requires one, though callers of the contract may leave it out.
        deployment: arguments
            .deployment
            .map_or(Ok(Deployment::InProcess), Place::into_deployment)?,
        tags: arguments.tags.map(List::into_vec),
    };
    Ok(call.lenses.create_processor(&arguments.environment, &processor).await?)
}

async fn delete_sql_processor(
    call: Call,
    OneProcessor { environment, sql_processor_id }: OneProcessor,
) -> Result<String, Error> {
    let reply = call.lenses.delete_processor(&environment, &sql_processor_id).await?;
    Ok(reply.unwrap_or_else(|| {
        format!(
            "SQL processor `{sql_processor_id}` was deleted from environment `{}`.",
            *environment
        )
    }))
}
