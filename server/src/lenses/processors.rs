//! SQL processors: the agent's API, through HQ's proxy.

use serde::Serialize;

use super::{CallerClient, Error, Name, RawObject, reply::Reply};

/// A SQL processor to create: the body of `POST api/v2/streams`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NewProcessor {
    /// Its name.
    pub name: Name,
    /// Its statement.
    pub sql: String,
    /// Its id; HQ makes one when there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub processor_id: Option<Name>,
    /// What it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Where it runs.
    pub deployment: Deployment,
    /// Its tags.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tags: Option<Vec<Name>>,
}

/// Where a SQL processor runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "mode", content = "details")]
pub enum Deployment {
    /// In the agent's own process.
    #[serde(rename = "IN_PROC")]
    InProcess,
    /// In pods of its own.
    #[serde(rename = "KUBERNETES")]
    Kubernetes {
        /// Number of pods.
        runners: i64,
        /// The Kubernetes cluster, as the deployment targets name it.
        cluster: Name,
        /// The Kubernetes namespace.
        namespace: Name,
    },
}

impl CallerClient {
    /// The SQL processors that the caller may see: `GET api/v2/streams`.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub async fn processors(&self, environment: &Name) -> Result<RawObject, Error> {
        self.get("list_sql_processors", self.agent(environment, "api/v2/streams"), Reply::object)
            .await
    }

    /// One SQL processor: `GET api/v2/streams/{id}`.
    ///
    /// # Errors
    ///
    /// [`Error`]; [`Error::NotFound`] when there is none of that id.
    pub async fn processor(&self, environment: &Name, id: &Name) -> Result<RawObject, Error> {
        self.get(
            "get_sql_processor",
            self.agent(environment, "api/v2/streams").name(id),
            Reply::object,
        )
        .await
    }

    /// Creates a SQL processor: `POST api/v2/streams`.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub async fn create_processor(
        &self,
        environment: &Name,
        processor: &NewProcessor,
    ) -> Result<RawObject, Error> {
        let endpoint = self.agent(environment, "api/v2/streams");
        self.post("create_sql_processor", endpoint, processor, Reply::acknowledgement).await
    }

    /// Deletes a SQL processor: `DELETE api/v1/streams/{id}`. Gives what the agent says about it,
    /// which is often nothing.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub async fn delete_processor(
        &self,
        environment: &Name,
        id: &Name,
    ) -> Result<Option<String>, Error> {
        let endpoint = self.agent(environment, "api/v1/streams").name(id);
        self.delete("delete_sql_processor", endpoint, Reply::text).await
    }
}
