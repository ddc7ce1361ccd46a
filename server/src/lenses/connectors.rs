//! Kafka connectors: the agent's API, through HQ's proxy.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{CallerClient, Error, Name, Object, RawObject, endpoint::Endpoint, reply::Reply};

/// A connector to create or to check: the body of `POST api/kafka-connect/connectors` and
/// `…/validate`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ConnectorSettings {
    /// Its name.
    pub name: Name,
    /// The Kafka Connect cluster that runs it.
    pub cluster: Name,
    /// Its settings, as Kafka Connect takes them.
    pub configuration: Object,
}

/// What can be done to a connector: the last segment of
/// `PUT api/kafka-connect/clusters/{c}/connectors/{n}/{action}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
#[expect(
    missing_docs,
    reason = "a schema lists documented words one by one, each with its text; these say it"
)]
pub enum ConnectorAction {
    Start,
    Stop,
    Restart,
    Pause,
    Resume,
}

impl ConnectorAction {
    fn segment(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Stop => "stop",
            Self::Restart => "restart",
            Self::Pause => "pause",
            Self::Resume => "resume",
        }
    }
}

impl CallerClient {
    /// The connectors that the caller may see, by cluster: `GET api/kafka-connect/connectors`, only
    /// those of `clusters` and of `classes` where any are given.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub async fn connectors(
        &self,
        environment: &Name,
        clusters: &[Name],
        classes: &[Name],
    ) -> Result<RawObject, Error> {
        let mut endpoint = self.agent(environment, "api/kafka-connect/connectors");
        for cluster in clusters {
            endpoint = endpoint.query("cluster", cluster.as_str());
        }
        for class in classes {
            endpoint = endpoint.query("className", class.as_str());
        }
        self.get("list_kafka_connectors", endpoint, Reply::object).await
    }

    /// A connector as Lenses would deploy it:
    /// `GET api/v1/resource/kafka/connect/{cluster}/connector/{name}`, YAML.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub async fn connector_definition(
        &self,
        environment: &Name,
        cluster: &Name,
        connector: &Name,
    ) -> Result<String, Error> {
        let endpoint = self.agent(environment, "api/v1/resource/kafka/connect");
        let endpoint = endpoint.name(cluster).path("connector").name(connector);
        self.text("get_kafka_connector_target_definition", endpoint).await
    }

    /// Creates a connector: `POST api/kafka-connect/connectors`.
    ///
    /// # Errors
    ///
    /// [`Error`]; [`Error::Conflict`] when the cluster has one of that name.
    pub async fn create_connector(
        &self,
        environment: &Name,
        connector: &ConnectorSettings,
    ) -> Result<RawObject, Error> {
        let endpoint = self.agent(environment, "api/kafka-connect/connectors");
        self.post("create_kafka_connector", endpoint, connector, Reply::acknowledgement).await
    }

    /// Checks a connector's settings and changes nothing: `POST api/kafka-connect/validate`.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub async fn validate_connector(
        &self,
        environment: &Name,
        connector: &ConnectorSettings,
    ) -> Result<RawObject, Error> {
        let endpoint = self.agent(environment, "api/kafka-connect/validate");
        self.post("validate_connector_configuration", endpoint, connector, Reply::object).await
    }

    /// Starts, stops, … a connector: `PUT
    /// api/kafka-connect/clusters/{cluster}/connectors/{name}/{action}`.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub async fn act_on_connector(
        &self,
        environment: &Name,
        cluster: &Name,
        connector: &Name,
        action: ConnectorAction,
    ) -> Result<RawObject, Error> {
        let endpoint = self.connector(environment, cluster, connector).path(action.segment());
        self.put("set_action_on_kafka_connector", endpoint, None::<&()>, Reply::acknowledgement)
            .await
    }

    /// Restarts one task: `PUT
    /// api/kafka-connect/clusters/{cluster}/connectors/{name}/tasks/{task}/restart`.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub async fn restart_connector_task(
        &self,
        environment: &Name,
        cluster: &Name,
        connector: &Name,
        task: i64,
    ) -> Result<RawObject, Error> {
        let endpoint = self
            .connector(environment, cluster, connector)
            .path("tasks")
            .number(task)
            .path("restart");
        self.put("restart_kafka_connector_task", endpoint, None::<&()>, Reply::acknowledgement)
            .await
    }

    /// Deletes a connector: `DELETE api/kafka-connect/clusters/{cluster}/connectors/{name}`.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub async fn delete_connector(
        &self,
        environment: &Name,
        cluster: &Name,
        connector: &Name,
    ) -> Result<RawObject, Error> {
        let endpoint = self.connector(environment, cluster, connector);
        self.delete("delete_kafka_connector", endpoint, Reply::acknowledgement).await
    }

    fn connector(&self, environment: &Name, cluster: &Name, connector: &Name) -> Endpoint {
        let clusters = self.agent(environment, "api/kafka-connect/clusters");
        clusters.name(cluster).path("connectors").name(connector)
    }
}
