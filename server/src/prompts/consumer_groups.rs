//! Who reads a topic.

use super::definition::{Argument, ENVIRONMENT, Kind, Prompt, Step};
use crate::completion::Source;

pub(super) const PROMPTS: &[Prompt] = &[Prompt {
    name: "list_consumer_groups_for_topic",
    title: "List consumer groups for a topic",
    description: "Shows which consumer groups read a topic, how far behind they are, and which of \
                  them need attention.",
    arguments: &[
        Argument {
            name: "topic",
            description: "Name of the topic.",
            kind: Kind::Name(Some(Source::Topic)),
        },
        ENVIRONMENT,
    ],
    goal: "Tell the user which consumer groups read the topic {topic} in the environment \
           {environment}, and how they do.",
    steps: &[
        Step {
            tools: &["list_consumer_groups_by_topic"],
            text: "Call list_consumer_groups_by_topic with environment {environment} and topic \
                   {topic}.",
        },
        Step {
            tools: &["list_topics"],
            text: "If the answer is empty or the topic is not found, call list_topics to see \
                   whether the topic is there under another spelling. A topic without groups is an \
                   answer too.",
        },
        Step {
            tools: &["get_topic_partitions"],
            text: "If some group lags, call get_topic_partitions for the topic, to tell a lag that \
                   is large for this topic from one that is not, and to see whether it sits in one \
                   partition.",
        },
    ],
    answer: "Answer with a table: group, state, members, lag over all partitions, partition with \
             the largest lag. Put first what needs attention: a lag without members means that \
             nobody reads; members without progress, or one partition far behind the others, means \
             that a consumer is stuck or its keys are skewed. Change nothing.",
}];
