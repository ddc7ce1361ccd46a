//! Kafka topics.

mod changes;
mod record_deletion;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    arguments::{Environment, TopicName},
    call::Call,
    definition::{Effect, Tool},
    page::{Cursor, Limit, Page, Paging},
};
use crate::lenses::{Error, RawList, RawObject};

pub(super) fn tools() -> Vec<Tool> {
    let mut tools = vec![
        Tool::new(
            "list_topics",
            "List topics",
            "Lists the topics of an environment with partitions, replication, formats, \
             configuration and message counts. For one use get_topic; to search use \
             list_datasets.",
            Effect::Read,
            list_topics,
        ),
        Tool::new(
            "get_topic",
            "Get topic",
            "Shows one topic: partitions with leaders and offsets, configuration, formats, \
             consumers and metrics. For its records use execute_sql.",
            Effect::Read,
            get_topic,
        ),
        Tool::new(
            "get_topic_partitions",
            "Get topic partitions",
            "Shows messages and bytes of one topic by partition, to find skew or to size it. \
             For leaders and configuration use get_topic.",
            Effect::Read,
            get_topic_partitions,
        ),
        Tool::new(
            "get_topic_broker_configs",
            "Get topic broker configs",
            "Shows every setting of one topic with its value and origin, broker defaults \
             included.",
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
    /// Default: as many as fit.
    #[serde(default)]
    limit: Option<Limit>,
    /// `cut.cursor` of the last result.
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
    /// See `list_topics`.
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
