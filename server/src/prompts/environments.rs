//! Which environments there are to work with.

use super::definition::{Prompt, Step};

pub(super) const PROMPTS: &[Prompt] = &[Prompt {
    name: "list_connected_environments",
    title: "List connected environments",
    description: "Shows which Lenses environments can be worked with now, because their agent is \
                  connected, and what is wrong with the others.",
    arguments: &[],
    goal: "Tell the user which Lenses environments are connected.",
    steps: &[
        Step {
            tools: &["list_environments"],
            text: "Call list_environments. An environment is connected when its \
                   `status.agent_connected` is true. Where the result says that it was cut, go on \
                   with its cursor until there is none.",
        },
        Step {
            tools: &["check_environment_health"],
            text: "For each environment that is not connected, and for no other, call \
                   check_environment_health to learn why.",
        },
    ],
    answer: "Answer with a table of the connected environments: name, display name, tier, and the \
             number of topics and consumer groups where known. Below it, name each environment \
             that is not connected with what is wrong with it. If none is connected, say that \
             first: no other tool will work until an agent is.",
}];
