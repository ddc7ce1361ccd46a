//! Consumer groups: the agent's API, through HQ's proxy.

use serde::Serialize;
use serde_json::json;

use super::{CallerClient, Error, Name, RawList, RawObject, endpoint::Endpoint, reply::Reply};

/// Where a group shall go on in all partitions of some topics: the body of
/// `PUT api/consumers/{group}/offsets`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OffsetReset {
    /// The place.
    #[serde(flatten)]
    pub to: ResetTo,
    /// The topics.
    pub topics: Vec<Name>,
}

/// The place in a partition where a group shall go on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "type", content = "target", rename_all = "lowercase")]
pub enum ResetTo {
    /// The first record that is kept.
    Start,
    /// Behind the last record.
    End,
    /// The first record that is not older than this time (RFC 3339).
    Timestamp(String),
}

impl CallerClient {
    /// All consumer groups that the caller may see: `GET api/consumers`.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub async fn consumer_groups(&self, environment: &Name) -> Result<RawList, Error> {
        self.get("list_consumer_groups", self.agent(environment, "api/consumers"), Reply::list)
            .await
    }

    /// The consumer groups that read a topic: `GET api/consumers/{topic}`.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub async fn consumer_groups_of(
        &self,
        environment: &Name,
        topic: &Name,
    ) -> Result<RawList, Error> {
        let endpoint = self.agent(environment, "api/consumers").name(topic);
        self.get("list_consumer_groups_by_topic", endpoint, Reply::list).await
    }

    /// Moves a group in all partitions of some topics: `PUT api/consumers/{group}/offsets`.
    ///
    /// # Errors
    ///
    /// [`Error`]; Kafka refuses while the group has active members.
    pub async fn reset_offsets(
        &self,
        environment: &Name,
        group: &Name,
        reset: &OffsetReset,
    ) -> Result<RawObject, Error> {
        let endpoint = self.consumer_group(environment, group).path("offsets");
        self.put("update_consumer_group_offsets", endpoint, Some(reset), Reply::acknowledgement)
            .await
    }

    /// Deletes what a group committed for some topics: `POST api/consumers/{group}/offsets/delete`.
    ///
    /// # Errors
    ///
    /// [`Error`]; Kafka refuses while the group has active members that read them.
    pub async fn delete_offsets(
        &self,
        environment: &Name,
        group: &Name,
        topics: &[Name],
    ) -> Result<RawObject, Error> {
        let endpoint = self.consumer_group(environment, group).path("offsets/delete");
        let body = json!({ "topics": topics });
        self.post("delete_consumer_group_offsets", endpoint, &body, Reply::acknowledgement).await
    }

    /// Moves a group in one partition: `PUT
    /// api/consumers/{group}/offsets/topics/{topic}/partitions/{partition}`.
    ///
    /// # Errors
    ///
    /// [`Error`]; Kafka refuses while the group has active members.
    pub async fn set_offset(
        &self,
        environment: &Name,
        group: &Name,
        topic: &Name,
        partition: i64,
        offset: i64,
    ) -> Result<RawObject, Error> {
        let endpoint = self.consumer_group(environment, group).path("offsets/topics").name(topic);
        let body = json!({ "type": "absolute", "offset": offset });
        let endpoint = endpoint.path("partitions").number(partition);
        self.put("update_consumer_partition_offset", endpoint, Some(&body), Reply::acknowledgement)
            .await
    }

    /// Deletes what a group committed for one partition:
    /// `DELETE api/consumers/{group}/topics/{topic}/partitions/{partition}/offsets`.
    ///
    /// # Errors
    ///
    /// [`Error`]; Kafka refuses while the group has active members that read it.
    pub async fn delete_offset(
        &self,
        environment: &Name,
        group: &Name,
        topic: &Name,
        partition: i64,
    ) -> Result<RawObject, Error> {
        let endpoint = self.consumer_group(environment, group).path("topics").name(topic);
        let endpoint = endpoint.path("partitions").number(partition).path("offsets");
        self.delete("delete_consumer_partition_offset", endpoint, Reply::acknowledgement).await
    }

    /// Deletes a consumer group with its offsets: `DELETE api/consumers/{group}`. Usually answers
    /// with nothing.
    ///
    /// # Errors
    ///
    /// [`Error`]; Kafka refuses to delete a group with active members.
    pub async fn delete_consumer_group(
        &self,
        environment: &Name,
        group: &Name,
    ) -> Result<RawObject, Error> {
        self.delete(
            "delete_consumer_group",
            self.consumer_group(environment, group),
            Reply::acknowledgement,
        )
        .await
    }

    fn consumer_group(&self, environment: &Name, group: &Name) -> Endpoint {
        self.agent(environment, "api/consumers").name(group)
    }
}
