//! How far a group is behind.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::positions::{self, Committed, Partitions};
use crate::{
    lenses::{Error, Name, Object},
    tools::{
        arguments::{Environment, TopicName},
        call::Call,
        output::Typed,
        page::fitting,
    },
};

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct GetLag {
    environment: Environment,
    /// See `list_consumer_groups`.
    group_id: Name,
    /// Only this topic.
    #[serde(default)]
    topic: Option<TopicName>,
}

/// How far a group is behind.
#[derive(Debug, PartialEq, Serialize, JsonSchema)]
pub(super) struct GroupLag {
    /// Its id.
    group_id: Name,
    /// Its state in Kafka's words, such as Stable or Empty; null when Lenses does not tell.
    state: Option<String>,
    /// Number of its active members; null when Lenses does not tell.
    members: Option<i64>,
    /// Records that it has still to read in the partitions whose lag is known; null when none is.
    total_lag: Option<i64>,
    /// The same by topic, in the order of their names.
    topics: Vec<TopicLag>,
    /// What to know about these numbers.
    notes: Vec<String>,
}

/// How far a group is behind in one topic.
#[derive(Debug, PartialEq, Serialize, JsonSchema)]
struct TopicLag {
    /// Its name.
    topic: String,
    /// Records still to be read in the partitions whose lag is known; null when none is.
    lag: Option<i64>,
    /// Its partitions, in their order.
    partitions: Vec<PartitionLag>,
}

/// How far a group is behind in one partition.
#[derive(Debug, PartialEq, Serialize, JsonSchema)]
struct PartitionLag {
    /// Its number, from 0.
    partition: i64,
    /// The offset that the group committed; null when there is none.
    committed_offset: Option<i64>,
    /// The offset behind its last record; null when Lenses does not tell.
    end_offset: Option<i64>,
    /// Records still to be read; null when it is not known.
    lag: Option<i64>,
    /// The member that reads it; null when nobody does.
    consumer_id: Option<String>,
}

pub(super) async fn get_consumer_group_lag(
    call: Call,
    arguments: GetLag,
) -> Result<Typed<GroupLag>, Error> {
    let GetLag { environment, group_id, topic } = arguments;
    let topic = topic.map(TopicName::into_name);
    let groups = match &topic {
        Some(topic) => call.lenses.consumer_groups_of(&environment, topic).await?,
        None => call.lenses.consumer_groups(&environment).await?,
    };
    let group = positions::find(&groups, &group_id, topic.as_ref())?;
    let mut committed = positions::committed(&group);
    committed.retain(|entry| topic.as_ref().is_none_or(|topic| entry.topic == topic.as_str()));
    let mut topics: Vec<Name> =
        committed.iter().filter_map(|entry| entry.topic.parse().ok()).collect();
    topics.dedup();
    let mut lag = GroupLag::of(group_id, &group);
    // The lag stands with the group too: a topic that the user may not see, or that is gone, is no
    // reason to tell nothing.
    let partitions = match positions::partitions(&call.lenses, &environment, &topics).await {
        Ok(partitions) => partitions,
        Err(Error::NotFound(problem) | Error::Forbidden(problem)) => {
            lag.notes.push(format!(
                "the topics' own offsets are not known ({problem}); these are the group's"
            ));
            BTreeMap::new()
        }
        Err(error) => return Err(error),
    };
    lag.fill(committed, &partitions);
    let total = lag.topics.len();
    lag.topics.truncate(fitting(&lag.topics, call.limits.bytes));
    if lag.topics.len() < total {
        let shown = lag.topics.len();
        lag.notes.push(format!(
            "only {shown} of {total} topics are shown; give `topic` for one of the others"
        ));
    }
    Ok(Typed(lag))
}

impl GroupLag {
    fn of(group_id: Name, group: &Object) -> Self {
        Self {
            group_id,
            state: group.get("state").and_then(Value::as_str).map(str::to_owned),
            members: group.get("consumersCount").and_then(Value::as_i64),
            total_lag: None,
            topics: Vec::new(),
            notes: Vec::new(),
        }
    }

    fn fill(&mut self, committed: Vec<Committed>, partitions: &BTreeMap<String, Partitions>) {
        let mut topics: BTreeMap<String, BTreeMap<i64, PartitionLag>> = BTreeMap::new();
        for (topic, partitions) in partitions {
            let rows = topics.entry(topic.clone()).or_default();
            rows.extend(partitions.iter().map(|(partition, bounds)| {
                (*partition, PartitionLag::nothing(*partition, bounds.end))
            }));
        }
        for Committed { topic, partition, offset, end, lag, consumer_id } in committed {
            let rows = topics.entry(topic).or_default();
            let row =
                rows.entry(partition).or_insert_with(|| PartitionLag::nothing(partition, None));
            // The group's own end goes with its offset: both were read at the same moment.
            let end_offset = end.or(row.end_offset);
            let behind = || Some(end_offset?.saturating_sub(offset?).max(0));
            *row = PartitionLag {
                partition,
                committed_offset: offset,
                end_offset,
                lag: lag.or_else(behind),
                consumer_id,
            };
        }
        self.topics = topics
            .into_iter()
            .map(|(topic, rows)| {
                let partitions: Vec<_> = rows.into_values().collect();
                TopicLag { topic, lag: sum(partitions.iter().map(|row| row.lag)), partitions }
            })
            .collect();
        self.total_lag = sum(self.topics.iter().map(|topic| topic.lag));
        let rows = || self.topics.iter().flat_map(|topic| &topic.partitions);
        let without = rows().filter(|row| row.committed_offset.is_none()).count();
        let unknown =
            rows().filter(|row| row.committed_offset.is_some() && row.lag.is_none()).count();
        if self.topics.is_empty() {
            self.notes.push(
                "Lenses tells no committed offset of this group, so that its lag is not known"
                    .to_owned(),
            );
        }
        if without > 0 {
            self.notes.push(format!(
                "for {without} partitions the group has committed nothing: where it will begin is \
                 up to its reset policy, so that they are not in the sums"
            ));
        }
        if unknown > 0 {
            self.notes.push(format!(
                "the ends of {unknown} partitions are not known, so that they are not in the sums"
            ));
        }
    }
}

impl PartitionLag {
    fn nothing(partition: i64, end_offset: Option<i64>) -> Self {
        Self { partition, committed_offset: None, end_offset, lag: None, consumer_id: None }
    }
}

/// The sum of those that are known; `None` when none is.
fn sum(lags: impl Iterator<Item = Option<i64>>) -> Option<i64> {
    lags.flatten().reduce(i64::saturating_add)
}
