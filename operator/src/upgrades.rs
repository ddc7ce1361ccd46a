//! Another rendering reaches the servers a few at a time: another operator, or another default,
//! such as the image.
//!
//! A rendering is all that the pods get: image, settings and pod template. A server keeps the one
//! that it has, whole, until it is its turn ([`turn()`], pure). Its turn ends when it serves and
//! verifies as it did before. One that does not keeps its place, so that a bad version stops by
//! itself, and goes on by itself when the server is well. One that cannot move has no place.
//!
//! Whose turn it is follows from what is observed, in the order of namespace and name ([`queue`]).
//! What must outlast the process is in annotations of the Deployment. Nothing is asked on a timer:
//! a place that gets free wakes who is next.

mod queue;
mod turn;

pub(crate) use queue::{Claim, UpgradeQueue};
pub(crate) use turn::{Phase, Turn, Wanted, has_new_spec, phase, turn};
