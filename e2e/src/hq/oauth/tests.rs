//! The authorization server as a client meets it.

mod exchange;
mod flow;
