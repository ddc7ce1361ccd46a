//! An operator that has nothing to do.

use std::time::Duration;

use lenses_mcp_e2e::cluster::Cluster;
use tokio::time::sleep;

use crate::{audit, figure::Figure, operator::Operator};

/// How long the operator is watched at rest.
const REST: Duration = Duration::from_mins(1);

/// Requests while nothing happens, as the operator and as the API server count them.
pub(crate) async fn at_rest(operator: &Operator, cluster: &Cluster) -> [Figure; 2] {
    let before = (operator.requests().await, audit::requests(cluster));
    // This is the measurement itself: nothing can be awaited where nothing is to happen.
    sleep(REST).await;
    let own = operator.requests().await - before.0;
    let audited = audit::requests(cluster).since(&before.1);
    if audited.total() > 0 {
        println!("requests at rest: {audited}");
    }
    [
        Figure::none("requests in 60 s at rest, by its metrics", own),
        Figure::none("the same, by the audit log", audited.total()),
    ]
}
