//! The control listener, apart from HQ's own and off unless asked for: `/faults` and `/requests`.

use std::sync::Arc;

use axum::Router;
use axum::routing::get;

use super::{Hq, faults, requests};

/// Its whole router.
pub(crate) fn router(hq: Arc<Hq>) -> Router {
    Router::new()
        .route("/faults", get(faults::show).put(faults::set))
        .route("/requests", get(requests::list).delete(requests::clear))
        .with_state(hq)
}
