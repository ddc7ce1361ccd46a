//! Consumer groups: the agent's API, through HQ's proxy.

use super::{Error, Name, Object, Session};

impl Session {
    /// All consumer groups that the caller may see: `GET api/consumers`.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub async fn consumer_groups(&self, environment: &Name) -> Result<Vec<Object>, Error> {
        self.get("list_consumer_groups", self.agent(environment, "api/consumers")).await?.list()
    }

    /// Deletes a consumer group with its offsets: `DELETE api/consumers/{group}`. Usually answers with nothing.
    ///
    /// # Errors
    ///
    /// [`Error`]; Kafka refuses to delete a group with active members.
    pub async fn delete_consumer_group(&self, environment: &Name, group: &Name) -> Result<Object, Error> {
        self.delete("delete_consumer_group", self.agent(environment, "api/consumers").name(group)).await?.object()
    }
}
