//! The offsets of a consumer group, changed while nobody is in it.

use http::StatusCode;
use serde::Deserialize;

use super::Kafka;
use super::consumers::Committed;
use crate::hq::agent_error::AgentError;

/// Where topics are to be read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum To {
    Start,
    End,
    Timestamp,
}

impl Kafka {
    /// # Errors
    /// No such group, members in it, or a topic that there is not; then nothing is changed.
    pub(crate) fn reset(
        &mut self,
        group: &str,
        topics: &[String],
        to: To,
        at: i64,
    ) -> Result<(), AgentError> {
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
    pub(crate) fn set(
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
    pub(crate) fn forget(
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

pub(crate) fn no_partition(topic: &str, partition: u32) -> AgentError {
    let error = format!("topic [{topic}] has no partition {partition}");
    AgentError::new(StatusCode::NOT_FOUND, "PartitionNotFound", error)
}
