//! The offsets of a consumer group: `/api/consumers/{group}/offsets` and below.
//!
//! Deletes answer 200 without content, changes 204.

use axum::extract::Path;
use http::StatusCode;
use jiff::Timestamp;
use serde::Deserialize;

use crate::hq::agent_error::{AgentError, Refusal};
use crate::hq::kafka::consumers::Committed;
use crate::hq::kafka::offsets::{To, no_partition};
use crate::hq::lock;
use crate::hq::proxied::{Body, Proxied};
use crate::hq::users::{Action, Caller};

/// Where topics are to be read from: the body of a reset.
#[derive(Debug, Deserialize)]
pub(crate) struct Reset {
    #[serde(rename = "type")]
    to: To,
    topics: Vec<String>,
    /// RFC 3339; with `timestamp` only.
    target: Option<String>,
}

/// The body of a delete.
#[derive(Debug, Deserialize)]
pub(crate) struct DeleteOffsets {
    topics: Vec<String>,
}

/// Where one partition is to be read from: the body of its change.
#[derive(Debug, Deserialize)]
pub(crate) struct Absolute {
    #[serde(rename = "type")]
    kind: String,
    offset: i64,
}

fn may_update(caller: &Caller, group: &str) -> Result<(), Refusal> {
    Ok(caller.may(Action::UpdateConsumerGroup, &format!("kafka:consumer-group:{group}"))?)
}

fn some_topics(topics: &[String]) -> Result<(), AgentError> {
    if topics.is_empty() {
        return Err(AgentError::invalid(vec![(
            "topics",
            "must name at least one topic".to_owned(),
        )]));
    }
    Ok(())
}

fn partition_number(text: &str) -> Result<u32, AgentError> {
    let fault = |_| {
        AgentError::invalid(vec![("partition", format!("is {text:?}: must be a number from 0"))])
    };
    text.parse().map_err(fault)
}

/// `PUT …/api/consumers/{group}/offsets`
pub(crate) async fn reset(
    Proxied { agent, caller }: Proxied,
    Path((_, group)): Path<(String, String)>,
    Body(asked): Body<Reset>,
) -> Result<StatusCode, Refusal> {
    may_update(&caller, &group)?;
    some_topics(&asked.topics)?;
    let time = asked.target.as_deref().and_then(|target| target.parse::<Timestamp>().ok());
    let at = match (asked.to, time) {
        (To::Timestamp, None) => {
            let fault = "must be a time as RFC 3339 writes it, as 2026-01-05T08:00:00Z".to_owned();
            return Err(AgentError::invalid(vec![("target", fault)]).into());
        }
        (_, time) => time.unwrap_or_default().as_millisecond(),
    };
    lock(&agent.kafka).reset(&group, &asked.topics, asked.to, at)?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST …/api/consumers/{group}/offsets/delete`
pub(crate) async fn delete(
    Proxied { agent, caller }: Proxied,
    Path((_, group)): Path<(String, String)>,
    Body(asked): Body<DeleteOffsets>,
) -> Result<StatusCode, Refusal> {
    may_update(&caller, &group)?;
    some_topics(&asked.topics)?;
    let missing = || {
        let error =
            format!("consumer group [{group}] has no offsets for [{}]", asked.topics.join(", "));
        AgentError::new(StatusCode::NOT_FOUND, "OffsetsNotFound", error)
    };
    lock(&agent.kafka).forget(
        &group,
        |committed| asked.topics.contains(&committed.topic),
        missing,
    )?;
    Ok(StatusCode::OK)
}

/// `PUT …/api/consumers/{group}/offsets/topics/{topic}/partitions/{partition}`
pub(crate) async fn set(
    Proxied { agent, caller }: Proxied,
    Path((_, group, topic, partition)): Path<(String, String, String, String)>,
    Body(asked): Body<Absolute>,
) -> Result<StatusCode, Refusal> {
    may_update(&caller, &group)?;
    let partition = partition_number(&partition)?;
    if asked.kind != "absolute" {
        return Err(AgentError::invalid(vec![(
            "type",
            format!("is {:?}: must be absolute", asked.kind),
        )])
        .into());
    }
    lock(&agent.kafka).set(&group, &topic, partition, asked.offset)?;
    Ok(StatusCode::NO_CONTENT)
}

/// `DELETE …/api/consumers/{group}/topics/{topic}/partitions/{partition}/offsets`
pub(crate) async fn delete_partition(
    Proxied { agent, caller }: Proxied,
    Path((_, group, topic, partition)): Path<(String, String, String, String)>,
) -> Result<StatusCode, Refusal> {
    may_update(&caller, &group)?;
    let partition = partition_number(&partition)?;
    let doomed =
        |committed: &Committed| committed.topic == topic && committed.partition == partition;
    lock(&agent.kafka).forget(&group, doomed, || no_partition(&topic, partition))?;
    Ok(StatusCode::OK)
}
