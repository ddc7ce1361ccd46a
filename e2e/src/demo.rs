//! The demos: what a platform team and then a person with an AI client would do, one step after the
//! other, each with its time.

mod calls;
mod connect;
#[cfg(all(feature = "bed", target_os = "linux"))]
pub mod kubernetes;
#[cfg(feature = "local")]
pub mod local;
mod steps;

/// Why a demo ends early.
pub type Error = Box<dyn std::error::Error + Send + Sync>;
