//! What the routes of an agent answer, and what later reads show of it.

mod changes;
mod state;
