//! The names of the server's tools, for `spec.tools`.
//!
//! The list is a file that `make generate` makes from the server, since this crate and the operator
//! do not know the server; a test of the operator holds it against the server's own.

/// One name a line, groups last.
const SELECTORS: &str = include_str!("../tools.txt");

/// Everything that selects tools: each tool's name, and `group/*` of each group.
pub fn selectors() -> impl Iterator<Item = &'static str> {
    SELECTORS.lines().filter(|line| !line.is_empty())
}
