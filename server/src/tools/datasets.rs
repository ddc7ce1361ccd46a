//! The catalogue of datasets: topics, and tables and indices of other connections.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    arguments::{
        Environment, Flag, List, Page, PageSize, SortOrder, Text, TopicName, first_page,
        usual_page_size,
    },
    call::Call,
    definition::{Effect, Tool},
};
use crate::lenses::{DatasetQuery, Error, Name, RawList, RawObject};

pub(super) fn tools() -> Vec<Tool> {
    vec![
        Tool::new(
            "list_datasets",
            "List datasets",
            "Searches the catalogue of datasets (topics, and tables of other connections) by \
             name, field, tag, connection or format. Use it to find where data is.",
            Effect::Read,
            list_datasets,
        ),
        Tool::new(
            "get_dataset",
            "Get dataset",
            "Shows one dataset: fields with types, schema, data policies, permissions, \
             description and tags. Read it before you write a query.",
            Effect::Read,
            get_dataset,
        ),
        Tool::new(
            "get_dataset_message_metrics",
            "Get dataset message metrics",
            "Shows how many messages a topic got over time: whether it is alive, and when its \
             load changed.",
            Effect::Read,
            get_dataset_message_metrics,
        ),
        Tool::new(
            "update_dataset_topic_description",
            "Update dataset topic description",
            "Sets the description of a topic in the catalogue; the old one is lost. Without \
             `description` it is removed.",
            Effect::Update,
            update_dataset_topic_description,
        ),
        Tool::new(
            "update_dataset_topic_tags",
            "Update dataset topic tags",
            "Sets all tags of a topic in the catalogue. Tags that are not named are removed: \
             read the present ones with get_dataset and send all.",
            Effect::Update,
            update_dataset_topic_tags,
        ),
    ]
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ListDatasets {
    environment: Environment,
    /// From 1.
    #[serde(default = "first_page")]
    page: Page,
    /// Entries on a page.
    #[serde(default = "usual_page_size")]
    page_size: PageSize,
    /// Text in the name, or in names of fields.
    #[serde(default)]
    search: Option<Text<255>>,
    /// Only these connections: `["kafka"]`.
    #[serde(default)]
    connections: Option<List<Name, 100>>,
    /// Only these tags: `["pii"]`.
    #[serde(default)]
    tags: Option<List<Name, 100>>,
    /// Field to sort by: name.
    #[serde(default)]
    sort_field: Option<Name>,
    /// Needs `sort_field`.
    #[serde(default)]
    sort_order: SortOrder,
    /// Give system datasets too.
    #[serde(default = "no")]
    include_system: Flag,
    /// Search names of fields too.
    #[serde(default = "yes")]
    search_fields: Flag,
    /// Only schemas of this format: AVRO.
    #[serde(default)]
    schema_format: Option<Name>,
    /// Only with records (true) or without.
    #[serde(default)]
    has_records: Option<Flag>,
    /// Only compacted topics (true) or others.
    #[serde(default)]
    is_compacted: Option<Flag>,
}

fn no() -> Flag {
    Flag(false)
}

fn yes() -> Flag {
    Flag(true)
}

async fn list_datasets(call: Call, arguments: ListDatasets) -> Result<RawObject, Error> {
    let order = arguments.sort_order.as_str();
    let query = DatasetQuery {
        page: arguments.page.get(),
        page_size: arguments.page_size.get(),
        search: arguments.search.map(|text| text.as_str().to_owned()),
        search_fields: arguments.search_fields.0,
        connections: arguments.connections.map(List::into_vec).unwrap_or_default(),
        tags: arguments.tags.map(List::into_vec).unwrap_or_default(),
        sort: arguments.sort_field.map(|field| (field, order)),
        include_system: arguments.include_system.0,
        schema_format: arguments.schema_format,
        has_records: arguments.has_records.map(|flag| flag.0),
        is_compacted: arguments.is_compacted.map(|flag| flag.0),
    };
    call.lenses.datasets(&arguments.environment, &query).await
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct GetDataset {
    environment: Environment,
    /// See `list_datasets`; Kafka's is kafka.
    connection: Name,
    /// See `list_datasets`; for Kafka the topic.
    dataset: Name,
}

async fn get_dataset(
    call: Call,
    GetDataset { environment, connection, dataset }: GetDataset,
) -> Result<RawObject, Error> {
    call.lenses.dataset(&environment, &connection, &dataset).await
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct GetDatasetMessageMetrics {
    environment: Environment,
    /// See `list_topics`.
    entity_name: TopicName,
}

async fn get_dataset_message_metrics(
    call: Call,
    arguments: GetDatasetMessageMetrics,
) -> Result<RawList, Error> {
    let GetDatasetMessageMetrics { environment, entity_name } = arguments;
    call.lenses.dataset_message_metrics(&environment, &entity_name).await
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct UpdateDatasetTopicDescription {
    environment: Environment,
    /// See `list_topics`.
    topic_name: TopicName,
    /// New text. Default: none.
    #[serde(default)]
    description: Option<Text<10_000, 0>>,
}

async fn update_dataset_topic_description(
    call: Call,
    arguments: UpdateDatasetTopicDescription,
) -> Result<RawObject, Error> {
    let UpdateDatasetTopicDescription { environment, topic_name, description } = arguments;
    let description = description.as_ref().map(Text::as_str).filter(|text| !text.trim().is_empty());
    call.lenses.update_dataset_description(&environment, &topic_name, description).await
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct UpdateDatasetTopicTags {
    environment: Environment,
    /// See `list_topics`.
    topic_name: TopicName,
    /// All tags: `["pii", "eu"]`. An empty list removes all.
    tags: List<Name, 100, 0>,
}

async fn update_dataset_topic_tags(
    call: Call,
    arguments: UpdateDatasetTopicTags,
) -> Result<RawObject, Error> {
    let UpdateDatasetTopicTags { environment, topic_name, tags } = arguments;
    call.lenses.update_dataset_tags(&environment, &topic_name, &tags.into_vec()).await
}
