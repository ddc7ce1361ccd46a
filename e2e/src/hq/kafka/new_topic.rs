//! What a new topic must be, as Kafka and the agent check it.

use std::collections::BTreeMap;

use super::log::Log;
use super::{Field, Topic};
use crate::hq::agent_error::AgentError;

const MAX_PARTITIONS: i64 = 1_000;
/// Kafka's topic configurations.
const CONFIGS: [&str; 27] = [
    "cleanup.policy",
    "compression.type",
    "delete.retention.ms",
    "file.delete.delay.ms",
    "flush.messages",
    "flush.ms",
    "follower.replication.throttled.replicas",
    "index.interval.bytes",
    "leader.replication.throttled.replicas",
    "local.retention.bytes",
    "local.retention.ms",
    "max.compaction.lag.ms",
    "max.message.bytes",
    "message.timestamp.after.max.ms",
    "message.timestamp.before.max.ms",
    "message.timestamp.type",
    "min.cleanable.dirty.ratio",
    "min.compaction.lag.ms",
    "min.insync.replicas",
    "preallocate",
    "remote.storage.enable",
    "retention.bytes",
    "retention.ms",
    "segment.bytes",
    "segment.index.bytes",
    "segment.ms",
    "unclean.leader.election.enable",
];

/// A topic as asked for.
#[derive(Debug)]
pub(crate) struct NewTopic {
    pub(crate) name: String,
    pub(crate) partitions: i64,
    pub(crate) replication: i64,
    pub(crate) configs: BTreeMap<String, String>,
    pub(crate) key_type: String,
    pub(crate) value_type: String,
    pub(crate) fields: Vec<Field>,
}

impl NewTopic {
    /// Checks it against a cluster of so many brokers.
    ///
    /// # Errors
    /// The agent's `ValidationError` with every field that is wrong.
    pub(crate) fn check(self, brokers: u32) -> Result<Topic, AgentError> {
        let mut faults = Vec::new();
        let legal = |character: char| character.is_ascii_alphanumeric() || "._-".contains(character);
        if self.name.is_empty()
            || self.name.len() > 249
            || matches!(self.name.as_str(), "." | "..")
            || !self.name.chars().all(legal)
        {
            faults.push((
                "topicName",
                "must be 1 to 249 characters of a-z, A-Z, 0-9, '.', '_' and '-', and not . or ..".to_owned(),
            ));
        }
        if !(1..=MAX_PARTITIONS).contains(&self.partitions) {
            faults.push(("partitions", format!("is {}: must be from 1 to {MAX_PARTITIONS}", self.partitions)));
        }
        if !(1..=i64::from(brokers)).contains(&self.replication) {
            faults.push((
                "replication",
                format!("is {}: must be from 1 to {brokers}, the number of brokers", self.replication),
            ));
        }
        for (name, value) in &self.configs {
            if !CONFIGS.contains(&name.as_str()) {
                faults.push(("configs", format!("{name:?} is not a topic configuration")));
            } else if name == "cleanup.policy"
                && !value.split(',').all(|policy| matches!(policy.trim(), "delete" | "compact"))
            {
                faults.push(("configs", format!("cleanup.policy is {value:?}: must be delete, compact or both")));
            } else if is_number(name) && value.parse::<i64>().is_err() {
                faults.push(("configs", format!("{name} is {value:?}: must be a whole number")));
            }
        }
        match (u32::try_from(self.partitions), u32::try_from(self.replication)) {
            (Ok(partitions), Ok(replication)) if faults.is_empty() => Ok(Topic {
                name: self.name,
                partitions,
                replication,
                configs: self.configs,
                key_type: self.key_type,
                value_type: self.value_type,
                fields: self.fields,
                description: None,
                tags: Vec::new(),
                log: Log::empty(),
            }),
            _ => Err(AgentError::invalid(faults)),
        }
    }
}

/// Kafka's names tell: a time or a size.
fn is_number(config: &str) -> bool {
    matches!(config.rsplit('.').next(), Some("ms" | "bytes"))
}
