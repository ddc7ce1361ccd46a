//! Consumer groups: `/api/consumers`.

use axum::Json;
use axum::extract::Path;
use http::StatusCode;
use serde_json::Value;

use crate::hq::agent_error::Refusal;
use crate::hq::lock;
use crate::hq::proxied::Proxied;
use crate::hq::users::Action;

/// `GET …/api/consumers`
pub(crate) async fn list(Proxied { agent, caller }: Proxied) -> Result<Json<Value>, Refusal> {
    caller.may(Action::ListConsumerGroups, "kafka:consumer-group:*")?;
    let kafka = lock(&agent.kafka);
    Ok(Json(kafka.groups().map(|group| group.describe(&kafka, None)).collect()))
}

/// `GET …/api/consumers/{topic}`: the groups that read a topic.
pub(crate) async fn list_by_topic(
    Proxied { agent, caller }: Proxied,
    Path((_, topic)): Path<(String, String)>,
) -> Result<Json<Value>, Refusal> {
    caller.may(Action::ListConsumerGroups, "kafka:consumer-group:*")?;
    let kafka = lock(&agent.kafka);
    kafka.known_topic(&topic)?;
    Ok(Json(
        kafka
            .groups()
            .filter(|group| group.reads(&topic))
            .map(|group| group.describe(&kafka, Some(&topic)))
            .collect(),
    ))
}

/// `DELETE …/api/consumers/{group}`: 200 without content, as the agent's other deletes.
pub(crate) async fn delete(
    Proxied { agent, caller }: Proxied,
    Path((_, group)): Path<(String, String)>,
) -> Result<StatusCode, Refusal> {
    caller.may(Action::DeleteConsumerGroup, &format!("kafka:consumer-group:{group}"))?;
    lock(&agent.kafka).remove_group(&group)?;
    Ok(StatusCode::OK)
}
