//! The prompts: ready-made ways through the tools that a person picks in the client.
//!
//! A prompt is data: arguments, and steps that each name the tools which they use. A step whose
//! tools this server or the caller's token does not allow is left out, and the text says so; a
//! prompt of which nothing would be left is not listed. What a person writes into an argument is
//! quoted wherever it stands, so that it is read as a value and not as a line of the prompt.
//!
//! Names and arguments are a contract, as those of the tools.

mod connectors;
mod consumer_groups;
mod definition;
mod environments;
mod processors;
mod sql;

use std::sync::LazyLock;

pub use self::definition::{Argument, Prompt, PromptError};

/// All prompts, always in the same order.
#[must_use]
pub fn all() -> &'static [&'static Prompt] {
    static ALL: LazyLock<Vec<&'static Prompt>> = LazyLock::new(|| {
        [
            environments::PROMPTS,
            sql::PROMPTS,
            consumer_groups::PROMPTS,
            connectors::PROMPTS,
            processors::PROMPTS,
        ]
        .into_iter()
        .flatten()
        .collect()
    });
    &ALL
}

/// The prompt called `name`.
#[must_use]
pub fn find(name: &str) -> Option<&'static Prompt> {
    all().iter().copied().find(|prompt| prompt.name() == name)
}

#[cfg(test)]
mod tests;
