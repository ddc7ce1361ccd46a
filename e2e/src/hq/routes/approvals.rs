//! Requests for topics: `/api/v1/approvals`. Deciding is done on the control listener; an approved
//! request creates its topic.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, RawQuery, State};
use http::StatusCode;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::hq::agent_error::{AgentError, Refusal};
use crate::hq::approvals::{MAX_REQUESTS, Metadata, Request, Settings, Status};
use crate::hq::environments::Agent;
use crate::hq::problem::Problem;
use crate::hq::proxied::{Body, Proxied};
use crate::hq::users::Action;
use crate::hq::{Hq, lock};

mod query;

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
    Ok(Json(settle(&agent, &id, decision)?))
}

/// # Errors
/// No such request, or one that is decided.
fn settle(agent: &Agent, id: &str, decision: Decision) -> Result<Request, Refusal> {
    let mut kafka = lock(&agent.kafka);
    let mut approvals = lock(&agent.approvals);
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
