//! HQ's version, as HQ says it at `GET /api/v1/meta-info`.

use http::HeaderValue;
use serde::Deserialize;
use url::Url;

use crate::{auth::BackChannel, report::LensesVersion};

/// The longest text that is taken for a version, in bytes.
const LONGEST: usize = 64;

#[derive(Deserialize)]
struct MetaInfo {
    version: String,
    build_id: Option<String>,
}

/// Asks HQ for its version. `None` if HQ does not tell it: older ones have no such path, and some
/// want a login.
pub(super) async fn ask(
    back_channel: &BackChannel,
    lenses_url: &Url,
    authorization: Option<&HeaderValue>,
) -> Option<LensesVersion> {
    let mut url = lenses_url.clone();
    url.path_segments_mut().ok()?.pop_if_empty().extend(["api", "v1", "meta-info"]);
    let reply = back_channel.get(&url, authorization).await.ok()?;
    let MetaInfo { version, build_id } = reply.status.is_success().then(|| reply.json())??;
    let version = Some(version).filter(|version| is_version(version))?;
    Some(LensesVersion { version, build_id: build_id.filter(|build| is_version(build)) })
}

/// Whether `text` is one word of a bounded length: it is shown to models and written to logs.
fn is_version(text: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || "._+-".contains(c);
    (1..=LONGEST).contains(&text.len()) && text.chars().all(is_part)
}
