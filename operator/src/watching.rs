//! The cached view of the cluster: what is watched, kept and asked for, and which resources a
//! change concerns.

mod cache;
pub(crate) mod caches;
mod change;
mod compression;
pub(crate) mod coverage;
pub(crate) mod deployment;
pub(crate) mod events;
mod merge;
pub(crate) mod optional;
pub(crate) mod pods;
mod prune;
pub(crate) mod references;
pub(crate) mod resync;
#[cfg(test)]
mod scripted;
pub(crate) mod servers;
mod watch;
pub(crate) mod watches;

pub(crate) use cache::Cache;
pub(crate) use caches::{Caches, Writers};
