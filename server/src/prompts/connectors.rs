//! Kafka Connect.

use super::definition::{Argument, ENVIRONMENT, Kind, Prompt, Step};
use crate::completion::Source;

const CLUSTER: Argument = Argument {
    name: "cluster",
    description: "Name of the Kafka Connect cluster.",
    kind: Kind::Name(Some(Source::ConnectCluster)),
};

pub(super) const PROMPTS: &[Prompt] = &[
    Prompt {
        name: "list_running_kafka_connectors",
        title: "List running Kafka connectors",
        description: "Shows the Kafka connectors of an environment that run, by cluster, and those \
                      that do not.",
        arguments: &[ENVIRONMENT],
        goal: "Tell the user which Kafka connectors run in the environment {environment}.",
        steps: &[Step {
            tools: &["list_kafka_connectors"],
            text: "Call list_kafka_connectors with environment {environment}. A connector runs \
                   when its own state is RUNNING; it works when all of its tasks are RUNNING too. \
                   A connector without tasks moves nothing.",
        }],
        answer: "Answer with a table of the running connectors, by Kafka Connect cluster: name, \
                 class, topics, tasks running of tasks there are. Below it list the others by \
                 state, failed ones first, with the first line of their error.",
    },
    Prompt {
        name: "create_kafka_connector_guide",
        title: "Create a Kafka connector",
        description: "Leads through the creation of a Kafka connector: its settings are gathered, \
                      validated, shown to the user and only then deployed.",
        arguments: &[
            Argument {
                name: "name",
                description: "Name of the new connector.",
                kind: Kind::Name(None),
            },
            CLUSTER,
            Argument {
                name: "connector_class",
                description: "Class of the connector: \
                              \"io.debezium.connector.postgresql.PostgresConnector\".",
                kind: Kind::Name(Some(Source::ConnectorClass)),
            },
            ENVIRONMENT,
        ],
        goal: "Help the user to create the Kafka connector {name} of class {connector_class} on \
               the Kafka Connect cluster {cluster} in the environment {environment}.",
        steps: &[
            Step {
                tools: &["get_deployment_targets"],
                text: "Call get_deployment_targets with environment {environment} and make sure \
                       that there is a Kafka Connect cluster called {cluster}. If not, show those \
                       that there are and ask.",
            },
            Step {
                tools: &["list_kafka_connectors"],
                text: "Call list_kafka_connectors with that cluster. If {name} is taken, stop and \
                       ask for another name. A connector of the same class is a good pattern for \
                       the new one's settings.",
            },
            Step {
                tools: &["validate_connector_configuration"],
                text: "Call validate_connector_configuration with what is known so far: \
                       `connector.class` {connector_class}, `name` {name}, `tasks.max` \"1\". Its \
                       answer names the settings that the class requires and what they may hold.",
            },
            Step {
                tools: &[],
                text: "Ask the user for what is required and not known, all at once: what to \
                       connect to, which topics, which formats. Never ask for a password or key, \
                       nor take one: let the user put it where the cluster's configuration \
                       provider finds it, and refer to it as \"${provider:path:key}\".",
            },
            Step {
                tools: &["validate_connector_configuration"],
                text: "Call validate_connector_configuration with the whole configuration, and \
                       again after each correction, until it finds no error.",
            },
            Step {
                tools: &["create_kafka_connector"],
                text: "Show the user the final configuration and what it will do (which topics it \
                       reads or writes, from where to where). Only when the user agrees, call \
                       create_kafka_connector.",
            },
            Step {
                tools: &["list_kafka_connectors"],
                text: "Then call list_kafka_connectors once more and report the connector's state \
                       and tasks. A task that failed shows its error there.",
            },
        ],
        answer: "At the end give the configuration as JSON in one code block, and what was done \
                 and what was not.",
    },
    Prompt {
        name: "troubleshoot_kafka_connector",
        title: "Troubleshoot a Kafka connector",
        description: "Finds out why a Kafka connector does not work: state, failed tasks, settings \
                      and topics, and what to do next.",
        arguments: &[
            Argument {
                name: "connector_name",
                description: "Name of the connector.",
                kind: Kind::Name(Some(Source::Connector)),
            },
            ENVIRONMENT,
        ],
        goal: "Find out what is wrong with the Kafka connector {connector_name} in the environment \
               {environment}.",
        steps: &[
            Step {
                tools: &["list_kafka_connectors"],
                text: "Call list_kafka_connectors with environment {environment} and find \
                       {connector_name}; note its cluster. If the connector and all of its tasks \
                       are RUNNING, it is fine: say so, and look further only if the user sees a \
                       symptom. PAUSED or STOPPED means that somebody halted it. For FAILED read \
                       the whole trace: the cause is the last \"Caused by\".",
            },
            Step {
                tools: &["get_kafka_connector_target_definition"],
                text: "Call get_kafka_connector_target_definition for its settings, and hold them \
                       against the error: addresses, credentials by reference, converters, topics.",
            },
            Step {
                tools: &["validate_connector_configuration"],
                text: "If the error points to a setting, call validate_connector_configuration \
                       with the settings. Leave out those shown as ********: they are hidden \
                       secrets.",
            },
            Step {
                tools: &["get_topic_metadata"],
                text: "If records can't be read or written, call get_topic_metadata for its topics \
                       and compare the formats of key and value with its converters.",
            },
            Step {
                tools: &["list_consumer_groups_by_topic"],
                text: "For a sink that runs and delivers nothing, call \
                       list_consumer_groups_by_topic for its topics: its group is called \
                       \"connect-\" and the connector's name, and its lag tells whether it moves.",
            },
            Step {
                tools: &["restart_kafka_connector_task"],
                text: "If the cause has passed (a network fault, a target that was away), propose \
                       to restart the failed tasks, and call restart_kafka_connector_task when the \
                       user agrees. A restart does not mend a wrong setting.",
            },
        ],
        answer: "Answer with the cause in one sentence and the evidence for it (state, task, line \
                 of the trace), then what to do, most likely first. If the cause is not certain, \
                 say what would make it so.",
    },
    Prompt {
        name: "validate_kafka_connector_config",
        title: "Validate a Kafka connector's configuration",
        description: "Checks the configuration of a Kafka connector setting by setting and \
                      explains what to correct.",
        arguments: &[
            Argument {
                name: "name",
                description: "Name of the connector.",
                kind: Kind::Name(Some(Source::Connector)),
            },
            CLUSTER,
            ENVIRONMENT,
        ],
        goal: "Check the configuration of the Kafka connector {name} on the Kafka Connect cluster \
               {cluster} in the environment {environment}.",
        steps: &[
            Step {
                tools: &["list_kafka_connectors"],
                text: "If the user gave a configuration, take that. Otherwise call \
                       list_kafka_connectors with environment {environment} and cluster \
                       [{cluster}] and take the settings of {name}; if it is not there, ask for \
                       the configuration.",
            },
            Step {
                tools: &["validate_connector_configuration"],
                text: "Call validate_connector_configuration with environment {environment}, \
                       cluster {cluster}, name {name} and the configuration. Leave out settings \
                       shown as ********: they are hidden secrets, which this check can't cover.",
            },
            Step {
                tools: &[],
                text: "Go through the answer: errors first, then settings that the class does not \
                       know (often a misspelt name), then those that are valid but unlikely: \
                       `tasks.max` above what the source can split, no dead letter queue on a sink \
                       that tolerates errors, secrets in plain text.",
            },
        ],
        answer: "Answer with a table of what to correct: setting, value now, what is wrong, value \
                 to set. Then the corrected configuration as JSON in one code block. If nothing is \
                 wrong, say so in one sentence. Change nothing.",
    },
];
