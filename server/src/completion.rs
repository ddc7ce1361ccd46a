//! What a client may offer while a person types an argument of a prompt or a variable of a resource's URI: names that
//! there are in Lenses.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::{
    lenses::{CallerClient, Error, Name, Object},
    policy::ToolPolicy,
};

/// Where the values of an argument come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// Environments.
    Environment,
    /// Topics of an environment.
    Topic,
    /// Kafka connectors of an environment.
    Connector,
    /// Kafka Connect clusters of an environment, of those that run a connector.
    ConnectCluster,
    /// Classes of the connectors of an environment.
    ConnectorClass,
    /// SQL processors of an environment, by id.
    Processor,
}

impl Source {
    /// The tool that shows the same names: who may not call it, is told none of them.
    #[must_use]
    pub fn tool(self) -> &'static str {
        match self {
            Self::Environment => "list_environments",
            Self::Topic => "list_topics",
            Self::Connector | Self::ConnectCluster | Self::ConnectorClass => {
                "list_kafka_connectors"
            }
            Self::Processor => "list_sql_processors",
        }
    }

    /// The names that begin with `typed`, in whichever case, in order. What is in an environment that is not known yet, or
    /// not offered, has none.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub async fn names(
        self,
        lenses: &CallerClient,
        policy: &ToolPolicy,
        environment: Option<&Name>,
        typed: &str,
    ) -> Result<BTreeSet<String>, Error> {
        let typed = typed.to_lowercase();
        let mut names =
            match (self, environment.filter(|name| policy.includes_environment(name.as_str()))) {
                (Self::Environment, _) => {
                    let mut names = texts(&lenses.environments().await?, &["name"]);
                    names.retain(|name| policy.includes_environment(name));
                    names
                }
                (_, None) => BTreeSet::new(),
                (Self::Topic, Some(environment)) => {
                    texts(&lenses.topics(environment).await?, &["topicName"])
                }
                (Self::Processor, Some(environment)) => {
                    texts(&records(lenses.processors(environment).await?), &["processorId", "id"])
                }
                (source, Some(environment)) => {
                    let connectors = records(lenses.connectors(environment, &[], &[]).await?);
                    match source {
                        Self::ConnectCluster => texts(&connectors, &["clusterName", "cluster"]),
                        Self::ConnectorClass => texts(&connectors, &["className", "class"]),
                        _ => texts(&connectors, &["name"]),
                    }
                }
            };
        names.retain(|name| name.to_lowercase().starts_with(&typed));
        Ok(names)
    }
}

/// The records in whichever lists `reply` has: how HQ calls the list differs from kind to kind and version to version.
fn records(reply: Object) -> Vec<Object> {
    let lists = reply
        .into_values()
        .filter_map(|value| if let Value::Array(list) = value { Some(list) } else { None });
    lists
        .flatten()
        .filter_map(|value| if let Value::Object(record) = value { Some(record) } else { None })
        .collect()
}

/// The text that stands in the first of `fields` that a record has.
fn texts(records: &[Object], fields: &[&str]) -> BTreeSet<String> {
    let text = |record: &Object| {
        fields.iter().find_map(|field| record.get(*field)?.as_str().map(str::to_owned))
    };
    records.iter().filter_map(text).collect()
}
