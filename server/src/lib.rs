//! `lenses-mcp-server`: an MCP server for Lenses HQ and an OAuth 2.1 protected resource.

pub mod identity;
pub mod metrics;
pub mod scope;
