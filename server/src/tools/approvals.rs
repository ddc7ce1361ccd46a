//! Asking for what one may not do. There is no tool that approves: a model must not approve its own request.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use uuid::Uuid;

use super::{
    arguments::{
        Configs, Environment, Int, List, Page, PageSize, Partitions, Replication, SortOrder, Text,
        TopicName, first_page, one_partition, one_replica, usual_page_size,
    },
    definition::{Call, Effect, Tool},
};
use crate::lenses::{
    ApprovalQuery, ApprovalSort, ApprovalStatus, Error, Name, RawObject, TopicRequest,
};

pub(super) fn tools() -> Vec<Tool> {
    vec![
        Tool::new(
            "list_approval_requests",
            "List approval requests",
            "Lists requests for topics and how far they are, a page at a time. An empty list may also mean that the user \
             lacks the permission governance:ListRequests.",
            Effect::Read,
            list_approval_requests,
        ),
        Tool::new(
            "get_approval_request",
            "Get approval request",
            "Shows one request whole: what is asked for, by whom and why, and whether it was approved or rejected.",
            Effect::Read,
            get_approval_request,
        ),
        Tool::new(
            "request_topic_creation",
            "Request topic creation",
            "Asks for a new topic that the user may not create alone: somebody else approves or rejects it in Lenses. Use \
             create_topic where the user may. Ask the user for the reason, and tell the id of the request; each call makes \
             another request.",
            Effect::Create,
            request_topic_creation,
        ),
    ]
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ListRequests {
    environment: Environment,
    /// Only requests that are so far: `["Pending"]`.
    #[serde(default)]
    statuses: Option<List<ApprovalStatus, 4>>,
    /// Only requests for the topic of this name.
    #[serde(default)]
    entity_name: Option<Name>,
    /// Which page, from 1. The result says how many there are.
    #[serde(default = "first_page")]
    page: Page,
    /// Requests on a page.
    #[serde(default = "usual_page_size")]
    page_size: PageSize,
    /// What to sort by.
    #[serde(default)]
    sort_field: Option<ApprovalSort>,
    /// Which way to sort.
    #[serde(default)]
    sort_order: Option<SortOrder>,
}

async fn list_approval_requests(call: Call, arguments: ListRequests) -> Result<RawObject, Error> {
    let query = ApprovalQuery {
        statuses: arguments.statuses.map(List::into_vec).unwrap_or_default(),
        entity_name: arguments.entity_name,
        page: arguments.page.get(),
        page_size: arguments.page_size.get(),
        sort_field: arguments.sort_field,
        sort_order: arguments.sort_order.map(SortOrder::as_str),
    };
    call.lenses.approvals(&arguments.environment, &query).await
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct GetRequest {
    environment: Environment,
    /// Id of the request, as `list_approval_requests` shows it: 8-4-4-4-12 hexadecimal digits.
    request_id: RequestId,
}

/// The id of a request: a UUID (RFC 9562), written with its hyphens.
#[derive(Deserialize)]
#[serde(try_from = "Name")]
struct RequestId(Name);

impl TryFrom<Name> for RequestId {
    type Error = &'static str;

    fn try_from(name: Name) -> Result<Self, Self::Error> {
        match Uuid::try_parse(name.as_str()) {
            Ok(_) if name.as_str().len() == 36 => Ok(Self(name)),
            _ => Err("is not a UUID; give the id as list_approval_requests shows it"),
        }
    }
}

impl JsonSchema for RequestId {
    fn schema_name() -> Cow<'static, str> {
        "RequestId".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "uuid", "minLength": 36, "maxLength": 36 })
    }
}

async fn get_approval_request(
    call: Call,
    GetRequest { environment, request_id }: GetRequest,
) -> Result<RawObject, Error> {
    call.lenses.approval(&environment, &request_id.0).await
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RequestTopic {
    environment: Environment,
    /// Name of the topic. Kafka takes letters, digits, `.`, `_` and `-`, at most 249 of them.
    topic_name: TopicName,
    /// Why the topic is needed, for whoever decides.
    reason: Text<5_000>,
    /// Number of partitions. It can be raised later, not lowered.
    #[serde(default = "one_partition")]
    partitions: Partitions,
    /// Number of replicas of each partition; at most the number of brokers.
    #[serde(default = "one_replica")]
    replication: Replication,
    /// Kafka topic settings, name to value, both as text: {"cleanup.policy": "compact", "retention.ms": "604800000"}.
    #[serde(default)]
    configs: Option<Configs>,
    /// Tags of the topic: `["pii"]`.
    #[serde(default)]
    tags: Option<List<Name, 100>>,
    /// How large a record is expected to be, in bytes.
    #[serde(default)]
    records_size: Option<Amount>,
    /// How much is expected to be produced a day, in bytes.
    #[serde(default)]
    data_produced_per_day: Option<Amount>,
    /// How many applications are expected to read the topic.
    #[serde(default)]
    consumers: Option<Int<0, 1_000_000>>,
}

/// Up to the largest number that every JSON reader holds exactly (RFC 8259 §6).
type Amount = Int<0, 9_007_199_254_740_991>;

async fn request_topic_creation(call: Call, arguments: RequestTopic) -> Result<RawObject, Error> {
    let request = TopicRequest {
        topic_name: arguments.topic_name.into_name(),
        reason: arguments.reason.as_str().to_owned(),
        partitions: arguments.partitions.get(),
        replication: arguments.replication.get(),
        configs: arguments.configs.unwrap_or_default().into_map(),
        tags: arguments.tags.map(List::into_vec).unwrap_or_default(),
        records_size: arguments.records_size.map(Int::get),
        data_produced_per_day: arguments.data_produced_per_day.map(Int::get),
        consumers: arguments.consumers.map(Int::get),
    };
    call.lenses.request_topic(&arguments.environment, &request).await
}
