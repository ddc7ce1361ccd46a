//! A topic's configuration: `/api/topics/{topic}/brokerConfigs` and `/api/configs/topics/{topic}`.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::Path;
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::hq::agent_error::{AgentError, Refusal};
use crate::hq::kafka::configs::{CONFIGS, faults};
use crate::hq::lock;
use crate::hq::proxied::{Body, Proxied};
use crate::hq::users::Action;

/// `GET …/api/topics/{topic}/brokerConfigs`: every configuration, with where its value comes from.
pub(crate) async fn list(
    Proxied { agent, caller }: Proxied,
    Path((_, name)): Path<(String, String)>,
) -> Result<Json<Value>, Refusal> {
    caller.may(Action::ListTopics, &format!("kafka:topic:{name}"))?;
    let kafka = lock(&agent.kafka);
    let topic = kafka.known_topic(&name)?;
    let config = |(name, default): &(&str, &str)| {
        let own = topic.configs.get(*name);
        json!({
            "configuration": name,
            "value": own.map_or(*default, String::as_str),
            "defaultValue": default,
            "isDefault": own.is_none(),
        })
    };
    Ok(Json(CONFIGS.iter().map(config).collect()))
}

/// The body of a change.
#[derive(Debug, Deserialize)]
pub(crate) struct UpdateConfigs {
    configs: Vec<Config>,
}

#[derive(Debug, Deserialize)]
struct Config {
    key: String,
    value: String,
}

/// `PUT …/api/configs/topics/{topic}`: 200 without content. What is not named stays as it is.
pub(crate) async fn update(
    Proxied { agent, caller }: Proxied,
    Path((_, name)): Path<(String, String)>,
    Body(asked): Body<UpdateConfigs>,
) -> Result<StatusCode, Refusal> {
    caller.may(Action::UpdateTopicDetails, &format!("kafka:topic:{name}"))?;
    let mut kafka = lock(&agent.kafka);
    let topic = kafka.topic_to_change(&name)?;
    let wanted: BTreeMap<_, _> =
        asked.configs.into_iter().map(|config| (config.key, config.value)).collect();
    let mut faults: Vec<_> = faults(&wanted).collect();
    if wanted.is_empty() {
        faults.push(("configs", "must name at least one configuration".to_owned()));
    }
    if !faults.is_empty() {
        return Err(AgentError::invalid(faults).into());
    }
    topic.configs.extend(wanted);
    Ok(StatusCode::OK)
}
