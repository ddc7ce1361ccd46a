//! The MCP endpoint as a tower service, without a socket in front of it. Behind it stands a
//! listener that plays the replies of Lenses HQ which the real one gives only when something is
//! wrong; what HQ does when all is well is tested against the stand-in HQ, which has state.

#![expect(clippy::unwrap_used, reason = "a test whose setting can't be made has failed")]

mod advice;
mod advice_table;
mod approvals;
mod arguments;
mod audit;
mod bad_input;
mod client;
mod completion;
mod confirmation;
mod connectors;
mod consumer_groups;
mod counts;
mod datasets;
mod deployments;
mod environments;
mod errors;
mod every_argument;
mod exchange;
mod hq;
mod lagging;
mod lenient;
mod places;
mod processors;
mod prompts;
mod protocol;
mod questions;
mod records;
mod resources;
mod results;
mod server;
mod size;
mod sql;
mod stdio;
mod topics;
mod valid;
mod vendors;
