//! The catalogue of datasets: the agent's API, through HQ's proxy.

use serde_json::json;

use super::{CallerClient, Error, Name, RawList, RawObject, reply::Reply};

/// Which datasets to give: the query of `GET api/v1/datasets`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatasetQuery {
    /// Which page, from 1.
    pub page: i64,
    /// Datasets in a page.
    pub page_size: i64,
    /// A text in the name or, with `search_fields`, in the fields.
    pub search: Option<String>,
    /// Whether `search` looks at fields too.
    pub search_fields: bool,
    /// Only datasets of these connections.
    pub connections: Vec<Name>,
    /// Only datasets with these tags.
    pub tags: Vec<Name>,
    /// What to sort by, and how (`asc` or `desc`).
    pub sort: Option<(Name, &'static str)>,
    /// Whether system datasets are given too.
    pub include_system: bool,
    /// Only datasets whose schema is of this format.
    pub schema_format: Option<Name>,
    /// Only datasets with records, or only those without.
    pub has_records: Option<bool>,
    /// Only datasets that are compacted, or only those that are not.
    pub is_compacted: Option<bool>,
}

impl CallerClient {
    /// A page of the datasets that the caller may see: `GET api/v1/datasets`.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub async fn datasets(
        &self,
        environment: &Name,
        query: &DatasetQuery,
    ) -> Result<RawObject, Error> {
        let mut endpoint = self
            .agent(environment, "api/v1/datasets")
            .query("page", &query.page.to_string())
            .query("pageSize", &query.page_size.to_string())
            .query("includeSystemEntities", truth(query.include_system))
            .query("searchFields", truth(query.search_fields));
        for connection in &query.connections {
            endpoint = endpoint.query("connections", connection.as_str());
        }
        for tag in &query.tags {
            endpoint = endpoint.query("tags", tag.as_str());
        }
        for (name, value) in [
            ("search", query.search.as_deref()),
            ("sortField", query.sort.as_ref().map(|(field, _)| field.as_str())),
            ("sortOrder", query.sort.as_ref().map(|(_, order)| *order)),
            ("schemaFormat", query.schema_format.as_ref().map(Name::as_str)),
            ("hasRecords", query.has_records.map(truth)),
            ("isCompacted", query.is_compacted.map(truth)),
        ] {
            if let Some(value) = value {
                endpoint = endpoint.query(name, value);
            }
        }
        self.get("list_datasets", endpoint, Reply::object).await
    }

    /// One dataset with its fields, policies and permissions:
    /// `GET api/v1/datasets/{connection}/{dataset}`.
    ///
    /// # Errors
    ///
    /// [`Error`]; [`Error::NotFound`] when there is none of that name.
    pub async fn dataset(
        &self,
        environment: &Name,
        connection: &Name,
        dataset: &Name,
    ) -> Result<RawObject, Error> {
        let endpoint = self.agent(environment, "api/v1/datasets").name(connection).name(dataset);
        self.get("get_dataset", endpoint, Reply::object).await
    }

    /// How many messages a topic got over time:
    /// `GET api/v1/datasets/kafka/{topic}/messages/metrics`.
    ///
    /// # Errors
    ///
    /// [`Error`]; [`Error::NotFound`] when there is no topic of that name.
    pub async fn dataset_message_metrics(
        &self,
        environment: &Name,
        topic: &Name,
    ) -> Result<RawList, Error> {
        let endpoint =
            self.agent(environment, "api/v1/datasets/kafka").name(topic).path("messages/metrics");
        self.get("get_dataset_message_metrics", endpoint, Reply::list).await
    }

    /// Sets or, with `None`, removes a topic's description:
    /// `PUT api/v1/datasets/kafka/{topic}/description`.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub async fn update_dataset_description(
        &self,
        environment: &Name,
        topic: &Name,
        description: Option<&str>,
    ) -> Result<RawObject, Error> {
        let endpoint =
            self.agent(environment, "api/v1/datasets/kafka").name(topic).path("description");
        let body = json!({ "description": description });
        self.put("update_dataset_topic_description", endpoint, Some(&body), Reply::acknowledgement)
            .await
    }

    /// Sets all tags of a topic: `PUT api/v1/datasets/kafka/{topic}/tags`.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub async fn update_dataset_tags(
        &self,
        environment: &Name,
        topic: &Name,
        tags: &[Name],
    ) -> Result<RawObject, Error> {
        let endpoint = self.agent(environment, "api/v1/datasets/kafka").name(topic).path("tags");
        let tags: Vec<_> = tags.iter().map(|tag| json!({ "name": tag })).collect();
        let body = json!({ "tags": tags });
        self.put("update_dataset_topic_tags", endpoint, Some(&body), Reply::acknowledgement).await
    }
}

/// A boolean as HQ reads it in a query.
fn truth(value: bool) -> &'static str {
    if value { "true" } else { "false" }
}
