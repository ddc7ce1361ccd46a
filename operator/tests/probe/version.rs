//! HQ's version, and what is none.

use axum::{Router, http::StatusCode, routing::get};
use lenses_mcp_operator::probe::lenses_version;

use crate::{http, lenses, listeners::Listener};

async fn told(status: StatusCode, body: String) -> Option<String> {
    let hq = Listener::serving(move |_| {
        Router::new().route("/hq/api/v1/meta-info", get(async move || (status, body.clone())))
    })
    .await;
    lenses_version(&http(), &lenses(&hq.url("/hq"))).await
}

#[tokio::test]
async fn hqs_version_is_told_and_what_is_none_is_unknown() {
    let good = r#"{"version":"6.3.0","build_id":"b"}"#;
    assert_eq!(told(StatusCode::OK, good.to_owned()).await.as_deref(), Some("6.3.0"));
    for (status, body) in [
        (StatusCode::UNAUTHORIZED, good.to_owned()),
        (StatusCode::NOT_FOUND, good.to_owned()),
        (StatusCode::FOUND, good.to_owned()),
        (StatusCode::OK, "<html>sign in</html>".to_owned()),
        (StatusCode::OK, r#"{"version":7}"#.to_owned()),
        (StatusCode::OK, r#"{"version":""}"#.to_owned()),
        (StatusCode::OK, r#"{"version":"6\n3"}"#.to_owned()),
        (StatusCode::OK, format!(r#"{{"version":"{}"}}"#, "6".repeat(65))),
    ] {
        assert_eq!(told(status, body.clone()).await, None, "{status} {body}");
    }
}
