//! `lenses-mcp-operator`: turns each `LensesMcpServer` into a running MCP server for Lenses.
//!
//! The reconcile of one resource is seven steps, each a module of `controller`: *dereference*
//! (everything that is read), *validate* (the spec and what was read become a server that can be
//! made, or reasons why not), *build* (the objects, pure), *apply* (everything that is written),
//! *verify* (what is known of HQ and of the endpoint), *status* (pure), *write status*. Read
//! `controller.rs` first; it is the table of contents.
//!
//! Below it, from the ground up:
//! - `names` and `apis`: labels, annotations, and the kinds of objects that are managed.
//! - `watching`: the cached view of the cluster. Everything that a reconcile reads comes from it.
//! - `upgrades`: which servers are given a new default image now.
//! - [`probe`]: whether a server can be used, found out beside the reconciles, over and over.
//! - `context`: all of these together, as a reconcile is given them.
//!
//! Around it: [`settings`] (flags, checked at start), [`run`] (what runs, in which order it starts
//! and stops, and what wakes a reconcile), [`lease`] (one operator works at a time), [`admin`] and
//! [`metrics`] (what is seen from outside). Beside it: [`commands`], for people and pipelines, and
//! [`cli`], which runs what the command line asks for.

pub mod admin;
mod api_error;
mod api_server;
mod apis;
mod back_off;
mod by_server;
pub mod cli;
pub mod commands;
mod context;
mod controller;
pub mod lease;
pub mod metrics;
mod names;
pub mod probe;
mod quantity;
mod queue;
mod rewritten;
pub mod run;
pub mod settings;
mod statuses;
mod upgrades;
mod watching;

/// Who writes: the field manager of every server-side apply, and the value of
/// `app.kubernetes.io/managed-by`.
pub const MANAGER: &str = "lenses-mcp-operator";
