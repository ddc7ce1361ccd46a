//! What Lenses knows of topics beyond Kafka: formats, schemas, descriptions, tags. The agent's API,
//! through HQ's proxy.

use super::{CallerClient, Error, Name, Object, RawList, RawObject, reply::Reply};

impl CallerClient {
    /// Metadata of all topics that the caller may see: `GET api/metadata/topics`.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub async fn topics_metadata(&self, environment: &Name) -> Result<RawList, Error> {
        self.get("list_topic_metadata", self.agent(environment, "api/metadata/topics"), Reply::list)
            .await
    }

    /// Metadata of one topic: `GET api/metadata/topics/{topic}`.
    ///
    /// # Errors
    ///
    /// [`Error`]; [`Error::NotFound`] when there is no topic of that name.
    pub async fn topic_metadata(
        &self,
        environment: &Name,
        topic: &Name,
    ) -> Result<RawObject, Error> {
        self.get(
            "get_topic_metadata",
            self.agent(environment, "api/metadata/topics").name(topic),
            Reply::object,
        )
        .await
    }

    /// Sets the metadata of the topic that `metadata` names: `POST api/v1/metadata/topics`. Gives
    /// what the agent says about it, which is often nothing.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub async fn update_topic_metadata(
        &self,
        environment: &Name,
        metadata: &Object,
    ) -> Result<Option<String>, Error> {
        let endpoint = self.agent(environment, "api/v1/metadata/topics");
        self.post("update_topic_metadata", endpoint, metadata, Reply::text).await
    }
}
