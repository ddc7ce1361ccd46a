//! A topic's partitions: how full they are, more of them, and a record sent once more.

use axum::Json;
use axum::extract::Path;
use http::StatusCode;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::hq::agent_error::{AgentError, Refusal};
use crate::hq::kafka::new_topic::MAX_PARTITIONS;
use crate::hq::kafka::{MAX_INSERTED, Topic};
use crate::hq::lock;
use crate::hq::proxied::{Body, Proxied};
use crate::hq::users::Action;

/// Bytes that a record takes on disk, on average: what the stand-in knows instead of JMX.
const RECORD_SIZE: u64 = 128;

/// `GET …/api/v2/topics/{topic}/partitions`
pub(crate) async fn show(
    Proxied { agent, caller }: Proxied,
    Path((_, name)): Path<(String, String)>,
) -> Result<Json<Value>, Refusal> {
    caller.may(Action::ListTopics, &format!("kafka:topic:{name}"))?;
    let kafka = lock(&agent.kafka);
    let topic = kafka.known_topic(&name)?;
    let partitions: Vec<_> = (0..topic.log.partitions())
        .map(|partition| describe(topic, partition, kafka.brokers()))
        .collect();
    Ok(Json(json!({
        "partitions": partitions,
        "totalMessages": topic.log.len(),
        "totalBytes": topic.log.len() * RECORD_SIZE,
        "jmxTimestamp": Timestamp::now().as_millisecond(),
    })))
}

fn describe(topic: &Topic, partition: u32, brokers: u32) -> Value {
    let end = topic.log.end_offset(partition);
    let replicas: Vec<_> =
        (0..topic.replication).map(|replica| (partition + replica) % brokers + 1).collect();
    json!({
        "partition": partition,
        "begin": 0,
        "end": end,
        "messages": end,
        "bytes": end * RECORD_SIZE,
        "leader": replicas.first(),
        "replicas": replicas,
        "isr": replicas,
    })
}

/// The body of an addition: the new total.
#[derive(Debug, Deserialize)]
pub(crate) struct AddPartitions {
    partitions: i64,
}

/// `PUT …/api/v1/kafka/topics/{topic}/partitions`: 204. Kafka only ever adds partitions.
pub(crate) async fn add(
    Proxied { agent, caller }: Proxied,
    Path((_, name)): Path<(String, String)>,
    Body(asked): Body<AddPartitions>,
) -> Result<StatusCode, Refusal> {
    caller.may(Action::UpdateTopicDetails, &format!("kafka:topic:{name}"))?;
    let mut kafka = lock(&agent.kafka);
    let log = &mut kafka.topic_to_change(&name)?.log;
    let now = log.partitions();
    match u32::try_from(asked.partitions) {
        Ok(total) if total > now && asked.partitions <= MAX_PARTITIONS => log.add_partitions(total),
        _ => {
            let error = format!(
                "is {}: must be more than {now}, which the topic has, and at most {MAX_PARTITIONS}",
                asked.partitions
            );
            return Err(AgentError::invalid(vec![("partitions", error)]).into());
        }
    }
    Ok(StatusCode::NO_CONTENT)
}

/// `PUT …/api/topics/{topic}/{partition}/{offset}/resend`: 200 without content. A copy of the
/// record is produced.
pub(crate) async fn resend(
    Proxied { agent, caller }: Proxied,
    Path((_, name, partition, offset)): Path<(String, String, String, String)>,
) -> Result<StatusCode, Refusal> {
    caller.may(Action::WriteTopicData, &format!("kafka:topic:{name}"))?;
    let mut kafka = lock(&agent.kafka);
    let log = &mut kafka.topic_to_change(&name)?.log;
    let number = |field, text: &str| {
        text.parse::<u64>().map_err(|_| {
            AgentError::invalid(vec![(field, format!("is {text:?}: must be a number from 0"))])
        })
    };
    let (partition, offset) = (number("partition", &partition)?, number("offset", &offset)?);
    let record = log.at(partition, offset).ok_or_else(|| {
        let error =
            format!("topic [{name}] has no record at partition {partition}, offset {offset}");
        AgentError::new(StatusCode::NOT_FOUND, "RecordNotFound", error)
    })?;
    if log.inserted() >= MAX_INSERTED {
        let error = format!("topic [{name}] takes no more than {MAX_INSERTED} new records");
        return Err(AgentError::new(StatusCode::BAD_REQUEST, "PolicyViolation", error).into());
    }
    log.append(record.key, record.value, Timestamp::now());
    Ok(StatusCode::OK)
}
