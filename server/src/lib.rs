//! `lenses-mcp-server`: an MCP server for Lenses HQ and an OAuth 2.1 protected resource.
//!
//! Read in this order: [`settings`] (what can be set), [`start`] (from settings to a running
//! server), [`app`] (a request's path), [`auth`] (sign-in), [`limits`] and [`connections`] (what
//! one caller can take), [`mcp`] (messages), [`tools`], [`prompts`] and [`resources`] (what is
//! called, picked and read), [`lenses`] (how HQ is asked).

pub mod access_log;
pub mod admin;
pub mod app;
pub mod audit;
pub mod auth;
pub mod client_address;
pub mod completion;
pub mod connections;
pub mod diagnostics;
#[cfg(test)]
mod fuzz;
pub mod host_check;
pub mod identity;
mod instruments;
pub mod json;
pub mod json_rpc;
pub mod landing;
pub mod lenses;
pub mod lifecycle;
pub mod limits;
pub mod line_writer;
pub mod logging;
pub mod mcp;
mod media_type;
pub mod metrics;
pub mod policy;
pub mod prompts;
pub mod proxies;
pub mod readiness;
pub mod report;
pub mod request_id;
pub mod resources;
pub mod scope;
pub mod settings;
pub mod start;
pub mod telemetry;
pub mod tls;
pub mod tools;
pub mod traces;
