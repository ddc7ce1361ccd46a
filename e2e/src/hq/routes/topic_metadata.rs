//! Topic metadata: how an agent reads a topic's records. `/api/metadata/topics` and
//! `/api/v1/metadata/topics`.

use axum::Json;
use axum::extract::Path;
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::hq::agent_error::{AgentError, Refusal};
use crate::hq::kafka::Topic;
use crate::hq::lock;
use crate::hq::proxied::{Body, Proxied};
use crate::hq::users::Action;

/// `GET …/api/metadata/topics`
pub(crate) async fn list(Proxied { agent, caller }: Proxied) -> Result<Json<Value>, Refusal> {
    caller.may(Action::ListTopics, "kafka:topic:*")?;
    let kafka = lock(&agent.kafka);
    Ok(Json(kafka.topics().map(describe).collect()))
}

/// `GET …/api/metadata/topics/{topic}`
pub(crate) async fn show(
    Proxied { agent, caller }: Proxied,
    Path((_, name)): Path<(String, String)>,
) -> Result<Json<Value>, Refusal> {
    caller.may(Action::ListTopics, &format!("kafka:topic:{name}"))?;
    let kafka = lock(&agent.kafka);
    Ok(Json(describe(kafka.known_topic(&name)?)))
}

fn describe(topic: &Topic) -> Value {
    let version = |schema: &Option<String>| schema.is_some().then_some(1);
    json!({
        "topicName": topic.name,
        "keyType": topic.key_type,
        "valueType": topic.value_type,
        "keySchema": topic.key_schema,
        "keySchemaVersion": version(&topic.key_schema),
        "keySchemaInlined": topic.key_schema,
        "valueSchema": topic.value_schema,
        "valueSchemaVersion": version(&topic.value_schema),
        "valueSchemaInlined": topic.value_schema,
        "description": topic.description,
        "tags": topic.tags.iter().map(|tag| json!({"name": tag})).collect::<Vec<_>>(),
        "additionalInfo": topic.additional_info,
    })
}

/// The body of a change. The versions of schemas are the registry's to give and so are not read.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct UpdateMetadata {
    topic_name: String,
    key_type: String,
    value_type: String,
    key_schema: Option<String>,
    key_schema_inlined: Option<String>,
    value_schema: Option<String>,
    value_schema_inlined: Option<String>,
    description: Option<String>,
    tags: Option<Vec<Tag>>,
    additional_info: Option<Value>,
}

/// A tag, as every route writes it.
#[derive(Debug, Deserialize)]
pub(super) struct Tag {
    pub(super) name: String,
}

/// Names of tags.
///
/// # Errors
/// The agent's `ValidationError` for one that is empty or too long.
pub(super) fn tag_names(tags: Vec<Tag>) -> Result<Vec<String>, AgentError> {
    let good = |tag: &Tag| (1..=256).contains(&tag.name.trim().chars().count());
    if tags.len() <= 100 && tags.iter().all(good) {
        Ok(tags.into_iter().map(|tag| tag.name).collect())
    } else {
        Err(AgentError::invalid(vec![(
            "tags",
            "must be at most 100 tags of 1 to 256 characters".to_owned(),
        )]))
    }
}

/// `POST …/api/v1/metadata/topics`: 204. What is left out stays as it is.
pub(crate) async fn update(
    Proxied { agent, caller }: Proxied,
    Body(asked): Body<UpdateMetadata>,
) -> Result<StatusCode, Refusal> {
    caller.may(Action::UpdateTopicDetails, &format!("kafka:topic:{}", asked.topic_name))?;
    let tags = asked.tags.map(tag_names).transpose()?;
    let types = [("keyType", &asked.key_type), ("valueType", &asked.value_type)];
    let empty: Vec<_> = types.into_iter().filter(|(_, kind)| kind.trim().is_empty()).collect();
    if !empty.is_empty() {
        let faults = empty.into_iter().map(|(field, _)| (field, "must name a format".to_owned()));
        return Err(AgentError::invalid(faults.collect()).into());
    }
    let mut kafka = lock(&agent.kafka);
    let topic = kafka.topic_to_change(&asked.topic_name)?;
    topic.key_type = asked.key_type;
    topic.value_type = asked.value_type;
    set(&mut topic.key_schema, asked.key_schema_inlined.or(asked.key_schema));
    set(&mut topic.value_schema, asked.value_schema_inlined.or(asked.value_schema));
    set(&mut topic.description, asked.description);
    if let Some(tags) = tags {
        topic.tags = tags;
    }
    if let Some(info) = asked.additional_info {
        topic.additional_info = info;
    }
    Ok(StatusCode::NO_CONTENT)
}

fn set(kept: &mut Option<String>, asked: Option<String>) {
    if asked.is_some() {
        *kept = asked;
    }
}
