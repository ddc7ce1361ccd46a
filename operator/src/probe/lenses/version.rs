//! HQ's version, as HQ says it at `GET /api/v1/meta-info`.

use reqwest::header::ACCEPT;
use serde::Deserialize;

use super::super::{
    Lenses,
    http::{ANSWER_MAX, Http},
};

/// The longest text that is taken for a version, in bytes.
const LONGEST: usize = 64;

#[derive(Deserialize)]
struct MetaInfo {
    version: String,
}

/// Asks HQ for its version. `None` if HQ does not tell it: older ones have no such path, and some
/// want a sign-in, which the operator has not.
pub async fn version(http: &Http, lenses: &Lenses) -> Option<String> {
    let mut url = lenses.url.clone();
    url.path_segments_mut().ok()?.pop_if_empty().extend(["api", "v1", "meta-info"]);
    let request = http.get(url).header(ACCEPT, "application/json");
    let answer = http.send(request, ANSWER_MAX).await.ok()?;
    let body = answer.body.filter(|_| answer.status.is_success())?;
    let MetaInfo { version } = serde_json::from_slice(&body).ok()?;
    // It is shown in the status and written to logs.
    let is_part = |c: char| c.is_ascii_alphanumeric() || "._+-".contains(c);
    let is_version = (1..=LONGEST).contains(&version.len()) && version.chars().all(is_part);
    is_version.then_some(version)
}
