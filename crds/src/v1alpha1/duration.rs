//! Durations: whole seconds in and out, so that a default and what a user writes have the form that
//! the schema's pattern asks for. A field of this kind says `#[serde(with = "duration")]` and takes
//! the pattern and the length from here.

use kube::core::Duration;
use serde::{Deserialize, Deserializer, Serializer};

/// What a user may write, such as `30s` or `1h30m`.
pub(super) const PATTERN: &str = r"^([0-9]+(s|m|h))+$";
/// Enough for any of them; the API server estimates the cost of rules from it.
pub(super) const MAX_LENGTH: u64 = 32;

/// So many seconds.
pub(super) fn seconds(seconds: u64) -> Duration {
    Duration::from(std::time::Duration::from_secs(seconds))
}

pub(super) fn serialize<S: Serializer>(value: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("{}s", std::time::Duration::from(*value).as_secs()))
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Duration, D::Error> {
    Duration::deserialize(deserializer)
}
