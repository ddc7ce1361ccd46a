//! The test bed: a real Kubernetes, a stand-in Lenses HQ, and clients that sign in as Claude or VS
//! Code would.

#[cfg(feature = "bed")]
pub mod bed;
#[cfg(feature = "bed")]
pub mod client;
#[cfg(all(feature = "bed", target_os = "linux"))]
pub mod cluster;
#[cfg(all(feature = "bed", target_os = "linux"))]
pub mod control_plane;
#[cfg(all(feature = "bed", target_os = "linux"))]
pub mod demo;
pub mod hq;
