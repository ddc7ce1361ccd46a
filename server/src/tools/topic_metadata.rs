//! What Lenses knows of topics beyond Kafka.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    arguments::{Document, Environment, TopicName},
    call::Call,
    definition::{Effect, Tool},
    page::{Cursor, Limit, Page, Paging},
};
use crate::lenses::{Error, Name, Object, RawObject};

pub(super) fn tools() -> Vec<Tool> {
    vec![
        Tool::new(
            "list_topic_metadata",
            "List topic metadata",
            "Lists formats, schemas, descriptions and tags of all topics. For one topic use \
             get_topic_metadata; to search use list_datasets.",
            Effect::Read,
            list_topic_metadata,
        ),
        Tool::new(
            "get_topic_metadata",
            "Get topic metadata",
            "Shows formats, schemas, description and tags of one topic. Read it before you \
             query the topic.",
            Effect::Read,
            get_topic_metadata,
        ),
        Tool::new(
            "update_topic_metadata",
            "Update topic metadata",
            "Sets formats, schemas, description and tags of a topic, which decide how Lenses \
             reads its records. Fields that are left out may be lost: send all that \
             get_topic_metadata shows. Ask the user first.",
            Effect::Update,
            update_topic_metadata,
        ),
    ]
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ListTopicMetadata {
    environment: Environment,
    /// Default: as many as fit.
    #[serde(default)]
    limit: Option<Limit>,
    /// `cut.cursor` of the last result.
    #[serde(default)]
    cursor: Option<Cursor>,
}

async fn list_topic_metadata(call: Call, arguments: ListTopicMetadata) -> Result<Page, Error> {
    let ListTopicMetadata { environment, limit, cursor } = arguments;
    let topics = call.lenses.topics_metadata(&environment).await?;
    Ok(Page::of(&topics, "topicName", Paging { limit, cursor }, call.limits))
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct GetTopicMetadata {
    environment: Environment,
    /// See `list_topics`.
    topic_name: TopicName,
}

async fn get_topic_metadata(call: Call, arguments: GetTopicMetadata) -> Result<RawObject, Error> {
    let GetTopicMetadata { environment, topic_name } = arguments;
    call.lenses.topic_metadata(&environment, &topic_name).await
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct UpdateTopicMetadata {
    environment: Environment,
    /// Also keySchema, keySchemaVersion, keySchemaInlined, the same for the value, description,
    /// tags as [{"name": "pii"}], additionalInfo.
    metadata: Metadata,
}

async fn update_topic_metadata(
    call: Call,
    arguments: UpdateTopicMetadata,
) -> Result<String, Error> {
    let UpdateTopicMetadata { environment, metadata: Metadata { topic_name, object } } = arguments;
    let reply = call.lenses.update_topic_metadata(&environment, &object).await?;
    Ok(reply.unwrap_or_else(|| {
        format!(
            "The metadata of topic `{topic_name}` in environment `{}` was updated.",
            *environment
        )
    }))
}

/// A topic's metadata: a document that says which topic it is of and what its formats are.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(try_from = "Document")]
struct Metadata {
    topic_name: Name,
    object: Object,
}

/// The fields without which Lenses does not know what to do.
const REQUIRED: [&str; 3] = ["topicName", "keyType", "valueType"];

impl TryFrom<Document> for Metadata {
    type Error = String;

    fn try_from(document: Document) -> Result<Self, String> {
        let object = document.into_object();
        let name_in = |field: &str| match object.get(field) {
            None => Err(format!("has no `{field}`; {} are required", REQUIRED.join(", "))),
            Some(Value::String(text)) => {
                text.parse::<Name>().map_err(|fault| format!("`{field}` {fault}"))
            }
            Some(_) => Err(format!("`{field}` is not a text")),
        };
        let [topic_name, key_type, value_type] = REQUIRED.map(name_in);
        let (topic_name, _, _) = (topic_name?, key_type?, value_type?);
        let topic_name = TopicName::try_from(String::from(topic_name))
            .map_err(|fault| format!("`topicName` {fault}"))?
            .into_name();
        Ok(Self { topic_name, object })
    }
}

impl JsonSchema for Metadata {
    fn schema_name() -> Cow<'static, str> {
        "Metadata".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let (name, topic) = (Name::json_schema(generator), TopicName::json_schema(generator));
        let mut schema = Document::json_schema(generator);
        let required = json_schema!({
            "properties": { "topicName": topic, "keyType": name, "valueType": name },
            "required": REQUIRED,
        });
        if let (Some(schema), Value::Object(required)) =
            (schema.as_object_mut(), required.to_value())
        {
            schema.extend(required);
        }
        schema
    }
}
