//! Kafka topics.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    arguments::{Configs, Environment, Int},
    definition::{Call, Effect, Tool},
};
use crate::lenses::{Error, Name, NewTopic, Object};

pub(super) fn tools() -> Vec<Tool> {
    vec![
        Tool::new(
            "list_topics",
            "List topics",
            "Lists the Kafka topics of an environment that the user may see, with partitions, replication, formats, \
             configuration and message counts. For one topic whose name is known, get_topic answers with less.",
            Effect::Reads,
            list_topics,
        ),
        Tool::new(
            "get_topic",
            "Get topic",
            "Shows one Kafka topic whole: partitions with their leaders and offsets, configuration, key and value \
             formats, consumers and metrics. To see its records, use execute_sql.",
            Effect::Reads,
            get_topic,
        ),
        Tool::new(
            "create_topic",
            "Create topic",
            "Creates a Kafka topic. Fails when there is one of that name. Where Lenses refuses because the user may \
             not create topics, the user can ask an administrator.",
            Effect::Creates,
            create_topic,
        ),
    ]
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ListTopics {
    environment: Environment,
}

async fn list_topics(call: Call, ListTopics { environment }: ListTopics) -> Result<Vec<Object>, Error> {
    call.lenses.topics(&environment).await
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct GetTopic {
    environment: Environment,
    /// Name of the topic, as `list_topics` shows it.
    topic_name: Name,
}

async fn get_topic(call: Call, GetTopic { environment, topic_name }: GetTopic) -> Result<Object, Error> {
    call.lenses.topic(&environment, &topic_name).await
}

/// More than Kafka clusters carry; a slip of the keyboard should not reach one.
type Partitions = Int<1, 100_000>;
/// Kafka keeps it as a 16-bit number.
type Replication = Int<1, 32_767>;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CreateTopic {
    environment: Environment,
    /// Name of the new topic. Kafka takes letters, digits, `.`, `_` and `-`, at most 249 of them.
    topic_name: Name,
    /// Number of partitions. It can be raised later, not lowered.
    #[serde(default = "one_partition")]
    partitions: Partitions,
    /// Number of replicas of each partition; at most the number of brokers.
    #[serde(default = "one_replica")]
    replication: Replication,
    /// Kafka topic settings, name to value, both as text: {"cleanup.policy": "compact", "retention.ms": "604800000"}.
    #[serde(default)]
    configs: Option<Configs>,
}

fn one_partition() -> Partitions {
    Int::clamped(1)
}

fn one_replica() -> Replication {
    Int::clamped(1)
}

async fn create_topic(call: Call, arguments: CreateTopic) -> Result<String, Error> {
    let CreateTopic { environment, topic_name, partitions, replication, configs } = arguments;
    let topic = NewTopic {
        topic_name,
        partitions: partitions.get(),
        replication: replication.get(),
        configs: configs.unwrap_or_default().into_map(),
    };
    let reply = call.lenses.create_topic(&environment, &topic).await?;
    // The agent often answers with nothing: a change that was made is still worth a sentence.
    Ok(reply.unwrap_or_else(|| format!("Topic `{}` was created in environment `{}`.", topic.topic_name, *environment)))
}
