//! One caller can't hurt the others: attacks on the real server in a 64 MiB control group, while a
//! good caller calls on.
//!
//! ```text
//! bodies      what is cheap to send and expensive to keep       memory
//! replies     long lists of HQ for many callers at once         memory
//! stalled     bodies that never come, answers that nobody reads places
//! log         texts that would fill the log                     log lines
//! rate        every method counts                               calls
//! ```

#![cfg(target_os = "linux")]
#![expect(clippy::panic, reason = "a test that fails says so by panicking")]
#![expect(clippy::unwrap_used, reason = "a test that fails says so by panicking")]

mod bodies;
mod client;
mod confinement;
mod hq;
mod log;
mod process;
mod rate;
mod replies;
mod stalled;
mod watch;
