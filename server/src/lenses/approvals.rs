//! Requests that somebody else approves or rejects: the agent's API, through HQ's proxy. Deciding
//! is not here on purpose: the agent lets anyone who is signed in decide, so that a model could
//! approve its own request.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{CallerClient, Error, Name, RawObject, reply::Reply};

/// A topic to ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicRequest {
    /// The topic's name.
    pub topic_name: Name,
    /// Why it is needed, for whoever decides.
    pub reason: String,
    /// Number of partitions.
    pub partitions: i64,
    /// Number of replicas of each partition.
    pub replication: i64,
    /// Kafka's topic settings that differ from the broker's defaults.
    pub configs: std::collections::BTreeMap<String, String>,
    /// The topic's tags.
    pub tags: Vec<Name>,
    /// How large a record is, in bytes.
    pub records_size: Option<i64>,
    /// How much is produced a day, in bytes.
    pub data_produced_per_day: Option<i64>,
    /// How many applications read it.
    pub consumers: Option<i64>,
}

impl TopicRequest {
    /// As the agent reads it: `type` is mandatory, an empty `topicConfig` is left out, unknown
    /// capacities are null.
    fn body(&self) -> Value {
        let mut body = json!({
            "type": "CreateNewEntity",
            "entityName": self.topic_name,
            "entityType": "KafkaTopic",
            "settings": {
                "replication": self.replication,
                "partitions": self.partitions,
                "capacity": {
                    "recordsSize": self.records_size,
                    "dataProducedPerDay": self.data_produced_per_day,
                    "consumers": self.consumers,
                },
            },
            "metadata": { "reason": self.reason, "tags": self.tags },
        });
        if !self.configs.is_empty() {
            body["settings"]["topicConfig"] = json!(self.configs);
        }
        body
    }
}

/// How far a request is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[schemars(inline)]
#[expect(
    missing_docs,
    reason = "a schema lists documented words one by one, each with its text; these say it"
)]
pub enum ApprovalStatus {
    Pending,
    Approved,
    Rejected,
    Failed,
}

impl ApprovalStatus {
    fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "Pending",
            Self::Approved => "Approved",
            Self::Rejected => "Rejected",
            Self::Failed => "Failed",
        }
    }
}

/// What requests are sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
#[expect(
    missing_docs,
    reason = "a schema lists documented words one by one, each with its text; these say it"
)]
pub enum ApprovalSort {
    EntityName,
    CreatedBy,
    CreatedAt,
}

impl ApprovalSort {
    fn as_str(self) -> &'static str {
        match self {
            Self::EntityName => "entityName",
            Self::CreatedBy => "createdBy",
            Self::CreatedAt => "createdAt",
        }
    }
}

/// Which requests to list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApprovalQuery {
    /// Only those that are so far; all when empty.
    pub statuses: Vec<ApprovalStatus>,
    /// Only those for an entity of this name.
    pub entity_name: Option<Name>,
    /// The page, from 1.
    pub page: i64,
    /// Requests on a page.
    pub page_size: i64,
    /// What they are sorted by; the agent's choice when there is none.
    pub sort_field: Option<ApprovalSort>,
    /// `asc` or `desc`; the agent's choice when there is none.
    pub sort_order: Option<&'static str>,
}

impl CallerClient {
    /// Asks for a topic: `POST api/v1/approvals`. Gives the request's `id`.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub async fn request_topic(
        &self,
        environment: &Name,
        request: &TopicRequest,
    ) -> Result<RawObject, Error> {
        let endpoint = self.agent(environment, "api/v1/approvals");
        self.post("request_topic_creation", endpoint, &request.body(), Reply::acknowledgement).await
    }

    /// One page of the requests that the caller may see: `GET api/v1/approvals`. Without the
    /// permission `governance:ListRequests` it is empty.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub async fn approvals(
        &self,
        environment: &Name,
        query: &ApprovalQuery,
    ) -> Result<RawObject, Error> {
        let mut endpoint = self
            .agent(environment, "api/v1/approvals")
            .query("page", &query.page.to_string())
            .query("pageSize", &query.page_size.to_string());
        for status in &query.statuses {
            endpoint = endpoint.query("approvalStatus", status.as_str());
        }
        let rest = [
            ("entityName", query.entity_name.as_ref().map(Name::as_str)),
            ("sortField", query.sort_field.map(ApprovalSort::as_str)),
            ("sortOrder", query.sort_order),
        ];
        for (name, value) in rest {
            if let Some(value) = value {
                endpoint = endpoint.query(name, value);
            }
        }
        self.get("list_approval_requests", endpoint, Reply::object).await
    }

    /// One request: `GET api/v1/approvals/{id}`.
    ///
    /// # Errors
    ///
    /// [`Error`]; [`Error::NotFound`] when there is none of that id.
    pub async fn approval(&self, environment: &Name, id: &Name) -> Result<RawObject, Error> {
        self.get(
            "get_approval_request",
            self.agent(environment, "api/v1/approvals").name(id),
            Reply::object,
        )
        .await
    }
}
