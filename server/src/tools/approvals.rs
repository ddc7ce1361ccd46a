//! Asking for what one may not do. There is no tool that approves: a model must not approve its own
//! request.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use uuid::Uuid;

use super::{
    arguments::{
        Configs, Environment, Int, List, Page, PageSize, Partitions, Replication, SortOrder, Text,
        TopicName, first_page, one_partition, one_replica, usual_page_size,
    },
    call::Call,
    definition::{Effect, Tool},
};
use crate::lenses::{
    ApprovalQuery, ApprovalSort, ApprovalStatus, Error, Name, RawObject, TopicRequest,
};

pub(super) fn tools() -> Vec<Tool> {
    vec![
        Tool::new(
            "list_approval_requests",
            "List approval requests",
            "Lists requests for topics and their status. An empty list may also mean that the \
             user lacks governance:ListRequests.",
            Effect::Read,
            list_approval_requests,
        ),
        Tool::new(
            "get_approval_request",
            "Get approval request",
            "Shows one request for a topic: what is asked for, by whom, why, and the decision.",
            Effect::Read,
            get_approval_request,
        ),
        Tool::new(
            "request_topic_creation",
            "Request topic creation",
            "Requests a topic that the user may not create: somebody else approves or rejects \
             it. Ask the user for the reason, and tell the id; each call makes another request.",
            Effect::Create,
            request_topic_creation,
        ),
    ]
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ListRequests {
    environment: Environment,
    /// Only these.
    #[serde(default)]
    statuses: Option<List<ApprovalStatus, 4>>,
    /// Only this topic.
    #[serde(default)]
    entity_name: Option<Name>,
    /// From 1.
    #[serde(default = "first_page")]
    page: Page,
    /// Entries on a page.
    #[serde(default = "usual_page_size")]
    page_size: PageSize,
    /// What to sort by.
    #[serde(default)]
    sort_field: Option<ApprovalSort>,
    /// Direction.
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
    /// UUID, see `list_approval_requests`.
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
    /// Letters, digits, `.`, `_`, `-`.
    topic_name: TopicName,
    /// Why it is needed, for the approver.
    reason: Text<5_000>,
    /// Can only be raised later.
    #[serde(default = "one_partition")]
    partitions: Partitions,
    /// At most the number of brokers.
    #[serde(default = "one_replica")]
    replication: Replication,
    /// Kafka settings, such as cleanup.policy.
    #[serde(default)]
    configs: Option<Configs>,
    /// Tags: `["pii"]`.
    #[serde(default)]
    tags: Option<List<Name, 100>>,
    /// Expected bytes of a record.
    #[serde(default)]
    records_size: Option<Amount>,
    /// Expected bytes a day.
    #[serde(default)]
    data_produced_per_day: Option<Amount>,
    /// Expected number of applications that read it.
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
