//! Kafka topics.

mod changes;
mod record_deletion;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    arguments::{Environment, TopicName},
    definition::{Call, Effect, Tool},
    page::{Cursor, Limit, Page, Paging},
};
use crate::lenses::{Error, RawList, RawObject};

pub(super) fn tools() -> Vec<Tool> {
    let mut tools = vec![
        Tool::new(
            "list_topics",
            "List topics",
            "Lists the Kafka topics of an environment that the user may see, with partitions, replication, formats, \
             configuration and message counts. For one topic whose name is known, get_topic answers with less.",
            Effect::Read,
            list_topics,
        ),
        Tool::new(
            "get_topic",
            "Get topic",
            "Shows one Kafka topic whole: partitions with their leaders and offsets, configuration, key and value \
             formats, consumers and metrics. To see its records, use execute_sql.",
            Effect::Read,
            get_topic,
        ),
        Tool::new(
            "get_topic_partitions",
            "Get topic partitions",
            "Shows the partitions of one Kafka topic with messages, bytes and the times of their metrics. Use it to find \
             skew or to size a topic; for leaders, replicas and configuration use get_topic.",
            Effect::Read,
            get_topic_partitions,
        ),
        Tool::new(
            "get_topic_broker_configs",
            "Get topic broker configs",
            "Shows every configuration value that holds for one Kafka topic, broker defaults included, with where it comes \
             from. For only what was set on the topic itself use get_topic.",
            Effect::Read,
            get_topic_broker_configs,
        ),
    ];
    tools.extend(changes::tools());
    tools
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ListTopics {
    environment: Environment,
    /// Most topics to give. Default: as many as fit.
    #[serde(default)]
    limit: Option<Limit>,
    /// Where to go on: `cut.cursor` of the last result.
    #[serde(default)]
    cursor: Option<Cursor>,
}

async fn list_topics(
    call: Call,
    ListTopics { environment, limit, cursor }: ListTopics,
) -> Result<Page, Error> {
    let topics = call.lenses.topics(&environment).await?;
    Ok(Page::of(&topics, "topicName", Paging { limit, cursor }, call.limits))
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct OneTopic {
    environment: Environment,
    /// Name of the topic, as `list_topics` shows it.
    topic_name: TopicName,
}

async fn get_topic(
    call: Call,
    OneTopic { environment, topic_name }: OneTopic,
) -> Result<RawObject, Error> {
    call.lenses.topic(&environment, &topic_name).await
}

async fn get_topic_partitions(
    call: Call,
    OneTopic { environment, topic_name }: OneTopic,
) -> Result<RawObject, Error> {
    call.lenses.topic_partitions(&environment, &topic_name).await
}

async fn get_topic_broker_configs(
    call: Call,
    OneTopic { environment, topic_name }: OneTopic,
) -> Result<RawList, Error> {
    call.lenses.topic_broker_configs(&environment, &topic_name).await
}
