//! Topic settings by which Kafka deletes records.

use serde::Deserialize;
use serde_json::Value;

use crate::{
    scope::{Scope, ScopeSet},
    tools::arguments::Configs,
};

/// Settings whose documented effect is that records go (Kafka 4, "Topic Configs"), beside those of
/// retention and compaction.
const DELETING: [&str; 5] = [
    "cleanup.policy",
    // What is not kept remotely, or no longer copied there, goes with the local log.
    "remote.storage.enable",
    "remote.log.copy.disable",
    "remote.log.delete.on.disable",
    // A replica that lags becomes the leader, and what it lacks is gone.
    "unclean.leader.election.enable",
];

/// The scopes that setting `configs` needs beyond `write`. They are read as the tool reads them:
/// those that it can't read will be refused.
pub(super) fn required_scopes(configs: Option<&Value>) -> ScopeSet {
    let configs = configs.and_then(|configs| Configs::<1>::deserialize(configs).ok());
    let configs = configs.map(Configs::into_vec).unwrap_or_default();
    if configs.iter().any(|(key, _)| deletes_records(key)) {
        Scope::Delete.into()
    } else {
        ScopeSet::NONE
    }
}

/// Whether a setting of this name can delete records. The present value is not known here, so that
/// every new one counts. `retention.ms`, `local.retention.bytes`, `delete.retention.ms`,
/// `min.compaction.lag.ms` and what vendors of Kafka added to them are told by the word.
fn deletes_records(key: &str) -> bool {
    let key = key.trim().to_ascii_lowercase();
    let has = |word: &str| key.split('.').any(|part| part == word);
    DELETING.contains(&key.as_str()) || has("retention") || has("compaction")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn settings_that_delete_records_need_delete() {
        let entry = |key: &str| json!({ "key": key, "value": "1" });
        let setting = |key: &str| json!([entry("segment.ms"), entry(key)]);
        for key in [
            "retention.ms",
            "retention.bytes",
            "local.retention.ms",
            "local.retention.bytes",
            "delete.retention.ms",
            "cleanup.policy",
            "min.compaction.lag.ms",
            "max.compaction.lag.ms",
            "remote.storage.enable",
            "remote.log.copy.disable",
            "remote.log.delete.on.disable",
            "unclean.leader.election.enable",
            " Retention.MS ",
        ] {
            assert_eq!(required_scopes(Some(&setting(key))), Scope::Delete.into(), "{key}");
            let map = json!({ key: "1" });
            assert_eq!(required_scopes(Some(&map)), Scope::Delete.into(), "{key}");
        }
        for key in [
            "compression.type",
            "flush.messages",
            "follower.replication.throttled.replicas",
            "max.message.bytes",
            "message.timestamp.type",
            "min.insync.replicas",
            "preallocate",
            "segment.bytes",
        ] {
            assert_eq!(required_scopes(Some(&setting(key))), ScopeSet::NONE, "{key}");
        }
    }

    #[test]
    fn what_the_tool_cannot_read_needs_no_more() {
        for configs in
            [json!("[]"), json!([]), json!({}), json!([{ "key": "retention.ms" }]), json!(7)]
        {
            assert_eq!(required_scopes(Some(&configs)), ScopeSet::NONE, "{configs}");
        }
        assert_eq!(required_scopes(None), ScopeSet::NONE);
    }
}
