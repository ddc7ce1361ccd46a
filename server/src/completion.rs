//! What a client may offer while a person types an argument of a prompt or a variable of a
//! resource's URI: names that there are in Lenses.

use std::{borrow::Cow, collections::BTreeSet};

use crate::{
    lenses::{CallerClient, Error, Name, RawList, RawObject},
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

    /// The names that begin with `typed`, in whichever case, in order. What is in an environment
    /// that is not known yet, or not offered, has none.
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
        let begins = |name: &str| name.to_lowercase().starts_with(&typed);
        let offered = |name: &&Name| policy.offers_in(name.as_str(), self.tool());
        let environment = environment.filter(offered);
        let connectors = async |environment: &Name, fields: &[&str]| {
            let reply = lenses.connectors(environment, &[], &[]).await?;
            Ok(in_lists_of(&reply, fields, begins))
        };
        match (self, environment) {
            (Self::Environment, _) => {
                let is_offered = |name: &str| policy.includes_environment(name) && begins(name);
                Ok(in_list(&lenses.environments().await?, "name", is_offered))
            }
            (_, None) => Ok(BTreeSet::new()),
            (Self::Topic, Some(environment)) => {
                Ok(in_list(&lenses.topics(environment).await?, "topicName", begins))
            }
            (Self::Processor, Some(environment)) => {
                let reply = lenses.processors(environment).await?;
                Ok(in_lists_of(&reply, &["processorId", "id"], begins))
            }
            (Self::Connector, Some(environment)) => connectors(environment, &["name"]).await,
            (Self::ConnectCluster, Some(environment)) => {
                connectors(environment, &["clusterName", "cluster"]).await
            }
            (Self::ConnectorClass, Some(environment)) => {
                connectors(environment, &["className", "class"]).await
            }
        }
    }
}

/// The texts in `field` of the records for which `keep` is true.
fn in_list(records: &RawList, field: &str, keep: impl Fn(&str) -> bool) -> BTreeSet<String> {
    let texts = records.iter().filter_map(|record| record.text(field));
    texts.filter(|text| keep(text)).map(Cow::into_owned).collect()
}

/// The texts in the first of `fields` that a record has, in whichever lists `reply` has: how HQ
/// calls the list differs from kind to kind and version to version.
fn in_lists_of(
    reply: &RawObject,
    fields: &[&str],
    keep: impl Fn(&str) -> bool,
) -> BTreeSet<String> {
    reply.texts_in_lists(fields).filter(|text| keep(text)).map(Cow::into_owned).collect()
}
