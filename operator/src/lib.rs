//! `lenses-mcp-operator`: turns each `LensesMcpServer` into a running MCP server for Lenses.
//!
//! A pass over one resource is five steps, each a module of [`controller`]: *dereference* (everything that is read), *validate*
//! (the spec and what was read become a server that can be made, or reasons why not), *build* (the objects, pure), *apply*
//! (everything that is written), *status* (pure, then one patch). Read [`controller`] first; it is the table of contents.
//!
//! Whether what was made can be used is found out beside the passes, over and over: [`verify`].
//!
//! Around it: [`settings`] (flags, checked at start), [`run`] (what runs, in which order it starts and stops), [`lease`] (one
//! operator works at a time), [`admin`] and [`metrics`] (what is seen from outside). Beside it: [`commands`], for people and
//! pipelines.

pub mod admin;
mod api_server;
pub mod commands;
pub mod controller;
pub mod lease;
pub mod metrics;
pub mod run;
pub mod settings;
pub mod verify;

/// Who writes: the field manager of every server-side apply, and the value of `app.kubernetes.io/managed-by`.
pub const MANAGER: &str = "lenses-mcp-operator";
