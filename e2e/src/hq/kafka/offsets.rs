//! The offsets of a consumer group, changed while nobody is in it: `/api/consumers/{group}/offsets`
//! and below.
//!
//! Deletes answer 200 without content, changes 204.

use axum::extract::Path;
use http::StatusCode;
use jiff::Timestamp;
use serde::Deserialize;

use super::Kafka;
use super::consumers::Committed;
use crate::hq::agent_error::{AgentError, Refusal};
use crate::hq::lock;
use crate::hq::proxied::{Body, Proxied};
use crate::hq::users::{Action, Caller};

/// Where topics are to be read from: the body of a reset.
#[derive(Debug, Deserialize)]
pub(crate) struct Reset {
    #[serde(rename = "type")]
    to: To,
    topics: Vec<String>,
    /// RFC 3339; with `timestamp` only.
    target: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum To {
    Start,
    End,
    Timestamp,
}

/// The body of a delete.
#[derive(Debug, Deserialize)]
pub(crate) struct DeleteOffsets {
    topics: Vec<String>,
}

/// Where one partition is to be read from: the body of its change.
#[derive(Debug, Deserialize)]
pub(crate) struct Absolute {
    #[serde(rename = "type")]
    kind: String,
    offset: i64,
}

impl Kafka {
    /// # Errors
    /// No such group, members in it, or a topic that there is not; then nothing is changed.
    fn reset(&mut self, group: &str, topics: &[String], to: To, at: i64) -> Result<(), AgentError> {
        self.idle_group(group)?;
        let mut wanted = Vec::new();
        for name in topics {
            let log = &self.known_topic(name)?.log;
            wanted.extend((0..log.partitions()).map(|partition| Committed {
                topic: name.clone(),
                partition,
                offset: match to {
                    To::Start => 0,
                    To::End => log.end_offset(partition),
                    To::Timestamp => log.offset_at(partition, at),
                },
            }));
        }
        self.commit(group, wanted);
        Ok(())
    }

    /// # Errors
    /// No such group, members in it, no such partition, or an offset that it does not have.
    fn set(
        &mut self,
        group: &str,
        topic: &str,
        partition: u32,
        offset: i64,
    ) -> Result<(), AgentError> {
        self.idle_group(group)?;
        let log = &self.known_topic(topic)?.log;
        if partition >= log.partitions() {
            return Err(no_partition(topic, partition));
        }
        let end = log.end_offset(partition);
        let offset =
            u64::try_from(offset).ok().filter(|offset| *offset <= end).ok_or_else(|| {
                AgentError::invalid(vec![(
                    "offset",
                    format!("is {offset}: must be from 0 to {end}, the partition's end"),
                )])
            })?;
        self.commit(group, vec![Committed { topic: topic.to_owned(), partition, offset }]);
        Ok(())
    }

    /// Replaces what the group has committed for these partitions.
    fn commit(&mut self, group: &str, offsets: Vec<Committed>) {
        let Some(group) = self.groups.get_mut(group) else { return };
        group.offsets.retain(|kept| {
            !offsets.iter().any(|new| (&new.topic, new.partition) == (&kept.topic, kept.partition))
        });
        group.offsets.extend(offsets);
        group.offsets.sort_by(|left, right| {
            (&left.topic, left.partition).cmp(&(&right.topic, right.partition))
        });
    }

    /// Forgets the offsets of a group that are `doomed`.
    ///
    /// # Errors
    /// No such group, or members in it; none of its offsets is meant: as `missing` says.
    fn forget(
        &mut self,
        group: &str,
        doomed: impl Fn(&Committed) -> bool,
        missing: impl FnOnce() -> AgentError,
    ) -> Result<(), AgentError> {
        if !self.idle_group(group)?.offsets.iter().any(&doomed) {
            return Err(missing());
        }
        if let Some(group) = self.groups.get_mut(group) {
            group.offsets.retain(|committed| !doomed(committed));
        }
        Ok(())
    }
}

fn no_partition(topic: &str, partition: u32) -> AgentError {
    let error = format!("topic [{topic}] has no partition {partition}");
    AgentError::new(StatusCode::NOT_FOUND, "PartitionNotFound", error)
}

fn may_update(caller: &Caller, group: &str) -> Result<(), Refusal> {
    Ok(caller.may(Action::UpdateConsumerGroup, &format!("kafka:consumer-group:{group}"))?)
}

fn some_topics(topics: &[String]) -> Result<(), AgentError> {
    if topics.is_empty() {
        return Err(AgentError::invalid(vec![(
            "topics",
            "must name at least one topic".to_owned(),
        )]));
    }
    Ok(())
}

fn partition_number(text: &str) -> Result<u32, AgentError> {
    let fault = |_| {
        AgentError::invalid(vec![("partition", format!("is {text:?}: must be a number from 0"))])
    };
    text.parse().map_err(fault)
}

/// `PUT …/api/consumers/{group}/offsets`
pub(crate) async fn reset(
    Proxied { agent, caller }: Proxied,
    Path((_, group)): Path<(String, String)>,
    Body(asked): Body<Reset>,
) -> Result<StatusCode, Refusal> {
    may_update(&caller, &group)?;
    some_topics(&asked.topics)?;
    let time = asked.target.as_deref().and_then(|target| target.parse::<Timestamp>().ok());
    let at = match (asked.to, time) {
        (To::Timestamp, None) => {
            let fault = "must be a time as RFC 3339 writes it, as 2026-01-05T08:00:00Z".to_owned();
            return Err(AgentError::invalid(vec![("target", fault)]).into());
        }
        (_, time) => time.unwrap_or_default().as_millisecond(),
    };
    lock(&agent.kafka).reset(&group, &asked.topics, asked.to, at)?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST …/api/consumers/{group}/offsets/delete`
pub(crate) async fn delete(
    Proxied { agent, caller }: Proxied,
    Path((_, group)): Path<(String, String)>,
    Body(asked): Body<DeleteOffsets>,
) -> Result<StatusCode, Refusal> {
    may_update(&caller, &group)?;
    some_topics(&asked.topics)?;
    let missing = || {
        let error =
            format!("consumer group [{group}] has no offsets for [{}]", asked.topics.join(", "));
        AgentError::new(StatusCode::NOT_FOUND, "OffsetsNotFound", error)
    };
    lock(&agent.kafka).forget(
        &group,
        |committed| asked.topics.contains(&committed.topic),
        missing,
    )?;
    Ok(StatusCode::OK)
}

/// `PUT …/api/consumers/{group}/offsets/topics/{topic}/partitions/{partition}`
pub(crate) async fn set(
    Proxied { agent, caller }: Proxied,
    Path((_, group, topic, partition)): Path<(String, String, String, String)>,
    Body(asked): Body<Absolute>,
) -> Result<StatusCode, Refusal> {
    may_update(&caller, &group)?;
    let partition = partition_number(&partition)?;
    if asked.kind != "absolute" {
        return Err(AgentError::invalid(vec![(
            "type",
            format!("is {:?}: must be absolute", asked.kind),
        )])
        .into());
    }
    lock(&agent.kafka).set(&group, &topic, partition, asked.offset)?;
    Ok(StatusCode::NO_CONTENT)
}

/// `DELETE …/api/consumers/{group}/topics/{topic}/partitions/{partition}/offsets`
pub(crate) async fn delete_partition(
    Proxied { agent, caller }: Proxied,
    Path((_, group, topic, partition)): Path<(String, String, String, String)>,
) -> Result<StatusCode, Refusal> {
    may_update(&caller, &group)?;
    let partition = partition_number(&partition)?;
    let doomed =
        |committed: &Committed| committed.topic == topic && committed.partition == partition;
    lock(&agent.kafka).forget(&group, doomed, || no_partition(&topic, partition))?;
    Ok(StatusCode::OK)
}
