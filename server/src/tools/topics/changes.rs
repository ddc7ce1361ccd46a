//! What creates and changes topics.

use schemars::JsonSchema;
use serde::Deserialize;

use super::record_deletion;
use crate::{
    lenses::{Config, Error, Format, Name, NewTopic, NewTypedTopic, RawObject, RecordFormat},
    tools::{
        ToolError,
        arguments::{
            ArgumentError, Configs, Environment, Offset, Partition, Partitions, Replication, Text,
            TopicName, one_partition, one_replica,
        },
        definition::{Call, Effect, Tool},
    },
};

/// What a user who may not create topics can do.
const ASK_FOR_A_TOPIC: &str = "The user may not create this topic here. ToolPolicy to ask for it with request_topic_creation, \
                               which somebody else approves or rejects; retrying does not help.";

pub(super) fn tools() -> Vec<Tool> {
    vec![
        Tool::new(
            "create_topic",
            "Create topic",
            "Creates a Kafka topic. Fails when there is one of that name. To say formats and schemas too, use \
             create_topic_with_schema. Where Lenses refuses because the user may not create topics, \
             request_topic_creation asks for one.",
            Effect::Create,
            create_topic,
        )
        .with_advice_when_forbidden(ASK_FOR_A_TOPIC),
        Tool::new(
            "create_topic_with_schema",
            "Create topic with schema",
            "Creates a Kafka topic and says in which format, and with which schema, its keys and values are; a schema is \
             registered with the schema registry. Fails when there is a topic of that name. Without formats use \
             create_topic. Where Lenses refuses because the user may not create topics, request_topic_creation asks for \
             one.",
            Effect::Create,
            create_topic_with_schema,
        )
        .with_advice_when_forbidden(ASK_FOR_A_TOPIC),
        Tool::new(
            "update_topic_config",
            "Update topic config",
            "Sets configuration values of a Kafka topic; those that are not named stay. The old values are lost, and a \
             shorter retention deletes records: read them with get_topic_broker_configs and ask the user first.",
            Effect::Update,
            update_topic_config,
        )
        .with_scopes_by_arguments("`delete` for settings that delete records", |arguments| {
            record_deletion::required_scopes(arguments.get("configs"))
        }),
        Tool::new(
            "add_topic_partitions",
            "Add topic partitions",
            "Raises the number of partitions of a Kafka topic. It can't be lowered again, and records with a key may go to \
             another partition than before: ask the user first.",
            Effect::Update,
            add_topic_partitions,
        ),
        Tool::new(
            "resend_message",
            "Resend message",
            "Appends a copy of one record to the end of its topic, where all consumers see it again. Each call appends \
             another copy. Find partition and offset with execute_sql, and ask the user first.",
            Effect::Trigger,
            resend_message,
        ),
    ]
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CreateTopic {
    environment: Environment,
    /// Name of the new topic. Kafka takes letters, digits, `.`, `_` and `-`, at most 249 of them.
    topic_name: TopicName,
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

async fn create_topic(call: Call, arguments: CreateTopic) -> Result<String, Error> {
    let CreateTopic { environment, topic_name, partitions, replication, configs } = arguments;
    let topic = NewTopic {
        topic_name: topic_name.into_name(),
        partitions: partitions.get(),
        replication: replication.get(),
        configs: configs.unwrap_or_default().into_map(),
    };
    let reply = call.lenses.create_topic(&environment, &topic).await?;
    // The agent often answers with nothing: a change that was made is still worth a sentence.
    Ok(reply.unwrap_or_else(|| {
        format!("Topic `{}` was created in environment `{}`.", topic.topic_name, *environment)
    }))
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CreateTopicWithSchema {
    environment: Environment,
    /// Name of the new topic. Kafka takes letters, digits, `.`, `_` and `-`, at most 249 of them.
    name: TopicName,
    /// Number of partitions. It can be raised later, not lowered.
    #[serde(default = "one_partition")]
    partitions: Partitions,
    /// Number of replicas of each partition; at most the number of brokers.
    #[serde(default = "one_replica")]
    replication: Replication,
    /// Kafka topic settings, name to value, both as text: {"cleanup.policy": "compact", "retention.ms": "604800000"}.
    #[serde(default)]
    configs: Option<Configs>,
    /// Format of the keys: JSON, AVRO, PROTOBUF, XML, CSV, STRING, INT, LONG, BYTES, or one that was added to Lenses.
    #[serde(default)]
    key_format: Option<Name>,
    /// Schema of the keys as text, for formats that have one: an Avro schema in JSON, a Protobuf file. Needs `key_format`.
    #[serde(default)]
    key_schema: Option<Schema>,
    /// Format of the values; the same words as for `key_format`.
    #[serde(default)]
    value_format: Option<Name>,
    /// Schema of the values as text. Needs `value_format`.
    #[serde(default)]
    value_schema: Option<Schema>,
}

/// The text of a schema. Those of large Protobuf files are a few hundred thousand characters.
type Schema = Text<500_000>;

async fn create_topic_with_schema(
    call: Call,
    arguments: CreateTopicWithSchema,
) -> Result<RawObject, ToolError> {
    let key = format("key", arguments.key_format, arguments.key_schema)?;
    let value = format("value", arguments.value_format, arguments.value_schema)?;
    let topic = NewTypedTopic {
        name: arguments.name.into_name(),
        partitions: arguments.partitions.get(),
        replication: arguments.replication.get(),
        configs: arguments.configs.unwrap_or_default().into_map(),
        format: (key.is_some() || value.is_some()).then_some(RecordFormat { key, value }),
    };
    Ok(call.lenses.create_topic_with_schema(&arguments.environment, &topic).await?)
}

/// The format of the `part`, key or value.
fn format(
    part: &str,
    format: Option<Name>,
    schema: Option<Schema>,
) -> Result<Option<Format>, ArgumentError> {
    match (format, schema) {
        (Some(format), schema) => {
            Ok(Some(Format { format, schema: schema.map(|schema| schema.as_str().to_owned()) }))
        }
        (None, None) => Ok(None),
        (None, Some(_)) => Err(ArgumentError::value(
            &format!("{part}_format"),
            format!("is missing; say of which format `{part}_schema` is, such as AVRO"),
        )),
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct UpdateTopicConfig {
    environment: Environment,
    /// Name of the topic, as `list_topics` shows it.
    topic_name: TopicName,
    /// The values to set, all as text: [{"key": "retention.ms", "value": "604800000"}].
    configs: Configs<1>,
}

async fn update_topic_config(call: Call, arguments: UpdateTopicConfig) -> Result<String, Error> {
    let UpdateTopicConfig { environment, topic_name, configs } = arguments;
    let configs = configs.into_vec().into_iter();
    let configs: Vec<_> = configs.map(|(key, value)| Config { key, value }).collect();
    let reply = call.lenses.update_topic_config(&environment, &topic_name, &configs).await?;
    Ok(reply.unwrap_or_else(|| {
        format!(
            "The configuration of topic `{topic_name}` in environment `{}` was updated.",
            *environment
        )
    }))
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct AddTopicPartitions {
    environment: Environment,
    /// Name of the topic, as `list_topics` shows it.
    topic_name: TopicName,
    /// Number of partitions that the topic shall have in all; larger than its present one. Example: 12.
    partitions: Partitions,
}

async fn add_topic_partitions(
    call: Call,
    arguments: AddTopicPartitions,
) -> Result<RawObject, Error> {
    let AddTopicPartitions { environment, topic_name, partitions } = arguments;
    call.lenses.add_topic_partitions(&environment, &topic_name, partitions.get()).await
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ResendMessage {
    environment: Environment,
    /// Name of the topic, as `list_topics` shows it.
    topic_name: TopicName,
    /// Partition in which the record is, from 0.
    partition: Partition,
    /// Offset of the record in its partition.
    offset: Offset,
}

async fn resend_message(call: Call, arguments: ResendMessage) -> Result<RawObject, Error> {
    let ResendMessage { environment, topic_name, partition, offset } = arguments;
    call.lenses.resend_message(&environment, &topic_name, partition.get(), offset.get()).await
}
