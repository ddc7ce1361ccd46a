//! What a new topic must be, as Kafka and the agent check it.

use std::collections::BTreeMap;

use serde_json::Value;

use super::log::Log;
use super::{Field, Topic, configs};
use crate::hq::agent_error::AgentError;

/// The most that a topic can have.
pub(crate) const MAX_PARTITIONS: i64 = 1_000;

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

/// What Kafka says of a name that no topic can have.
pub(crate) fn name_fault(name: &str) -> Option<String> {
    let legal = |character: char| character.is_ascii_alphanumeric() || "._-".contains(character);
    let good =
        (1..=249).contains(&name.len()) && !matches!(name, "." | "..") && name.chars().all(legal);
    (!good).then(|| {
        "must be 1 to 249 characters of a-z, A-Z, 0-9, '.', '_' and '-', and not . or ..".to_owned()
    })
}

impl NewTopic {
    /// Checks it against a cluster of so many brokers.
    ///
    /// # Errors
    /// The agent's `ValidationError` with every field that is wrong.
    pub(crate) fn check(self, brokers: u32) -> Result<Topic, AgentError> {
        let mut faults: Vec<_> =
            name_fault(&self.name).map(|fault| ("topicName", fault)).into_iter().collect();
        if !(1..=MAX_PARTITIONS).contains(&self.partitions) {
            faults.push((
                "partitions",
                format!("is {}: must be from 1 to {MAX_PARTITIONS}", self.partitions),
            ));
        }
        if !(1..=i64::from(brokers)).contains(&self.replication) {
            faults.push((
                "replication",
                format!(
                    "is {}: must be from 1 to {brokers}, the number of brokers",
                    self.replication
                ),
            ));
        }
        faults.extend(configs::faults(&self.configs));
        match (u32::try_from(self.partitions), u32::try_from(self.replication)) {
            (Ok(partitions), Ok(replication)) if faults.is_empty() => Ok(Topic {
                name: self.name,
                replication,
                configs: self.configs,
                key_type: self.key_type,
                value_type: self.value_type,
                key_schema: None,
                value_schema: None,
                fields: self.fields,
                description: None,
                tags: Vec::new(),
                additional_info: Value::Null,
                log: Log::empty(partitions),
            }),
            _ => Err(AgentError::invalid(faults)),
        }
    }
}
