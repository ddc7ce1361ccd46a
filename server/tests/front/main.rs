//! The server's front, whole and without a socket of its own: the real router and MCP endpoint, in
//! front of an introspection endpoint with state of its own on loopback.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that fails says so by panicking")]

mod address_bounds;
mod admin;
mod allowed_clients;
mod api_key;
mod audit;
mod bad_input;
mod bounds;
mod browsers;
mod client;
mod diagnostics;
mod hq;
mod introspection;
mod landing;
mod metadata;
mod protocol;
mod rate_limit;
mod rejections;
mod resources;
mod sign_in;
mod step_up;
mod token_exchange;
mod wire;
