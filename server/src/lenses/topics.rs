//! Kafka topics: the agent's API, through HQ's proxy.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::json;

use super::{CallerClient, Error, Name, RawList, RawObject, reply::Reply, verbs::NO_BODY};

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

/// A topic to create with its formats: the body of `POST api/v1/kafka/topic`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NewTypedTopic {
    /// Its name.
    pub name: Name,
    /// Number of partitions.
    pub partitions: i64,
    /// Number of replicas of each partition.
    pub replication: i64,
    /// Kafka's topic settings that differ from the broker's defaults.
    pub configs: BTreeMap<String, String>,
    /// How its records are read; without it Lenses finds out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<RecordFormat>,
}

/// How records are read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RecordFormat {
    /// Their keys.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<Format>,
    /// Their values.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<Format>,
}

/// How a key or a value is read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Format {
    /// Lenses' name of the format, such as `AVRO`.
    pub format: Name,
    /// Its schema, in the format's own language.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schema: Option<String>,
}

/// One setting of a topic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Config {
    /// Kafka's name of it.
    pub key: String,
    /// Its value, as Kafka writes it.
    pub value: String,
}

impl CallerClient {
    /// All topics that the caller may see: `GET api/topics`.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub async fn topics(&self, environment: &Name) -> Result<RawList, Error> {
        self.get("list_topics", self.agent(environment, "api/topics"), Reply::list).await
    }

    /// One topic: `GET api/topics/{topic}`.
    ///
    /// # Errors
    ///
    /// [`Error`]; [`Error::NotFound`] when there is none of that name.
    pub async fn topic(&self, environment: &Name, topic: &Name) -> Result<RawObject, Error> {
        self.get("get_topic", self.agent(environment, "api/topics").name(topic), Reply::object)
            .await
    }

    /// Creates a topic: `POST api/topics`. Gives what the agent says about it, which is often
    /// nothing.
    ///
    /// # Errors
    ///
    /// [`Error`]; [`Error::Conflict`] when there is one of that name.
    pub async fn create_topic(
        &self,
        environment: &Name,
        topic: &NewTopic,
    ) -> Result<Option<String>, Error> {
        self.post("create_topic", self.agent(environment, "api/topics"), topic, Reply::text).await
    }

    /// Partitions of a topic, with messages and bytes: `GET api/v2/topics/{topic}/partitions`.
    ///
    /// # Errors
    ///
    /// [`Error`]; [`Error::NotFound`] when there is no topic of that name.
    pub async fn topic_partitions(
        &self,
        environment: &Name,
        topic: &Name,
    ) -> Result<RawObject, Error> {
        let endpoint = self.agent(environment, "api/v2/topics").name(topic).path("partitions");
        self.get("get_topic_partitions", endpoint, Reply::object).await
    }

    /// What the brokers set for a topic: `GET api/topics/{topic}/brokerConfigs`.
    ///
    /// # Errors
    ///
    /// [`Error`]; [`Error::NotFound`] when there is no topic of that name.
    pub async fn topic_broker_configs(
        &self,
        environment: &Name,
        topic: &Name,
    ) -> Result<RawList, Error> {
        let endpoint = self.agent(environment, "api/topics").name(topic).path("brokerConfigs");
        self.get("get_topic_broker_configs", endpoint, Reply::list).await
    }

    /// Creates a topic with formats and schemas: `POST api/v1/kafka/topic`.
    ///
    /// # Errors
    ///
    /// [`Error`]; [`Error::Conflict`] when there is one of that name.
    pub async fn create_topic_with_schema(
        &self,
        environment: &Name,
        topic: &NewTypedTopic,
    ) -> Result<RawObject, Error> {
        let endpoint = self.agent(environment, "api/v1/kafka/topic");
        self.post("create_topic_with_schema", endpoint, topic, Reply::acknowledgement).await
    }

    /// Sets some settings of a topic: `PUT api/configs/topics/{topic}`. Gives what the agent says
    /// about it, which is often nothing.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub async fn update_topic_config(
        &self,
        environment: &Name,
        topic: &Name,
        configs: &[Config],
    ) -> Result<Option<String>, Error> {
        let endpoint = self.agent(environment, "api/configs/topics").name(topic);
        self.put("update_topic_config", endpoint, Some(&json!({ "configs": configs })), Reply::text)
            .await
    }

    /// Raises the number of a topic's partitions to `partitions`:
    /// `PUT api/v1/kafka/topics/{topic}/partitions`.
    ///
    /// # Errors
    ///
    /// [`Error`]; Kafka refuses a number that is not larger than the present one.
    pub async fn add_topic_partitions(
        &self,
        environment: &Name,
        topic: &Name,
        partitions: i64,
    ) -> Result<RawObject, Error> {
        let endpoint =
            self.agent(environment, "api/v1/kafka/topics").name(topic).path("partitions");
        let body = json!({ "partitions": partitions });
        self.put("add_topic_partitions", endpoint, Some(&body), Reply::acknowledgement).await
    }

    /// Appends a copy of one record to its topic:
    /// `PUT api/topics/{topic}/{partition}/{offset}/resend`, without a body.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub async fn resend_message(
        &self,
        environment: &Name,
        topic: &Name,
        partition: i64,
        offset: i64,
    ) -> Result<RawObject, Error> {
        let topic = self.agent(environment, "api/topics").name(topic);
        let endpoint = topic.number(partition).number(offset).path("resend");
        self.put("resend_message", endpoint, NO_BODY, Reply::acknowledgement).await
    }
}
