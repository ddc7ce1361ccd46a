//! The control listener, apart from HQ's own and off unless asked for.
//!
//! ```text
//! GET    /faults     what is set
//! PUT    /faults     sets exactly these and answers once they are in force; {} sets none
//!                    {"down": bool, "slow_ms": 0..600000,
//!                     "introspection": F, "oauth": F, "api": F, "metadata_without": [field],
//!                     "sql": {"after_records": n, "then": S}}
//!                    F = "refuse" | "hang" | "garbage" | "html" | {"status": 400..599}
//!                    S = "error" | "invalid_request" | "close" | "drop" | "hang"
//! GET    /requests   what HQ saw, oldest first:
//!                    [{"id", "method", "target", "authorization", "body"}]
//! DELETE /requests   forgets them
//! PUT    /approvals/{environment}/{id}
//!                    decides a request for a topic: "Approved", which creates it, or "Rejected"
//! ```

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, put};

use super::routes::approvals;
use super::{Hq, faults, requests};

/// Its whole router.
pub(crate) fn router(hq: Arc<Hq>) -> Router {
    Router::new()
        .route("/faults", get(faults::show).put(faults::set))
        .route("/approvals/{environment}/{id}", put(approvals::decide))
        .route("/requests", get(requests::list).delete(requests::clear))
        .with_state(hq)
}
