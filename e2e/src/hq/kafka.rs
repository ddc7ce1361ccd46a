//! What an agent sees of its Kafka: topics with their records, and consumer groups. Shared by the
//! REST routes and SQL.

use std::collections::BTreeMap;

use http::StatusCode;
use jiff::Timestamp;
use serde_json::Value;

use super::agent_error::AgentError;

pub(crate) mod configs;
pub(crate) mod consumers;
pub(crate) mod log;
pub(crate) mod new_topic;
pub(crate) mod offsets;
pub(crate) mod schema;

use consumers::Group;
use log::Log;

/// Topics that an environment can hold.
const MAX_TOPICS: usize = 10_000;
/// Records that can be inserted into one topic.
pub(crate) const MAX_INSERTED: usize = 100_000;

/// A field of a topic's values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Field {
    pub(crate) name: String,
    /// As SQL names it: string, int, decimal, boolean.
    pub(crate) kind: String,
}

/// A topic and its records.
#[derive(Debug)]
pub(crate) struct Topic {
    pub(crate) name: String,
    pub(crate) replication: u32,
    pub(crate) configs: BTreeMap<String, String>,
    pub(crate) key_type: String,
    pub(crate) value_type: String,
    /// As the schema registry holds it, as text.
    pub(crate) key_schema: Option<String>,
    pub(crate) value_schema: Option<String>,
    pub(crate) fields: Vec<Field>,
    pub(crate) description: Option<String>,
    pub(crate) tags: Vec<String>,
    /// What people noted about the topic; none is `null`.
    pub(crate) additional_info: Value,
    pub(crate) log: Log,
}

/// One Kafka cluster.
#[derive(Debug)]
pub(crate) struct Kafka {
    brokers: u32,
    topics: BTreeMap<String, Topic>,
    groups: BTreeMap<String, Group>,
}

impl Topic {
    /// A topic of Kafka's or Lenses' own.
    pub(crate) fn is_system(&self) -> bool {
        self.name.starts_with('_')
    }

    pub(crate) fn is_compacted(&self) -> bool {
        self.configs.get("cleanup.policy").is_some_and(|policy| policy.contains("compact"))
    }
}

impl Kafka {
    pub(crate) fn new(brokers: u32, topics: Vec<Topic>, groups: Vec<Group>) -> Self {
        Self {
            brokers,
            topics: topics.into_iter().map(|topic| (topic.name.clone(), topic)).collect(),
            groups: groups.into_iter().map(|group| (group.id.clone(), group)).collect(),
        }
    }

    pub(crate) fn brokers(&self) -> u32 {
        self.brokers
    }

    /// All topics by name.
    pub(crate) fn topics(&self) -> impl Iterator<Item = &Topic> {
        self.topics.values()
    }

    pub(crate) fn topic(&self, name: &str) -> Option<&Topic> {
        self.topics.get(name)
    }

    /// # Errors
    /// The agent's 404.
    pub(crate) fn known_topic(&self, name: &str) -> Result<&Topic, AgentError> {
        self.topic(name).ok_or_else(|| AgentError::topic_not_found(name))
    }

    /// # Errors
    /// The agent's 404.
    pub(crate) fn topic_to_change(&mut self, name: &str) -> Result<&mut Topic, AgentError> {
        self.topics.get_mut(name).ok_or_else(|| AgentError::topic_not_found(name))
    }

    /// All groups by id.
    pub(crate) fn groups(&self) -> impl Iterator<Item = &Group> {
        self.groups.values()
    }

    /// # Errors
    /// The agent's `TopicAlreadyExists`, or a limit.
    pub(crate) fn add_topic(&mut self, topic: Topic) -> Result<(), AgentError> {
        if self.topics.contains_key(&topic.name) {
            let error = format!("topic [{}] already exists", topic.name);
            return Err(AgentError::new(StatusCode::CONFLICT, "TopicAlreadyExists", error));
        }
        if self.topics.len() >= MAX_TOPICS {
            let error =
                format!("the cluster holds {MAX_TOPICS} topics, which is all that it takes");
            return Err(AgentError::new(StatusCode::BAD_REQUEST, "PolicyViolation", error));
        }
        self.topics.insert(topic.name.clone(), topic);
        Ok(())
    }

    /// Whether there was such a topic.
    pub(crate) fn remove_topic(&mut self, name: &str) -> bool {
        self.topics.remove(name).is_some()
    }

    /// Appends records to a topic; all or none.
    ///
    /// # Errors
    /// No such topic, or too many records: a sentence for an ERROR frame.
    pub(crate) fn append(
        &mut self,
        name: &str,
        records: Vec<(Value, Value)>,
        now: Timestamp,
    ) -> Result<usize, String> {
        let topic = self.topics.get_mut(name).ok_or_else(|| format!("table [{name}] not found"))?;
        let inserted = records.len();
        if topic.log.inserted() + inserted > MAX_INSERTED {
            return Err(format!(
                "table [{name}] takes no more than {MAX_INSERTED} inserted records"
            ));
        }
        for (key, value) in records {
            topic.log.append(key, value, now);
        }
        Ok(inserted)
    }

    /// Forgets a group in which nobody is.
    pub(crate) fn remove_group(&mut self, id: &str) -> Result<(), AgentError> {
        self.idle_group(id)?;
        self.groups.remove(id);
        Ok(())
    }

    /// A group whose offsets nobody else is about to commit.
    ///
    /// # Errors
    /// The agent's 404 for an unknown group, its 409 for one that has members.
    fn idle_group(&self, id: &str) -> Result<&Group, AgentError> {
        let group = self.groups.get(id).ok_or_else(|| {
            AgentError::new(
                StatusCode::NOT_FOUND,
                "ConsumerGroupNotFound",
                format!("consumer group [{id}] not found"),
            )
        })?;
        if group.members > 0 {
            let error = format!(
                "consumer group [{id}] is not empty: it has {} active members; stop them first",
                group.members
            );
            return Err(AgentError::new(StatusCode::CONFLICT, "ConsumerGroupNotEmpty", error));
        }
        Ok(group)
    }
}
