//! `GET /api/v1/meta-info`: HQ's version, which needs no sign-in.

use std::sync::Arc;

use axum::{Json, extract::State};
use serde_json::{Value, json};

use super::{Hq, problem::Problem};

/// The release that the stand-in behaves as.
const VERSION: &str = "6.3.0";

/// Tells the version, if this HQ does.
pub(crate) async fn show(State(hq): State<Arc<Hq>>) -> Result<Json<Value>, Problem> {
    if hq.settings.meta_info {
        Ok(Json(json!({ "version": VERSION, "build_id": "stand-in" })))
    } else {
        Err(Problem::not_found("route"))
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use http::{Request, StatusCode};
    use serde_json::json;

    use crate::hq::test_client::TestClient;

    #[tokio::test]
    async fn anyone_may_read_the_version_and_an_older_hq_has_none() {
        let request = || Request::get("/api/v1/meta-info").body(Body::empty()).unwrap();
        let told = TestClient::new(&[]).send(request()).await;
        assert_eq!(told.json(), json!({ "version": "6.3.0", "build_id": "stand-in" }));
        let older = TestClient::new(&["--meta-info=false"]).send(request()).await;
        assert_eq!(older.status, StatusCode::NOT_FOUND);
    }
}
