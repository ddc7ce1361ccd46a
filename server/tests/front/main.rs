//! The server's front, whole and without a socket of its own: the real router and MCP endpoint, in front of an
//! introspection endpoint with state of its own on loopback.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that fails says so by panicking")]

mod api_key;
mod bounds;
mod browsers;
mod client;
mod hq;
mod introspection;
mod metadata;
mod sign_in;
