//! Queries.

use super::definition::{Argument, Kind, Prompt, Step};

pub(super) const PROMPTS: &[Prompt] = &[Prompt {
    name: "write_sql_query",
    title: "Write a SQL query",
    description: "Finds the topics and fields that a question is about, writes a Lenses SQL query \
                  for it and tries the query out on a few records.",
    arguments: &[Argument {
        name: "task",
        description: "What the query should find out, in plain words: \"the ten largest orders of \
                      today\".",
        kind: Kind::Text(10_000),
    }],
    goal: "Write a Lenses SQL query for this task of the user's: {task}.",
    steps: &[
        Step {
            tools: &["list_environments"],
            text: "Call list_environments. If the task does not say which environment it is about \
                   and more than one is connected, ask the user; do not guess between production \
                   and others.",
        },
        Step {
            tools: &["list_datasets"],
            text: "Find the topics: call list_datasets with `connections` [\"kafka\"] and `search` \
                   set to a word of the task. It searches field names too. Try another word before \
                   you conclude that there is no such topic.",
        },
        Step {
            tools: &["get_dataset"],
            text: "For each topic that the query will read, call get_dataset with connection \
                   \"kafka\". Take field names and types from it, nested ones included, exactly as \
                   written there. Never invent a field.",
        },
        Step {
            tools: &[],
            text: "Write the query. Put topic names that hold a hyphen or a dot in backticks. \
                   Fields of the record's value stand as they are, those of the key behind \
                   `_key.`, and `_meta.timestamp`, `_meta.partition` and `_meta.offset` tell where \
                   a record is. Filter in WHERE as early as possible, by time or partition where \
                   the task allows it, because a query reads the topic's records one by one. Name \
                   the columns that are needed rather than `*`. For two topics, JOIN on the fields \
                   that hold the same id in both, and say which those are. One clause a line, \
                   columns indented. End with a LIMIT.",
        },
        Step {
            tools: &["execute_sql"],
            text: "Try it: call execute_sql with LIMIT 10. If it fails, correct it as the message \
                   says. If it returns nothing, check the names and loosen the WHERE before you \
                   call the answer \"none\". Only SELECT: a statement that writes or deletes is \
                   shown to the user and not run.",
        },
    ],
    answer: "Answer with the query in one code block, then a sentence on what it reads and how, \
             then what the trial run showed. Say it if the result was cut, or if you assumed \
             something that the task leaves open.",
}];
