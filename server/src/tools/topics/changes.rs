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
        call::Call,
        definition::{Effect, Tool},
    },
};

/// What a user who may not create topics can do.
const ASK_FOR_A_TOPIC: &str = "The user may not create this topic here. Offer to ask for it with \
                               request_topic_creation, which somebody else approves or rejects; \
                               retrying does not help.";

pub(super) fn tools() -> Vec<Tool> {
    vec![
        Tool::new(
            "create_topic",
            "Create topic",
            "Creates a topic. To set formats or schemas use create_topic_with_schema. If the \
             user may not create topics, use request_topic_creation.",
            Effect::Create,
            create_topic,
        )
        .with_advice_when_forbidden(ASK_FOR_A_TOPIC),
        Tool::new(
            "create_topic_with_schema",
            "Create topic with schema",
            "Creates a topic with key and value formats, and registers their schemas. If the \
             user may not create topics, use request_topic_creation.",
            Effect::Create,
            create_topic_with_schema,
        )
        .with_advice_when_forbidden(ASK_FOR_A_TOPIC),
        Tool::new(
            "update_topic_config",
            "Update topic config",
            "Sets configuration values of a topic; the others stay, old values are lost. \
             Retention, compaction and cleanup.policy delete records and need the scope delete. \
             Ask the user first.",
            Effect::Update,
            update_topic_config,
        )
        .with_scopes_by_arguments("`delete` for settings that delete records", |arguments| {
            record_deletion::required_scopes(arguments.get("configs"))
        }),
        Tool::new(
            "add_topic_partitions",
            "Add topic partitions",
            "Raises the number of partitions of a topic. It can't be lowered, and keys may move \
             to other partitions: ask the user first.",
            Effect::Update,
            add_topic_partitions,
        ),
        Tool::new(
            "resend_message",
            "Resend message",
            "Appends a copy of one record to its topic, for all consumers; each call appends \
             another. Find partition and offset with execute_sql, and ask the user first.",
            Effect::Trigger,
            resend_message,
        ),
    ]
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CreateTopic {
    environment: Environment,
    /// Letters, digits, `.`, `_`, `-`.
    topic_name: TopicName,
    /// Can only be raised later.
    #[serde(default = "one_partition")]
    partitions: Partitions,
    /// At most the number of brokers.
    #[serde(default = "one_replica")]
    replication: Replication,
    /// Kafka settings, such as cleanup.policy.
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
    /// Letters, digits, `.`, `_`, `-`.
    name: TopicName,
    /// Can only be raised later.
    #[serde(default = "one_partition")]
    partitions: Partitions,
    /// At most the number of brokers.
    #[serde(default = "one_replica")]
    replication: Replication,
    /// Kafka settings, such as cleanup.policy.
    #[serde(default)]
    configs: Option<Configs>,
    /// JSON, AVRO, PROTOBUF, XML, CSV, STRING, INT, LONG, BYTES or another that Lenses knows.
    #[serde(default)]
    key_format: Option<Name>,
    /// Avro or Protobuf schema as text. Needs `key_format`.
    #[serde(default)]
    key_schema: Option<Schema>,
    /// As `key_format`.
    #[serde(default)]
    value_format: Option<Name>,
    /// As `key_schema`. Needs `value_format`.
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
    /// See `list_topics`.
    topic_name: TopicName,
    /// Kafka settings, such as retention.ms; values as text.
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
    /// See `list_topics`.
    topic_name: TopicName,
    /// New total.
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
    /// See `list_topics`.
    topic_name: TopicName,
    /// From 0.
    partition: Partition,
    /// Of the record.
    offset: Offset,
}

async fn resend_message(call: Call, arguments: ResendMessage) -> Result<RawObject, Error> {
    let ResendMessage { environment, topic_name, partition, offset } = arguments;
    call.lenses.resend_message(&environment, &topic_name, partition.get(), offset.get()).await
}
