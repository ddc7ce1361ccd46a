//! Consumer groups.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    arguments::Environment,
    definition::{Call, Effect, Tool},
};
use crate::lenses::{Error, Name, Object};

pub(super) fn tools() -> Vec<Tool> {
    vec![
        Tool::new(
            "list_consumer_groups",
            "List consumer groups",
            "Lists the consumer groups of an environment that the user may see, with state, members, and lag by topic \
             and partition.",
            Effect::Reads,
            list_consumer_groups,
        ),
        Tool::new(
            "delete_consumer_group",
            "Delete consumer group",
            "Deletes a consumer group and all its committed offsets, for good: applications that use it start again \
             from their reset policy. Kafka refuses while the group has active members. Ask the user before calling.",
            Effect::Deletes,
            delete_consumer_group,
        ),
    ]
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ListConsumerGroups {
    environment: Environment,
}

async fn list_consumer_groups(
    call: Call,
    ListConsumerGroups { environment }: ListConsumerGroups,
) -> Result<Vec<Object>, Error> {
    call.lenses.consumer_groups(&environment).await
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
) -> Result<Object, Error> {
    call.lenses.delete_consumer_group(&environment, &group_id).await
}
