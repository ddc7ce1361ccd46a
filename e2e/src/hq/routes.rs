//! The routes of an agent: what they answer, from and to the state that [`super::environments`]
//! holds for each environment.

pub(crate) mod approvals;
pub(crate) mod configs;
pub(crate) mod connectors;
pub(crate) mod consumers;
pub(crate) mod datasets;
pub(crate) mod offsets;
pub(crate) mod partitions;
pub(crate) mod streams;
#[cfg(test)]
mod tests;
pub(crate) mod topic_metadata;
pub(crate) mod topics;
