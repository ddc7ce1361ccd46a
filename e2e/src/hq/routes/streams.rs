//! SQL processors: `/api/v2/streams`, where they can be deployed, and the logs of their pods.

use axum::Json;
use axum::extract::Path;
use http::StatusCode;
use serde_json::{Value, json};

use crate::hq::agent_error::{AgentError, Refusal};
use crate::hq::lock;
use crate::hq::proxied::{Body, Proxied};
use crate::hq::streams::{CreateProcessor, Processor, TARGETS, not_found};
use crate::hq::users::Action;

/// `GET …/api/v2/streams`
pub(crate) async fn list(Proxied { agent, caller }: Proxied) -> Result<Json<Value>, Refusal> {
    caller.may(Action::ListProcessors, "sql-streaming:processor:*")?;
    let processors: Vec<_> = lock(&agent.streams).0.values().map(Processor::to_json).collect();
    Ok(Json(json!({"processors": processors})))
}

/// `GET …/api/v2/streams/{id}`
pub(crate) async fn show(
    Proxied { agent, caller }: Proxied,
    Path((_, id)): Path<(String, String)>,
) -> Result<Json<Value>, Refusal> {
    caller.may(Action::ListProcessors, &format!("sql-streaming:processor:{id}"))?;
    Ok(Json(lock(&agent.streams).find(&id)?.to_json()))
}

/// `POST …/api/v2/streams`: 201 with the processor, which runs at once.
pub(crate) async fn create(
    Proxied { agent, caller }: Proxied,
    Body(asked): Body<CreateProcessor>,
) -> Result<(StatusCode, Json<Value>), Refusal> {
    caller.may(Action::CreateProcessor, &format!("sql-streaming:processor:{}", asked.name))?;
    let processor = asked.check(caller.name)?;
    Ok((StatusCode::CREATED, Json(lock(&agent.streams).add(processor)?)))
}

/// `DELETE …/api/v1/streams/{id}`: 204.
pub(crate) async fn delete(
    Proxied { agent, caller }: Proxied,
    Path((_, id)): Path<(String, String)>,
) -> Result<StatusCode, Refusal> {
    caller.may(Action::DeleteProcessor, &format!("sql-streaming:processor:{id}"))?;
    lock(&agent.streams).0.remove(&id).ok_or_else(|| not_found(&id))?;
    Ok(StatusCode::NO_CONTENT)
}

/// `GET …/api/v1/deployment/targets`
pub(crate) async fn targets(Proxied { agent, caller }: Proxied) -> Result<Json<Value>, Refusal> {
    caller.may(Action::ListProcessors, "sql-streaming:processor:*")?;
    let kubernetes: Vec<_> = TARGETS
        .iter()
        .map(|(cluster, namespaces)| json!({"cluster": cluster, "namespaces": namespaces}))
        .collect();
    let connect: Vec<_> =
        lock(&agent.connect).clusters().map(|cluster| json!({"cluster": cluster})).collect();
    Ok(Json(json!({"kubernetes": kubernetes, "connect": connect})))
}

/// `GET …/api/v1/k8s/logs/{cluster}/{namespace}/{pod}/download`: plain text.
pub(crate) async fn logs(
    Proxied { agent, caller }: Proxied,
    Path((_, cluster, namespace, pod)): Path<(String, String, String, String)>,
) -> Result<String, Refusal> {
    caller.may(Action::GetPodLogs, &format!("kubernetes:pod:{cluster}/{namespace}/{pod}"))?;
    let streams = lock(&agent.streams);
    let runs_there = |processor: &&Processor| {
        processor.runs_in(&cluster, &namespace) && processor.pods().contains(&pod)
    };
    let processor = streams.0.values().find(runs_there).ok_or_else(|| {
        let error = format!("pod [{cluster}/{namespace}/{pod}] not found");
        AgentError::new(StatusCode::NOT_FOUND, "PodNotFound", error)
    })?;
    Ok(format!(
        "INFO processor {} starts\nINFO {}\nINFO state is RUNNING\n",
        processor.name, processor.sql
    ))
}
