//! Kafka topics: the agent's API, through HQ's proxy.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Error, Name, Object, Session};

/// A topic to create: the body of `POST api/topics`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NewTopic {
    /// Its name.
    pub topic_name: Name,
    /// Number of partitions.
    pub partitions: i64,
    /// Number of replicas of each partition.
    pub replication: i64,
    /// Kafka's topic settings that differ from the broker's defaults.
    pub configs: BTreeMap<String, String>,
}

impl Session {
    /// All topics that the caller may see: `GET api/topics`.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub async fn topics(&self, environment: &Name) -> Result<Vec<Object>, Error> {
        self.get("list_topics", self.agent(environment, "api/topics")).await?.list()
    }

    /// One topic: `GET api/topics/{topic}`.
    ///
    /// # Errors
    ///
    /// [`Error`]; [`Error::NotFound`] when there is none of that name.
    pub async fn topic(&self, environment: &Name, topic: &Name) -> Result<Object, Error> {
        self.get("get_topic", self.agent(environment, "api/topics").name(topic)).await?.object()
    }

    /// Creates a topic: `POST api/topics`. Gives what the agent says about it, which is often nothing.
    ///
    /// # Errors
    ///
    /// [`Error`]; [`Error::Conflict`] when there is one of that name.
    pub async fn create_topic(&self, environment: &Name, topic: &NewTopic) -> Result<Option<String>, Error> {
        Ok(self.post("create_topic", self.agent(environment, "api/topics"), topic).await?.text())
    }
}
