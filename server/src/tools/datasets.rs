//! The catalogue of datasets: topics, and tables and indices of other connections.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    arguments::{
        Environment, Flag, List, Page, PageSize, SortOrder, Text, TopicName, first_page,
        usual_page_size,
    },
    definition::{Call, Effect, Tool},
};
use crate::lenses::{DatasetQuery, Error, Name, RawList, RawObject};

pub(super) fn tools() -> Vec<Tool> {
    vec![
        Tool::new(
            "list_datasets",
            "List datasets",
            "Searches the catalogue of datasets (topics, and tables of other connections) that the user may see, by name, \
             field, tag, connection or format, a page at a time. Use it to find where some data is; for all topics of \
             Kafka alone use list_topics.",
            Effect::Read,
            list_datasets,
        ),
        Tool::new(
            "get_dataset",
            "Get dataset",
            "Shows one dataset whole: fields with their types, schema, data policies, permissions, description and tags. \
             Look here before writing a query.",
            Effect::Read,
            get_dataset,
        ),
        Tool::new(
            "get_dataset_message_metrics",
            "Get dataset message metrics",
            "Shows how many messages a Kafka topic got over time. Use it to see whether a topic is alive and when its load \
             changed.",
            Effect::Read,
            get_dataset_message_metrics,
        ),
        Tool::new(
            "update_dataset_topic_description",
            "Update dataset topic description",
            "Sets the description of a Kafka topic in the catalogue; the old one is lost. Without `description`, or with \
             an empty one, it is removed.",
            Effect::Update,
            update_dataset_topic_description,
        ),
        Tool::new(
            "update_dataset_topic_tags",
            "Update dataset topic tags",
            "Sets all tags of a Kafka topic in the catalogue. Tags that are not named are removed: to add one, read the \
             present ones with get_dataset first and send all.",
            Effect::Update,
            update_dataset_topic_tags,
        ),
    ]
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ListDatasets {
    environment: Environment,
    /// Which page, from 1. The result says how many there are.
    #[serde(default = "first_page")]
    page: Page,
    /// Datasets in a page.
    #[serde(default = "usual_page_size")]
    page_size: PageSize,
    /// A text in the dataset's name, or in its fields' names.
    #[serde(default)]
    search: Option<Text<255>>,
    /// Only datasets of these connections: `["kafka"]`.
    #[serde(default)]
    connections: Option<List<Name, 100>>,
    /// Only datasets with these tags: `["pii"]`.
    #[serde(default)]
    tags: Option<List<Name, 100>>,
    /// Field of the result to sort by: "name".
    #[serde(default)]
    sort_field: Option<Name>,
    /// Which way to sort; says something only with `sort_field`.
    #[serde(default)]
    sort_order: SortOrder,
    /// Whether system datasets, such as Kafka's internal topics, are given too.
    #[serde(default = "no")]
    include_system: Flag,
    /// Whether `search` looks at fields too.
    #[serde(default = "yes")]
    search_fields: Flag,
    /// Only datasets whose schema is of this format: "AVRO".
    #[serde(default)]
    schema_format: Option<Name>,
    /// true: only datasets with records; false: only those without.
    #[serde(default)]
    has_records: Option<Flag>,
    /// true: only compacted topics; false: only those that are not.
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
    /// Connection of the dataset, as `list_datasets` shows it. Kafka's is "kafka".
    connection: Name,
    /// Name of the dataset, as `list_datasets` shows it. For Kafka it is the topic's.
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
    /// Name of the topic, as `list_topics` shows it.
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
    /// Name of the topic, as `list_topics` shows it.
    topic_name: TopicName,
    /// The new description. Left out, null or empty: none.
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
    /// Name of the topic, as `list_topics` shows it.
    topic_name: TopicName,
    /// All tags that it shall have: `["pii", "payments"]`. An empty list removes all.
    tags: List<Name, 100, 0>,
}

async fn update_dataset_topic_tags(
    call: Call,
    arguments: UpdateDatasetTopicTags,
) -> Result<RawObject, Error> {
    let UpdateDatasetTopicTags { environment, topic_name, tags } = arguments;
    call.lenses.update_dataset_tags(&environment, &topic_name, &tags.into_vec()).await
}
