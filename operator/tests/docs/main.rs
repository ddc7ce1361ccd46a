//! The pages say what is: their YAML is accepted, their commands exist, and their tables are those
//! of the code.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails where something is not as it must be"
)]

mod blocks;
mod commands;
mod manifests;
mod names;
mod tables;
