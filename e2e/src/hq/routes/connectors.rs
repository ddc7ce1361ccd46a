//! `/api/kafka-connect` of an agent, and the definition of a connector as YAML.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use axum::Json;
use axum::extract::{Path, RawQuery};
use axum::response::IntoResponse;
use http::{StatusCode, header};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use url::form_urlencoded;

use crate::hq::agent_error::{AgentError, Refusal};
use crate::hq::connect::{Action, validate};
use crate::hq::lock;
use crate::hq::proxied::{Body, Proxied};
use crate::hq::users::{Action as Right, Caller};

fn may(caller: &Caller, right: Right, cluster: &str, connector: &str) -> Result<(), Refusal> {
    Ok(caller.may(right, &format!("kafka-connect:connector:{cluster}/{connector}"))?)
}

/// `GET …/api/kafka-connect/connectors?cluster=…&className=…`, each repeated for another value.
pub(crate) async fn list(
    Proxied { agent, caller }: Proxied,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Refusal> {
    may(&caller, Right::ListConnectors, "*", "*")?;
    let (mut clusters, mut classes) = (Vec::new(), Vec::new());
    for (name, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()).into_owned() {
        match name.as_str() {
            "cluster" => clusters.push(value),
            "className" => classes.push(value),
            _ => {}
        }
    }
    let connect = lock(&agent.connect);
    let connectors: Vec<_> = connect
        .clusters
        .iter()
        .filter(|(cluster, _)| clusters.is_empty() || clusters.contains(cluster))
        .flat_map(|(cluster, connectors)| {
            connectors.iter().map(move |(name, connector)| (cluster, name, connector))
        })
        .filter(|(_, _, connector)| {
            classes.is_empty() || classes.iter().any(|class| class == connector.class())
        })
        .map(|(cluster, name, connector)| connector.to_json(cluster, name))
        .collect();
    Ok(Json(json!({"connectors": connectors})))
}

/// The body of a creation and of a check.
#[derive(Debug, Deserialize)]
pub(crate) struct Asked {
    name: String,
    cluster: String,
    configuration: Map<String, Value>,
}

/// `POST …/api/kafka-connect/connectors`: 201 with the connector.
pub(crate) async fn create(
    Proxied { agent, caller }: Proxied,
    Body(Asked { name, cluster, configuration }): Body<Asked>,
) -> Result<(StatusCode, Json<Value>), Refusal> {
    may(&caller, Right::CreateConnector, &cluster, &name)?;
    if name.trim().is_empty() {
        return Err(AgentError::invalid(vec![("name", "must not be empty".to_owned())]).into());
    }
    Ok((StatusCode::CREATED, Json(lock(&agent.connect).create(&cluster, &name, configuration)?)))
}

/// `POST …/api/kafka-connect/validate`: 200 with what is wrong, setting by setting.
pub(crate) async fn check(
    Proxied { agent, caller }: Proxied,
    Body(Asked { name, cluster, configuration }): Body<Asked>,
) -> Result<Json<Value>, Refusal> {
    may(&caller, Right::ListConnectors, &cluster, &name)?;
    lock(&agent.connect).cluster(&cluster)?;
    Ok(Json(validate::report(&configuration)))
}

/// `PUT …/api/kafka-connect/clusters/{cluster}/connectors/{connector}/{action}`: 202 without
/// content.
pub(crate) async fn act(
    Proxied { agent, caller }: Proxied,
    Path((_, cluster, name, action)): Path<(String, String, String, String)>,
) -> Result<StatusCode, Refusal> {
    may(&caller, Right::UpdateConnector, &cluster, &name)?;
    let action = Action::parse(&action).ok_or_else(|| {
        AgentError::invalid(vec![(
            "action",
            format!("is {action:?}: must be start, stop, restart, pause or resume"),
        )])
    })?;
    lock(&agent.connect).act(&cluster, &name, action)?;
    Ok(StatusCode::ACCEPTED)
}

/// `PUT …/connectors/{connector}/tasks/{task}/restart`: 204.
pub(crate) async fn restart_task(
    Proxied { agent, caller }: Proxied,
    Path((_, cluster, name, task)): Path<(String, String, String, String)>,
) -> Result<StatusCode, Refusal> {
    may(&caller, Right::UpdateConnector, &cluster, &name)?;
    lock(&agent.connect).restart_task(&cluster, &name, &task)?;
    Ok(StatusCode::NO_CONTENT)
}

/// `DELETE …/api/kafka-connect/clusters/{cluster}/connectors/{connector}`: 200 without content, as
/// the agent's other deletes.
pub(crate) async fn delete(
    Proxied { agent, caller }: Proxied,
    Path((_, cluster, name)): Path<(String, String, String)>,
) -> Result<StatusCode, Refusal> {
    may(&caller, Right::DeleteConnector, &cluster, &name)?;
    lock(&agent.connect).delete(&cluster, &name)?;
    Ok(StatusCode::OK)
}

/// `GET …/api/v1/resource/kafka/connect/{cluster}/connector/{connector}`: YAML, whatever is
/// accepted.
pub(crate) async fn definition(
    Proxied { agent, caller }: Proxied,
    Path((_, cluster, name)): Path<(String, String, String)>,
) -> Result<impl IntoResponse, Refusal> {
    may(&caller, Right::ListConnectors, &cluster, &name)?;
    let mut connect = lock(&agent.connect);
    let connector = connect.connector(&cluster, &name)?;
    // A JSON scalar is a YAML scalar.
    let (name, cluster) = (Value::from(name), Value::from(cluster));
    let mut yaml =
        format!("kind: KafkaConnector\nname: {name}\ncluster: {cluster}\nconfiguration:\n");
    for (setting, value) in connector.config.iter().collect::<BTreeMap<_, _>>() {
        let _ = writeln!(yaml, "  {setting}: {value}");
    }
    Ok(([(header::CONTENT_TYPE, "application/yaml")], yaml))
}
