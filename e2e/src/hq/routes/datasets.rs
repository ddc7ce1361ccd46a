//! `/api/v1/datasets` of an agent: topics as a catalogue, searched, paged, described and tagged.

use axum::Json;
use axum::extract::{Path, RawQuery};
use http::StatusCode;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use serde::Deserialize;
use serde_json::{Value, json};

use super::topic_metadata::{Tag, tag_names};
use crate::hq::agent_error::{AgentError, Refusal};
use crate::hq::kafka::Topic;
use crate::hq::kafka::log::Log;
use crate::hq::lock;
use crate::hq::proxied::{Body, Proxied};
use crate::hq::users::Action;

mod query;

use query::Query;

/// The one connection of the stand-in's environments.
const CONNECTION: &str = "kafka";

/// `GET …/api/v1/datasets`
pub(crate) async fn list(
    Proxied { agent, caller }: Proxied,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Refusal> {
    let query = Query::parse(&query.unwrap_or_default())?;
    caller.may(Action::ListTopics, "kafka:topic:*")?;
    let kafka = lock(&agent.kafka);
    let (page, total) = query.select(kafka.topics());
    let values: Vec<_> = page.into_iter().map(describe).collect();
    let datasets = json!({
        "values": values, "pagesAmount": total.div_ceil(query.page_size), "totalCount": total
    });
    Ok(Json(json!({"datasets": datasets, "sourceTypes": ["Kafka"]})))
}

/// `GET …/api/v1/datasets/{connection}/{dataset}`
pub(crate) async fn show(
    Proxied { agent, caller }: Proxied,
    Path((_, connection, name)): Path<(String, String, String)>,
) -> Result<Json<Value>, Refusal> {
    caller.may(Action::ListTopics, &format!("kafka:topic:{name}"))?;
    let kafka = lock(&agent.kafka);
    let topic = kafka.topic(&name).filter(|_| connection == CONNECTION);
    Ok(Json(describe(topic.ok_or_else(|| not_found(&connection, &name))?)))
}

fn not_found(connection: &str, name: &str) -> AgentError {
    let error = format!("dataset [{name}] of connection [{connection}] not found");
    AgentError::new(StatusCode::NOT_FOUND, "DatasetNotFound", error)
}

fn describe(topic: &Topic) -> Value {
    let fields: Vec<_> =
        topic.fields.iter().map(|field| json!({"name": field.name, "type": field.kind})).collect();
    let tags: Vec<_> = topic.tags.iter().map(|tag| json!({"name": tag})).collect();
    json!({
        "name": topic.name,
        "connectionName": CONNECTION,
        "sourceType": "Kafka",
        "description": topic.description,
        "tags": tags,
        "records": topic.log.len(),
        "partitions": topic.log.partitions(),
        "replication": topic.replication,
        "isCompacted": topic.is_compacted(),
        "isSystemEntity": topic.is_system(),
        "keyType": topic.key_type,
        "valueType": topic.value_type,
        "fields": {"key": [], "value": fields},
        "schema": {"key": topic.key_schema, "value": topic.value_schema},
        "policies": [],
        "permissions": ["ShowTopic", "QueryTopic"],
    })
}

/// `GET …/api/v1/datasets/kafka/{topic}/messages/metrics`: records a day, for the days that have
/// any.
pub(crate) async fn message_metrics(
    Proxied { agent, caller }: Proxied,
    Path((_, connection, name)): Path<(String, String, String)>,
) -> Result<Json<Value>, Refusal> {
    caller.may(Action::ListTopics, &format!("kafka:topic:{name}"))?;
    let kafka = lock(&agent.kafka);
    let topic = kafka.topic(&name).filter(|_| connection == CONNECTION);
    let log = &topic.ok_or_else(|| not_found(&connection, &name))?.log;
    let days =
        days(log).into_iter().map(|(day, messages)| json!({"date": day, "messages": messages}));
    Ok(Json(days.collect()))
}

/// Records are in the order of their time: from the first of a day, the first of the next one is
/// looked for.
fn days(log: &Log) -> Vec<(String, u64)> {
    let mut days = Vec::new();
    let mut first = 0;
    while let Some(record) = log.get(first) {
        let time = Timestamp::from_millisecond(record.timestamp)
            .unwrap_or_default()
            .to_zoned(TimeZone::UTC);
        let next = time
            .date()
            .saturating_add(1.day())
            .to_zoned(TimeZone::UTC)
            .map(|next| next.timestamp());
        let until =
            log.first_not_older(next.map_or(i64::MAX, Timestamp::as_millisecond)).max(first + 1);
        days.push((time.date().to_string(), until - first));
        first = until;
    }
    days
}

/// The body of a description's change; `null` takes it away.
#[derive(Debug, Deserialize)]
pub(crate) struct UpdateDescription {
    description: Option<String>,
}

/// `PUT …/api/v1/datasets/kafka/{topic}/description`: 200 without content.
pub(crate) async fn update_description(
    proxied: Proxied,
    Path((_, connection, name)): Path<(String, String, String)>,
    Body(asked): Body<UpdateDescription>,
) -> Result<StatusCode, Refusal> {
    if asked.description.as_ref().is_some_and(|text| text.chars().count() > 4_000) {
        return Err(AgentError::invalid(vec![(
            "description",
            "must be at most 4000 characters".to_owned(),
        )])
        .into());
    }
    change(&proxied, &connection, &name, |topic| topic.description = asked.description)
}

/// The body of a change of tags: all of them.
#[derive(Debug, Deserialize)]
pub(crate) struct UpdateTags {
    tags: Vec<Tag>,
}

/// `PUT …/api/v1/datasets/kafka/{topic}/tags`: 200 without content.
pub(crate) async fn update_tags(
    proxied: Proxied,
    Path((_, connection, name)): Path<(String, String, String)>,
    Body(asked): Body<UpdateTags>,
) -> Result<StatusCode, Refusal> {
    let tags = tag_names(asked.tags)?;
    change(&proxied, &connection, &name, |topic| topic.tags = tags)
}

fn change(
    Proxied { agent, caller }: &Proxied,
    connection: &str,
    name: &str,
    change: impl FnOnce(&mut Topic),
) -> Result<StatusCode, Refusal> {
    caller.may(Action::UpdateTopicDetails, &format!("kafka:topic:{name}"))?;
    let mut kafka = lock(&agent.kafka);
    let topic = kafka.topic_to_change(name).ok().filter(|_| connection == CONNECTION);
    change(topic.ok_or_else(|| not_found(connection, name))?);
    Ok(StatusCode::OK)
}
