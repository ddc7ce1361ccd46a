//! Isolation between callers: what one user, and all of them together, can take of this server.
//!
//! ```text
//! sign-in ─▶ user ─▶ requests at a time, per user ─▶ body within bytes and time ─▶ slot, in total
//!         ─▶ message ─▶ calls per minute, per user ─▶ tool ─▶ HQ's replies within bytes
//! ```
//!
//! A bound is taken before memory is allocated for what it bounds.

mod body;
mod bytes;
mod held;
mod memory;
mod metrics;
mod slots;
mod users;

pub use self::{
    body::{Bodies, Read, discard},
    bytes::{ByteBudget, Full, Reservation},
    held::Held,
    memory::memory_limit,
    metrics::{Bound, LimitMetrics},
    slots::{Deadline, Refused, Slot, Slots, hold},
    users::{Budget, Limited, PerUser, Reserved, USER_SHARE, User, Users},
};
