//! What moves and deletes the offsets of a group.

use std::borrow::Cow;

use jiff::Timestamp;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;

use super::{
    dry_run::{Place, Preview},
    positions,
};
use crate::{
    lenses::{Error, Name, OffsetReset, RawObject, ResetTo},
    tools::{
        arguments::{ArgumentError, Environment, Flag, List, Offset, Partition, TopicName},
        call::Call,
        definition::{Effect, Tool},
    },
};

pub(super) fn tools() -> Vec<Tool> {
    vec![
        Tool::new(
            "update_consumer_group_offsets",
            "Update consumer group offsets",
            "Moves a consumer group to the start, the end or a time in all partitions of some \
             topics, so that records are read again or skipped. Kafka refuses while the group \
             has active members. Call it with dry_run first, and ask the user.",
            Effect::Update,
            update_consumer_group_offsets,
        )
        .confirmed(),
        Tool::new(
            "update_consumer_partition_offset",
            "Update consumer partition offset",
            "Moves a consumer group to an offset in one partition, so that records are read \
             again or skipped. Kafka refuses while the group has active members. Call it with \
             dry_run first, and ask the user.",
            Effect::Update,
            update_consumer_partition_offset,
        )
        .confirmed(),
        Tool::new(
            "delete_consumer_group_offsets",
            "Delete consumer group offsets",
            "Deletes what a consumer group committed for some topics, for good: its \
             applications start there again from their reset policy. Ask the user first.",
            Effect::Delete,
            delete_consumer_group_offsets,
        ),
        Tool::new(
            "delete_consumer_partition_offset",
            "Delete consumer partition offset",
            "Deletes what a consumer group committed for one partition, for good: its \
             applications start there again from their reset policy. Ask the user first.",
            Effect::Delete,
            delete_consumer_partition_offset,
        ),
    ]
}

/// Topics of one call.
type Topics = List<TopicName, 100>;

fn names(topics: Topics) -> Vec<Name> {
    topics.into_vec().into_iter().map(TopicName::into_name).collect()
}

fn no() -> Flag {
    Flag(false)
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct UpdateGroupOffsets {
    environment: Environment,
    /// See `list_consumer_groups`.
    group_id: Name,
    /// Topics: `["orders"]`.
    topics: Topics,
    /// With `timestamp`: the first record not older than target.
    reset_to: ResetPlace,
    /// RFC 3339 time for `timestamp`: 2026-01-05T08:00:00Z.
    #[serde(default)]
    target: Option<Time>,
    /// Only tell what would move.
    #[serde(default = "no")]
    dry_run: Flag,
}

/// [`UpdateGroupOffsets`], whose arguments hold together too: so that a call that can't be made is
/// told before the user is asked about it.
#[derive(Deserialize)]
#[serde(try_from = "UpdateGroupOffsets")]
struct GroupReset {
    environment: Environment,
    group_id: Name,
    reset: OffsetReset,
    dry_run: Flag,
}

impl JsonSchema for GroupReset {
    fn schema_name() -> Cow<'static, str> {
        UpdateGroupOffsets::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        UpdateGroupOffsets::json_schema(generator)
    }
}

impl TryFrom<UpdateGroupOffsets> for GroupReset {
    type Error = ArgumentError;

    fn try_from(arguments: UpdateGroupOffsets) -> Result<Self, Self::Error> {
        let UpdateGroupOffsets { environment, group_id, topics, reset_to, target, dry_run } =
            arguments;
        let to = match (reset_to, target) {
            (ResetPlace::Start, _) => ResetTo::Start,
            (ResetPlace::End, _) => ResetTo::End,
            (ResetPlace::Timestamp, Some(Time(time))) => ResetTo::Timestamp(time.to_string()),
            (ResetPlace::Timestamp, None) => {
                return Err(ArgumentError::value(
                    "target",
                    "is missing; with `timestamp` give the time to go to",
                ));
            }
        };
        Ok(Self {
            environment,
            group_id,
            reset: OffsetReset { to, topics: names(topics) },
            dry_run,
        })
    }
}

#[derive(Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum ResetPlace {
    Start,
    End,
    Timestamp,
}

/// A time, written with its offset from UTC (RFC 3339).
#[derive(Deserialize)]
#[serde(try_from = "String")]
struct Time(Timestamp);

impl TryFrom<String> for Time {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse().map(Self).map_err(
            |_| "is no time with its offset from UTC; write it as \"2026-01-05T08:00:00Z\"",
        )
    }
}

impl JsonSchema for Time {
    fn schema_name() -> Cow<'static, str> {
        "Time".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "date-time", "minLength": 20, "maxLength": 64 })
    }
}

async fn update_consumer_group_offsets(
    call: Call,
    arguments: GroupReset,
) -> Result<RawObject, Error> {
    let GroupReset { environment, group_id, reset, dry_run } = arguments;
    if dry_run.0 {
        return tell(&call, &environment, group_id, &reset.topics, Place::Reset(&reset.to)).await;
    }
    call.lenses.reset_offsets(&environment, &group_id, &reset).await
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct UpdatePartitionOffset {
    environment: Environment,
    /// See `list_consumer_groups`.
    group_id: Name,
    /// Topic name.
    topic: TopicName,
    /// From 0.
    partition: Partition,
    /// Offset to go on with.
    offset: Offset,
    /// Only tell what would move.
    #[serde(default = "no")]
    dry_run: Flag,
}

async fn update_consumer_partition_offset(
    call: Call,
    arguments: UpdatePartitionOffset,
) -> Result<RawObject, Error> {
    let UpdatePartitionOffset { environment, group_id, topic, partition, offset, dry_run } =
        arguments;
    let (partition, offset) = (partition.get(), offset.get());
    if dry_run.0 {
        return tell(
            &call,
            &environment,
            group_id,
            &[topic.into_name()],
            Place::Offset(partition, offset),
        )
        .await;
    }
    call.lenses.set_offset(&environment, &group_id, &topic, partition, offset).await
}

/// What would move, without moving it.
async fn tell(
    call: &Call,
    environment: &Environment,
    group_id: Name,
    topics: &[Name],
    place: Place<'_>,
) -> Result<RawObject, Error> {
    let groups = call.lenses.consumer_groups(environment).await?;
    let group = positions::find(&groups, &group_id, None)?;
    let partitions = positions::partitions(&call.lenses, environment, topics).await?;
    let dry_run = Preview::of(
        group_id,
        &group,
        &positions::committed(&group),
        &partitions,
        place,
        call.limits,
    );
    Ok(RawObject::of(&dry_run))
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct DeleteGroupOffsets {
    environment: Environment,
    /// See `list_consumer_groups`.
    group_id: Name,
    /// Topics: `["orders"]`.
    topics: Topics,
}

async fn delete_consumer_group_offsets(
    call: Call,
    arguments: DeleteGroupOffsets,
) -> Result<RawObject, Error> {
    let DeleteGroupOffsets { environment, group_id, topics } = arguments;
    call.lenses.delete_offsets(&environment, &group_id, &names(topics)).await
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct DeletePartitionOffset {
    environment: Environment,
    /// See `list_consumer_groups`.
    group_id: Name,
    /// Topic name.
    topic: TopicName,
    /// From 0.
    partition: Partition,
}

async fn delete_consumer_partition_offset(
    call: Call,
    arguments: DeletePartitionOffset,
) -> Result<RawObject, Error> {
    let DeletePartitionOffset { environment, group_id, topic, partition } = arguments;
    call.lenses.delete_offset(&environment, &group_id, &topic, partition.get()).await
}
