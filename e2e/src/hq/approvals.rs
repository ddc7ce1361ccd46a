//! Requests that somebody else approves or rejects: `/api/v1/approvals` of an agent. Deciding is
//! done on the control listener; an approved request creates its topic.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, RawQuery, State};
use http::StatusCode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::agent_error::{AgentError, Refusal};
use super::environments::Agent;
use super::kafka::Topic;
use super::kafka::new_topic::NewTopic;
use super::problem::Problem;
use super::proxied::{Body, Proxied};
use super::users::Action;
use super::{Hq, lock};

mod query;

/// Requests that an environment keeps.
const MAX_REQUESTS: usize = 10_000;

/// All requests of an environment, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Approvals(Vec<Request>);

/// How far a request is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Status {
    Pending,
    Approved,
    Rejected,
    Failed,
}

/// One request for a topic.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Request {
    pub(crate) id: Uuid,
    pub(crate) approval_status: Status,
    pub(crate) entity_type: &'static str,
    pub(crate) entity_name: String,
    pub(crate) settings: Settings,
    pub(crate) metadata: Metadata,
    pub(crate) created_by: String,
    pub(crate) created_at: Timestamp,
}

/// What the topic shall be.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Settings {
    pub(crate) replication: i64,
    pub(crate) partitions: i64,
    pub(crate) capacity: Value,
    #[serde(default)]
    pub(crate) topic_config: BTreeMap<String, String>,
}

/// What people should know.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Metadata {
    pub(crate) reason: String,
    pub(crate) tags: Vec<String>,
}

/// The body of a request.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Ask {
    #[serde(rename = "type")]
    kind: String,
    entity_name: String,
    entity_type: String,
    settings: Settings,
    metadata: Metadata,
}

impl Request {
    fn topic(&self, brokers: u32) -> Result<Topic, AgentError> {
        let new = NewTopic {
            name: self.entity_name.clone(),
            partitions: self.settings.partitions,
            replication: self.settings.replication,
            configs: self.settings.topic_config.clone(),
            key_type: "BYTES".to_owned(),
            value_type: "BYTES".to_owned(),
            fields: Vec::new(),
        };
        let mut topic = new.check(brokers)?;
        topic.tags.clone_from(&self.metadata.tags);
        Ok(topic)
    }
}

impl Approvals {
    pub(crate) fn new(requests: Vec<Request>) -> Self {
        Self(requests)
    }

    fn find(&mut self, id: &str) -> Result<&mut Request, AgentError> {
        let id = Uuid::try_parse(id).ok();
        self.0.iter_mut().find(|request| Some(request.id) == id).ok_or_else(|| {
            AgentError::new(
                StatusCode::NOT_FOUND,
                "ApprovalRequestNotFound",
                "approval request not found".to_owned(),
            )
        })
    }
}

/// `POST …/api/v1/approvals`: 201 with the id.
pub(crate) async fn create(
    Proxied { agent, caller }: Proxied,
    Body(asked): Body<Ask>,
) -> Result<(StatusCode, Json<Value>), Refusal> {
    caller.may(Action::CreateRequest, &format!("kafka:topic:{}", asked.entity_name))?;
    let mut faults = Vec::new();
    if asked.kind != "CreateNewEntity" {
        faults.push(("type", format!("is {:?}: must be CreateNewEntity", asked.kind)));
    }
    if asked.entity_type != "KafkaTopic" {
        faults.push(("entityType", format!("is {:?}: must be KafkaTopic", asked.entity_type)));
    }
    if asked.metadata.reason.trim().is_empty() {
        faults.push(("reason", "must not be empty".to_owned()));
    }
    if !faults.is_empty() {
        return Err(AgentError::invalid(faults).into());
    }
    let request = Request {
        id: Uuid::now_v7(),
        approval_status: Status::Pending,
        entity_type: "KafkaTopic",
        entity_name: asked.entity_name,
        settings: asked.settings,
        metadata: asked.metadata,
        created_by: caller.name,
        created_at: Timestamp::now(),
    };
    request.topic(lock(&agent.kafka).brokers())?;
    let mut approvals = lock(&agent.approvals);
    if approvals.0.len() >= MAX_REQUESTS {
        let error = format!("the environment keeps no more than {MAX_REQUESTS} requests");
        return Err(AgentError::new(StatusCode::BAD_REQUEST, "PolicyViolation", error).into());
    }
    let id = request.id;
    approvals.0.push(request);
    Ok((StatusCode::CREATED, Json(json!({"id": id}))))
}

/// `GET …/api/v1/approvals`: a page. Who may not list them sees an empty one.
pub(crate) async fn list(
    Proxied { agent, caller }: Proxied,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Refusal> {
    let query = query::Query::parse(query.as_deref().unwrap_or_default())?;
    let requests = if caller.may(Action::ListRequests, "governance:request:*").is_ok() {
        lock(&agent.approvals).0.clone()
    } else {
        Vec::new()
    };
    Ok(Json(query.page(requests)))
}

/// `GET …/api/v1/approvals/{id}`
pub(crate) async fn show(
    Proxied { agent, caller }: Proxied,
    Path((_, id)): Path<(String, String)>,
) -> Result<Json<Request>, Refusal> {
    caller.may(Action::ListRequests, &format!("governance:request:{id}"))?;
    Ok(Json(lock(&agent.approvals).find(&id)?.clone()))
}

/// What was decided.
#[derive(Debug, Clone, Copy, Deserialize)]
pub(crate) enum Decision {
    Approved,
    Rejected,
}

/// `PUT /approvals/{environment}/{id}` on the control listener: `"Approved"`, which creates the
/// topic, or `"Rejected"`.
pub(crate) async fn decide(
    State(hq): State<Arc<Hq>>,
    Path((environment, id)): Path<(String, String)>,
    Json(decision): Json<Decision>,
) -> Result<Json<Request>, Refusal> {
    let agent = hq.environments.agent(&environment)?;
    let request = agent.decide(&id, decision)?;
    Ok(Json(request))
}

impl Agent {
    /// # Errors
    /// No such request, or one that is decided.
    fn decide(&self, id: &str, decision: Decision) -> Result<Request, Refusal> {
        let mut kafka = lock(&self.kafka);
        let mut approvals = lock(&self.approvals);
        let request = approvals.find(id)?;
        if request.approval_status != Status::Pending {
            return Err(Problem::conflict("the request is decided".to_owned()).into());
        }
        let brokers = kafka.brokers();
        request.approval_status = match decision {
            Decision::Rejected => Status::Rejected,
            Decision::Approved => {
                match request.topic(brokers).and_then(|topic| kafka.add_topic(topic)) {
                    Ok(()) => Status::Approved,
                    Err(_) => Status::Failed,
                }
            }
        };
        Ok(request.clone())
    }
}
