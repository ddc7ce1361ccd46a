//! Consumer groups.

use serde_json::{Value, json};

use super::Kafka;

/// A consumer group.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) id: String,
    /// As Kafka names it: Stable, Empty, `PreparingRebalance`.
    pub(crate) state: &'static str,
    pub(crate) members: u32,
    pub(crate) offsets: Vec<Committed>,
}

/// The offset that a group committed for a partition.
#[derive(Debug, Clone)]
pub(crate) struct Committed {
    pub(crate) topic: String,
    pub(crate) partition: u32,
    pub(crate) offset: u64,
}

impl Group {
    pub(crate) fn reads(&self, topic: &str) -> bool {
        self.offsets.iter().any(|committed| committed.topic == topic)
    }

    /// The group as the agent shows it, for one topic or for all that it reads.
    pub(crate) fn describe(&self, kafka: &Kafka, topic: Option<&str>) -> Value {
        let shown = self
            .offsets
            .iter()
            .filter(|committed| topic.is_none_or(|topic| committed.topic == topic));
        let mut lags = Vec::new();
        let consumers: Vec<_> = shown
            .map(|committed| {
                let end = kafka
                    .topic(&committed.topic)
                    .map_or(0, |topic| topic.log.end_offset(committed.partition));
                let lag = end.saturating_sub(committed.offset);
                lags.push(lag);
                let member = (self.members > 0)
                    .then(|| format!("{}-{}", self.id, committed.partition % self.members));
                json!({
                    "topic": committed.topic,
                    "partition": committed.partition,
                    "currentOffset": committed.offset,
                    "logEndOffset": end,
                    "lag": lag,
                    "consumerId": member,
                })
            })
            .collect();
        json!({
            "id": self.id,
            "state": self.state,
            "active": self.members > 0,
            "coordinator": {"id": 1, "host": "kafka-1", "port": 9092},
            "consumersCount": self.members,
            "topicPartitionsCount": consumers.len(),
            "minLag": lags.iter().min(),
            "maxLag": lags.iter().max(),
            "consumers": consumers,
        })
    }
}
