//! Environments: HQ's own API.

use serde::Serialize;

use super::{CallerClient, Error, Name, Object, RawList, RawObject, reply::Reply};

/// An environment to create: the body of `POST /api/v1/environments`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NewEnvironment {
    /// Its name, of which HQ makes addresses: lower-case letters, digits and hyphens.
    pub name: Name,
    /// Its tier: `development`, `staging` or `production`.
    pub tier: &'static str,
    /// Its name for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// Whatever else is to be kept with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Object>,
}

impl CallerClient {
    /// All environments that the caller may see: `GET /api/v1/environments`, its `items`.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub async fn environments(&self) -> Result<RawList, Error> {
        let endpoint = self.endpoint("api/v1/environments");
        // HQ leaves out a list that is empty, or sends null.
        self.get("list_environments", endpoint, |reply| reply.list_in("items")).await
    }

    /// One environment: `GET /api/v1/environments/{name}`.
    ///
    /// # Errors
    ///
    /// [`Error`]; [`Error::NotFound`] when there is none of that name.
    pub async fn environment(&self, name: &Name) -> Result<RawObject, Error> {
        self.get("get_environment", self.endpoint("api/v1/environments").name(name), Reply::object)
            .await
    }

    /// Creates an environment: `POST /api/v1/environments`. The reply holds `agent_key`, with which
    /// its agent signs in.
    ///
    /// # Errors
    ///
    /// [`Error`]; [`Error::Conflict`] when there is one of that name.
    pub async fn create_environment(
        &self,
        environment: &NewEnvironment,
    ) -> Result<RawObject, Error> {
        let endpoint = self.endpoint("api/v1/environments");
        self.post("create_environment", endpoint, environment, Reply::acknowledgement).await
    }
}
