//! The cluster that a test runs in.

use super::Trouble;
use crate::cluster::{Cluster, ClusterName};

/// The cluster that this test runs in.
///
/// # Errors
/// When `E2E_CLUSTER` does not name one.
pub fn cluster() -> Result<Cluster, Trouble> {
    let name: ClusterName = std::env::var("E2E_CLUSTER")?.parse()?;
    Ok(Cluster::find(&name)?)
}
