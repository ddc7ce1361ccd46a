//! Requests for topics that somebody else approves or rejects.

use std::collections::BTreeMap;

use http::StatusCode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::agent_error::AgentError;
use super::kafka::Topic;
use super::kafka::new_topic::NewTopic;

/// Requests that an environment keeps.
pub(crate) const MAX_REQUESTS: usize = 10_000;

/// All requests of an environment, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Approvals(pub(crate) Vec<Request>);

/// How far a request is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Status {
    Pending,
    Approved,
    Rejected,
    Failed,
}

/// One request for a topic.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Request {
    pub(crate) id: Uuid,
    pub(crate) approval_status: Status,
    pub(crate) entity_type: &'static str,
    pub(crate) entity_name: String,
    pub(crate) settings: Settings,
    pub(crate) metadata: Metadata,
    pub(crate) created_by: String,
    pub(crate) created_at: Timestamp,
}

/// What the topic shall be.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Settings {
    pub(crate) replication: i64,
    pub(crate) partitions: i64,
    pub(crate) capacity: Value,
    #[serde(default)]
    pub(crate) topic_config: BTreeMap<String, String>,
}

/// What people should know.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Metadata {
    pub(crate) reason: String,
    pub(crate) tags: Vec<String>,
}

impl Request {
    pub(crate) fn topic(&self, brokers: u32) -> Result<Topic, AgentError> {
        let new = NewTopic {
            name: self.entity_name.clone(),
            partitions: self.settings.partitions,
            replication: self.settings.replication,
            configs: self.settings.topic_config.clone(),
            key_type: "BYTES".to_owned(),
            value_type: "BYTES".to_owned(),
            fields: Vec::new(),
        };
        let mut topic = new.check(brokers)?;
        topic.tags.clone_from(&self.metadata.tags);
        Ok(topic)
    }
}

impl Approvals {
    pub(crate) fn new(requests: Vec<Request>) -> Self {
        Self(requests)
    }

    pub(crate) fn find(&mut self, id: &str) -> Result<&mut Request, AgentError> {
        let id = Uuid::try_parse(id).ok();
        self.0.iter_mut().find(|request| Some(request.id) == id).ok_or_else(|| {
            AgentError::new(
                StatusCode::NOT_FOUND,
                "ApprovalRequestNotFound",
                "approval request not found".to_owned(),
            )
        })
    }
}
