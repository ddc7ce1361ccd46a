//! A topic's configuration: what Kafka knows and takes.

use std::collections::BTreeMap;

/// Kafka's topic configurations and the broker's values for them.
pub(crate) const CONFIGS: [(&str, &str); 27] = [
    ("cleanup.policy", "delete"),
    ("compression.type", "producer"),
    ("delete.retention.ms", "86400000"),
    ("file.delete.delay.ms", "60000"),
    ("flush.messages", "9223372036854775807"),
    ("flush.ms", "9223372036854775807"),
    ("follower.replication.throttled.replicas", ""),
    ("index.interval.bytes", "4096"),
    ("leader.replication.throttled.replicas", ""),
    ("local.retention.bytes", "-2"),
    ("local.retention.ms", "-2"),
    ("max.compaction.lag.ms", "9223372036854775807"),
    ("max.message.bytes", "1048588"),
    ("message.timestamp.after.max.ms", "9223372036854775807"),
    ("message.timestamp.before.max.ms", "9223372036854775807"),
    ("message.timestamp.type", "CreateTime"),
    ("min.cleanable.dirty.ratio", "0.5"),
    ("min.compaction.lag.ms", "0"),
    ("min.insync.replicas", "1"),
    ("preallocate", "false"),
    ("remote.storage.enable", "false"),
    ("retention.bytes", "-1"),
    ("retention.ms", "604800000"),
    ("segment.bytes", "1073741824"),
    ("segment.index.bytes", "10485760"),
    ("segment.ms", "604800000"),
    ("unclean.leader.election.enable", "false"),
];

/// What is wrong with configurations, each as a fault of the field `configs`.
pub(crate) fn faults(
    configs: &BTreeMap<String, String>,
) -> impl Iterator<Item = (&'static str, String)> {
    let fault = |(name, value): (&String, &String)| {
        let default = CONFIGS.iter().find(|(known, _)| known == name).map(|(_, default)| *default);
        let one_of = |allowed: &[&str]| allowed.contains(&value.as_str());
        match (name.as_str(), default) {
            (_, None) => Some(format!("{name:?} is not a topic configuration")),
            ("cleanup.policy", _)
                if !value
                    .split(',')
                    .all(|policy| matches!(policy.trim(), "delete" | "compact")) =>
            {
                Some(format!("cleanup.policy is {value:?}: must be delete, compact or both"))
            }
            (_, Some("true" | "false")) if !one_of(&["true", "false"]) => {
                Some(format!("{name} is {value:?}: must be true or false"))
            }
            (_, Some(default))
                if default.parse::<i64>().is_ok() && value.parse::<i64>().is_err() =>
            {
                Some(format!("{name} is {value:?}: must be a whole number"))
            }
            _ => None,
        }
    };
    configs.iter().filter_map(fault).map(|error| ("configs", error))
}
