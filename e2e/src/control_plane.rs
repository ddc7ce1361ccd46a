//! A control plane without a node, and what stands in for one: real objects, real controllers, pods
//! that are said to be ready, and one real server that all resources may be published at.
//!
//! For runs that need many resources or that end the control plane's own processes.

#![expect(clippy::unwrap_used, reason = "what fails here ends the run")]
#![expect(clippy::missing_panics_doc, reason = "what fails here ends the run")]

mod api_server;
mod kubelet;
mod mcp_server;
pub mod process;

pub use api_server::ApiServer;
pub use kubelet::make_pods_ready;
pub use mcp_server::McpServer;
