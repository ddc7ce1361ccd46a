//! An environment with more topics and groups than fit on a page: 600 topics `events.000` …
//! `events.599` of 100 records each, and 300 groups `reader-000` … `reader-299`, each at the
//! beginning of the topic of its number.

use serde_json::Value;

use super::{Committed, Group, Kafka, Log, Topic, big_event, configs};

const TOPICS: u32 = 600;
const GROUPS: u32 = 300;
const PARTITIONS: u32 = 2;

pub(super) fn kafka() -> Kafka {
    let topic = |number| Topic {
        name: format!("events.{number:03}"),
        replication: 3,
        configs: configs(Some(24)),
        key_type: "STRING".to_owned(),
        value_type: "JSON".to_owned(),
        key_schema: None,
        value_schema: None,
        fields: Vec::new(),
        description: None,
        tags: Vec::new(),
        additional_info: Value::Null,
        log: Log::seeded(PARTITIONS, 100, big_event),
    };
    let group = |number| Group {
        id: format!("reader-{number:03}"),
        state: "Empty",
        members: 0,
        offsets: (0..PARTITIONS)
            .map(|partition| Committed {
                topic: format!("events.{number:03}"),
                partition,
                offset: 0,
            })
            .collect(),
    };
    Kafka::new(3, (0..TOPICS).map(topic).collect(), (0..GROUPS).map(group).collect())
}
