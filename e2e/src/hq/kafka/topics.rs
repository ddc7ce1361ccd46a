//! `/api/topics` of an agent.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use serde::Deserialize;
use serde_json::{Value, json};

use super::new_topic::NewTopic;
use super::{Kafka, Topic};
use crate::hq::agent_error::{AgentError, Refusal};
use crate::hq::users::{Action, Caller};
use crate::hq::{Hq, lock};

/// The body of a topic's creation.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct CreateTopic {
    topic_name: String,
    partitions: i64,
    replication: i64,
    #[serde(default)]
    configs: BTreeMap<String, String>,
}

/// `GET …/api/topics`
pub(crate) async fn list(
    State(hq): State<Arc<Hq>>,
    caller: Caller,
    Path(environment): Path<String>,
) -> Result<Json<Value>, Refusal> {
    caller.may(Action::ListTopics, "kafka:topic:*")?;
    let kafka = lock(&hq.environments.agent(&environment)?.kafka);
    Ok(Json(kafka.topics().map(|topic| describe(&kafka, topic)).collect()))
}

/// `GET …/api/topics/{topic}`
pub(crate) async fn show(
    State(hq): State<Arc<Hq>>,
    caller: Caller,
    Path((environment, name)): Path<(String, String)>,
) -> Result<Json<Value>, Refusal> {
    caller.may(Action::ListTopics, &format!("kafka:topic:{name}"))?;
    let kafka = lock(&hq.environments.agent(&environment)?.kafka);
    let topic = kafka.topic(&name).ok_or_else(|| AgentError::topic_not_found(&name))?;
    Ok(Json(describe(&kafka, topic)))
}

/// `POST …/api/topics`, answered with a sentence as a JSON string.
pub(crate) async fn create(
    State(hq): State<Arc<Hq>>,
    caller: Caller,
    Path(environment): Path<String>,
    body: Bytes,
) -> Result<Json<String>, Refusal> {
    let agent = hq.environments.agent(&environment)?;
    let asked: CreateTopic =
        serde_json::from_slice(&body).map_err(|error| AgentError::invalid(vec![("body", error.to_string())]))?;
    caller.may(Action::CreateTopic, &format!("kafka:topic:{}", asked.topic_name))?;
    let mut kafka = lock(&agent.kafka);
    let topic = NewTopic {
        name: asked.topic_name,
        partitions: asked.partitions,
        replication: asked.replication,
        configs: asked.configs,
        key_type: "BYTES".to_owned(),
        value_type: "BYTES".to_owned(),
        fields: Vec::new(),
    };
    let topic = topic.check(kafka.brokers())?;
    let reply = format!("Topic [{}] created", topic.name);
    kafka.add_topic(topic)?;
    Ok(Json(reply))
}

fn describe(kafka: &Kafka, topic: &Topic) -> Value {
    let per_partition: Vec<_> = (0..topic.partitions)
        .map(|partition| {
            let end = topic.log.end_offset(partition, topic.partitions);
            json!({"partition": partition, "messages": end, "begin": 0, "end": end})
        })
        .collect();
    let configs: Vec<_> = topic.configs.iter().map(|(name, value)| json!({"name": name, "value": value})).collect();
    let consumers: Vec<_> = kafka
        .groups()
        .filter(|group| group.reads(&topic.name))
        .map(|group| group.describe(kafka, Some(&topic.name)))
        .collect();
    json!({
        "topicName": topic.name,
        "keyType": topic.key_type,
        "valueType": topic.value_type,
        "partitions": topic.partitions,
        "replication": topic.replication,
        "isControlTopic": topic.is_system(),
        "isMarkedForDeletion": false,
        "totalMessages": topic.log.len(),
        "messagesPerPartition": per_partition,
        "config": configs,
        "consumers": consumers,
    })
}
