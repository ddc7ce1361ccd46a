//! `/api/topics` of an agent, and `/api/v1/kafka/topic`, which also takes formats and schemas.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::Path;
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::hq::agent_error::Refusal;
use crate::hq::kafka::new_topic::NewTopic;
use crate::hq::kafka::schema::Formats;
use crate::hq::kafka::{Kafka, Topic};
use crate::hq::lock;
use crate::hq::proxied::{Body, Proxied};
use crate::hq::users::Action;

/// `GET …/api/topics`
pub(crate) async fn list(Proxied { agent, caller }: Proxied) -> Result<Json<Value>, Refusal> {
    caller.may(Action::ListTopics, "kafka:topic:*")?;
    let kafka = lock(&agent.kafka);
    Ok(Json(kafka.topics().map(|topic| describe(&kafka, topic)).collect()))
}

/// `GET …/api/topics/{topic}`
pub(crate) async fn show(
    Proxied { agent, caller }: Proxied,
    Path((_, name)): Path<(String, String)>,
) -> Result<Json<Value>, Refusal> {
    caller.may(Action::ListTopics, &format!("kafka:topic:{name}"))?;
    let kafka = lock(&agent.kafka);
    Ok(Json(describe(&kafka, kafka.known_topic(&name)?)))
}

/// The body of a topic's creation.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CreateTopic {
    topic_name: String,
    partitions: i64,
    replication: i64,
    #[serde(default)]
    configs: BTreeMap<String, String>,
}

/// `POST …/api/topics`, answered with a sentence as a JSON string.
pub(crate) async fn create(
    Proxied { agent, caller }: Proxied,
    Body(asked): Body<CreateTopic>,
) -> Result<Json<String>, Refusal> {
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

/// The body of a topic's creation with formats.
#[derive(Debug, Deserialize)]
pub(crate) struct CreateTopicWithSchema {
    name: String,
    partitions: i64,
    replication: i64,
    #[serde(default)]
    configs: BTreeMap<String, String>,
    #[serde(default)]
    format: Formats,
}

/// `POST …/api/v1/kafka/topic`: 201 with the topic.
pub(crate) async fn create_with_schema(
    Proxied { agent, caller }: Proxied,
    Body(asked): Body<CreateTopicWithSchema>,
) -> Result<(StatusCode, Json<Value>), Refusal> {
    caller.may(Action::CreateTopic, &format!("kafka:topic:{}", asked.name))?;
    let mut kafka = lock(&agent.kafka);
    let formats = asked.format.check()?;
    let topic = NewTopic {
        name: asked.name,
        partitions: asked.partitions,
        replication: asked.replication,
        configs: asked.configs,
        key_type: formats.key_type,
        value_type: formats.value_type,
        fields: formats.fields,
    };
    let mut topic = topic.check(kafka.brokers())?;
    (topic.key_schema, topic.value_schema) = (formats.key_schema, formats.value_schema);
    let reply = describe(&kafka, &topic);
    kafka.add_topic(topic)?;
    Ok((StatusCode::CREATED, Json(reply)))
}

fn describe(kafka: &Kafka, topic: &Topic) -> Value {
    let per_partition: Vec<_> = (0..topic.log.partitions())
        .map(|partition| {
            let end = topic.log.end_offset(partition);
            json!({"partition": partition, "messages": end, "begin": 0, "end": end})
        })
        .collect();
    let configs: Vec<_> =
        topic.configs.iter().map(|(name, value)| json!({"name": name, "value": value})).collect();
    let consumers: Vec<_> = kafka
        .groups()
        .filter(|group| group.reads(&topic.name))
        .map(|group| group.describe(kafka, Some(&topic.name)))
        .collect();
    json!({
        "topicName": topic.name,
        "keyType": topic.key_type,
        "valueType": topic.value_type,
        "partitions": topic.log.partitions(),
        "replication": topic.replication,
        "isControlTopic": topic.is_system(),
        "isMarkedForDeletion": false,
        "totalMessages": topic.log.len(),
        "messagesPerPartition": per_partition,
        "config": configs,
        "consumers": consumers,
    })
}
