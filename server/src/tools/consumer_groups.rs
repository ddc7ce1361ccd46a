//! Consumer groups.
//!
//! The two tools that move offsets ask the user first, though they delete nothing: from where a group read is not got back. With
//! `dry_run` they tell what would move, from what the agent shows, and ask nobody. A dry run needs the scope of the change all
//! the same: scopes are decided by the tool, so that no spelling of an argument can widen what a token is good for.

mod dry_run;
mod lag;
mod lagging;
mod offsets;
mod positions;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    arguments::{Environment, TopicName},
    definition::{Call, Effect, Tool},
    page::{Cursor, Limit, Page, Paging},
};
use crate::lenses::{Error, Name, RawObject};

pub(super) fn tools() -> Vec<Tool> {
    let mut tools = vec![
        Tool::new(
            "list_consumer_groups",
            "List consumer groups",
            "Lists the consumer groups of an environment that the user may see, with state, members, and lag by topic \
             and partition. For the groups of one topic, list_consumer_groups_by_topic answers with less; for the lag of \
             one group use get_consumer_group_lag.",
            Effect::Read,
            list_consumer_groups,
        ),
        Tool::new(
            "list_consumer_groups_by_topic",
            "List consumer groups by topic",
            "Lists the consumer groups that read one Kafka topic, with state, members, and lag by partition. Use it to see \
             who is affected by a change of the topic.",
            Effect::Read,
            list_consumer_groups_by_topic,
        ),
        Tool::new(
            "get_consumer_group_lag",
            "Get consumer group lag",
            "Tells how far one consumer group is behind: in total, by topic and by partition, with the committed offset and \
             the end of each partition. Partitions for which the group committed nothing are shown without a lag and are not \
             in the sums. What Lenses does not tell is null, and notes say so.",
            Effect::Read,
            lag::get_consumer_group_lag,
        ),
        Tool::new(
            "find_lagging_consumer_groups",
            "Find lagging consumer groups",
            "Finds the consumer groups that are furthest behind, in all environments with one call. \
             `about` says when Lenses looked. For one group by partition: get_consumer_group_lag.",
            Effect::Read,
            lagging::find_lagging_consumer_groups,
        ),
    ];
    tools.extend(offsets::tools());
    tools.push(Tool::new(
        "delete_consumer_group",
        "Delete consumer group",
        "Deletes a consumer group and all its committed offsets, for good: applications that use it start again \
         from their reset policy. Kafka refuses while the group has active members. Ask the user before calling.",
        Effect::Delete,
        delete_consumer_group,
    ));
    tools
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ListConsumerGroups {
    environment: Environment,
    /// Most groups to give. Default: as many as fit.
    #[serde(default)]
    limit: Option<Limit>,
    /// Where to go on: `cut.cursor` of the last result.
    #[serde(default)]
    cursor: Option<Cursor>,
}

async fn list_consumer_groups(call: Call, arguments: ListConsumerGroups) -> Result<Page, Error> {
    let ListConsumerGroups { environment, limit, cursor } = arguments;
    let groups = call.lenses.consumer_groups(&environment).await?;
    Ok(Page::of(&groups, "id", Paging { limit, cursor }, call.limits))
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ListByTopic {
    environment: Environment,
    /// Name of the topic, as `list_topics` shows it.
    topic: TopicName,
    /// Most groups to give. Default: as many as fit.
    #[serde(default)]
    limit: Option<Limit>,
    /// Where to go on: `cut.cursor` of the last result.
    #[serde(default)]
    cursor: Option<Cursor>,
}

async fn list_consumer_groups_by_topic(call: Call, arguments: ListByTopic) -> Result<Page, Error> {
    let ListByTopic { environment, topic, limit, cursor } = arguments;
    let groups = call.lenses.consumer_groups_of(&environment, &topic).await?;
    Ok(Page::of(&groups, "id", Paging { limit, cursor }, call.limits))
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct DeleteConsumerGroup {
    environment: Environment,
    /// Id of the group, as `list_consumer_groups` shows it.
    group_id: Name,
}

async fn delete_consumer_group(
    call: Call,
    DeleteConsumerGroup { environment, group_id }: DeleteConsumerGroup,
) -> Result<RawObject, Error> {
    call.lenses.delete_consumer_group(&environment, &group_id).await
}
