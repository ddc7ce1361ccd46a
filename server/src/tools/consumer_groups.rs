//! Consumer groups.
//!
//! The two tools that move offsets ask the user first, though they delete nothing: from where a
//! group read is not got back. With `dry_run` they tell what would move, from what the agent shows,
//! and ask nobody. A dry run needs the scope of the change all the same: scopes are decided by the
//! tool, so that no spelling of an argument can widen what a token is good for.

mod dry_run;
mod lag;
mod lagging;
mod offsets;
mod positions;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    arguments::{Environment, TopicName},
    call::Call,
    definition::{Effect, Tool},
    page::{Cursor, Limit, Page, Paging},
};
use crate::lenses::{Error, Name, RawObject};

pub(super) fn tools() -> Vec<Tool> {
    let mut tools = vec![
        Tool::new(
            "list_consumer_groups",
            "List consumer groups",
            "Lists the consumer groups of an environment with state, members, and lag by \
             partition. For one topic use list_consumer_groups_by_topic; for the most behind \
             use find_lagging_consumer_groups.",
            Effect::Read,
            list_consumer_groups,
        ),
        Tool::new(
            "list_consumer_groups_by_topic",
            "List consumer groups by topic",
            "Lists the consumer groups that read one topic, with state, members, and lag by \
             partition: who is affected by a change of the topic.",
            Effect::Read,
            list_consumer_groups_by_topic,
        ),
        Tool::new(
            "get_consumer_group_lag",
            "Get consumer group lag",
            "Tells how far one consumer group is behind, in total, by topic and by partition, \
             with committed and end offsets. What Lenses does not tell is null and not in the \
             sums; notes say so.",
            Effect::Read,
            lag::get_consumer_group_lag,
        ),
        Tool::new(
            lagging::TOOL,
            "Find lagging consumer groups",
            "Finds the consumer groups that are furthest behind, in all environments with one \
             call. For one group by partition use get_consumer_group_lag.",
            Effect::Read,
            lagging::find_lagging_consumer_groups,
        ),
    ];
    tools.extend(offsets::tools());
    tools.push(Tool::new(
        "delete_consumer_group",
        "Delete consumer group",
        "Deletes a consumer group with all its offsets, for good: its applications start again \
         from their reset policy. Kafka refuses while it has active members. Ask the user \
         first.",
        Effect::Delete,
        delete_consumer_group,
    ));
    tools
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ListConsumerGroups {
    environment: Environment,
    /// Default: as many as fit.
    #[serde(default)]
    limit: Option<Limit>,
    /// `cut.cursor` of the last result.
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
    /// See `list_topics`.
    topic: TopicName,
    /// Default: as many as fit.
    #[serde(default)]
    limit: Option<Limit>,
    /// `cut.cursor` of the last result.
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
    /// See `list_consumer_groups`.
    group_id: Name,
}

async fn delete_consumer_group(
    call: Call,
    DeleteConsumerGroup { environment, group_id }: DeleteConsumerGroup,
) -> Result<RawObject, Error> {
    call.lenses.delete_consumer_group(&environment, &group_id).await
}
