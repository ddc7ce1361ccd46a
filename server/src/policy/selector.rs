//! The tools that a setting names.

use std::str::FromStr;

use crate::tools::{self, Tool};

/// The tools that a setting names: one by its name, or all of a group as `group/*`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ToolSelector {
    /// The tool of this name.
    Tool(&'static str),
    /// All tools of this group.
    Group(&'static str),
}

impl ToolSelector {
    pub(super) fn selects(self, tool: &Tool) -> bool {
        match self {
            Self::Tool(name) => tool.name() == name,
            Self::Group(group) => tool.group() == group,
        }
    }
}

/// A text that selects no tool.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no tool is called {given:?}; the nearest is {nearest}")]
pub struct UnknownTool {
    given: String,
    pub(super) nearest: String,
}

impl FromStr for ToolSelector {
    type Err = UnknownTool;

    fn from_str(text: &str) -> Result<Self, UnknownTool> {
        let selectors = tools::registry()
            .iter()
            .map(|tool| (tool.name().to_owned(), Self::Tool(tool.name())))
            .chain(
                tools::registry().groups().map(|group| (format!("{group}/*"), Self::Group(group))),
            );
        let alike = |name: &str| strsim::jaro_winkler(name, text);
        let (nearest, selector) = selectors
            .max_by(|(one, _), (other, _)| alike(one).total_cmp(&alike(other)))
            .ok_or_else(|| UnknownTool { given: text.to_owned(), nearest: String::new() })?;
        if nearest == text {
            Ok(selector)
        } else {
            Err(UnknownTool { given: text.chars().take(64).collect(), nearest })
        }
    }
}
