//! Where groups are and where partitions begin and end, read from what the agent shows.
//!
//! Of a group that commits nothing the agent tells little, and releases differ, so nothing is taken
//! for granted: what is not there is `None`.

use std::collections::BTreeMap;

use futures::{StreamExt, TryStreamExt, stream};
use serde_json::Value;

use crate::{
    lenses::{CallerClient, Error, Name, Object, Problem, RawList, RawObject},
    tools::arguments::Environment,
};

/// Topics that are asked for at the same time.
const AT_ONCE: usize = 4;

/// What a group committed for one partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Committed {
    pub(super) topic: String,
    pub(super) partition: i64,
    pub(super) offset: Option<i64>,
    pub(super) end: Option<i64>,
    pub(super) lag: Option<i64>,
    pub(super) consumer_id: Option<String>,
}

/// Where a partition begins and ends.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Bounds {
    pub(super) begin: Option<i64>,
    pub(super) end: Option<i64>,
}

/// The partitions of a topic, by number.
pub(super) type Partitions = BTreeMap<i64, Bounds>;

/// The group called `id` among `groups`.
///
/// # Errors
///
/// [`Error::NotFound`], in the same words as HQ's own.
pub(super) fn find(groups: &RawList, id: &Name, topic: Option<&Name>) -> Result<Object, Error> {
    let found = groups.iter().find(|group| group.text("id").as_deref() == Some(id.as_str()));
    found.map(|group| group.parsed("id")).ok_or_else(|| {
        let of = topic.map(|topic| format!(" that reads topic `{topic}`")).unwrap_or_default();
        let message = Some(format!("Lenses lists no consumer group `{id}`{of}"));
        Error::NotFound(Problem { message, ..Problem::default() })
    })
}

/// What `group` committed, in the order of topics and partitions. Entries that name no partition
/// say nothing.
pub(super) fn committed(group: &Object) -> Vec<Committed> {
    let entries = group.get("consumers").and_then(Value::as_array).into_iter().flatten();
    let mut committed: Vec<_> = entries
        .filter_map(|entry| {
            Some(Committed {
                topic: entry.get("topic")?.as_str()?.to_owned(),
                partition: offset(entry, &["partition"])?,
                offset: offset(entry, &["currentOffset"]),
                // lenses-go's spelling, which older agents have.
                end: offset(entry, &["logEndOffset", "longEndOffset"]),
                lag: offset(entry, &["lag"]),
                consumer_id: entry.get("consumerId").and_then(Value::as_str).map(str::to_owned),
            })
        })
        .collect();
    committed
        .sort_by(|left, right| (&left.topic, left.partition).cmp(&(&right.topic, right.partition)));
    committed
}

/// Where the partitions of each of `topics` begin and end: `GET api/topics/{topic}`, a few at a
/// time.
///
/// # Errors
///
/// [`Error`], of the first topic that the agent does not show.
pub(super) async fn partitions(
    lenses: &CallerClient,
    environment: &Environment,
    topics: &[Name],
) -> Result<BTreeMap<String, Partitions>, Error> {
    stream::iter(topics.to_vec())
        .map(|name| async move {
            let topic = lenses.topic(environment, &name).await?;
            Ok((name.into(), bounds(&topic)))
        })
        .buffered(AT_ONCE)
        .try_collect()
        .await
}

fn bounds(topic: &RawObject) -> Partitions {
    let entries = topic.member::<Vec<Value>>("messagesPerPartition").unwrap_or_default();
    entries
        .iter()
        .filter_map(|entry| {
            let bounds = Bounds { begin: offset(entry, &["begin"]), end: offset(entry, &["end"]) };
            Some((offset(entry, &["partition"])?, bounds))
        })
        .collect()
}

/// A number under one of `names`. Kafka writes -1 for an offset that there is not.
fn offset(entry: &Value, names: &[&str]) -> Option<i64> {
    names.iter().find_map(|name| entry.get(name)?.as_i64()).filter(|offset| *offset >= 0)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_absent_or_odd_is_none_and_breaks_nothing() {
        let group = json!({ "id": "g", "consumers": [
            {
                "topic": "b", "partition": 1, "currentOffset": 3, "longEndOffset": 9, "lag": 6,
                "consumerId": "c"
            },
            {
                "topic": "a", "partition": 0, "currentOffset": -1, "logEndOffset": null,
                "lag": "many", "consumerId": 7
            },
            { "topic": "a" }, { "partition": 1 }, "consumer-1", null,
        ] });
        let empty = Committed {
            topic: "a".to_owned(),
            partition: 0,
            offset: None,
            end: None,
            lag: None,
            consumer_id: None,
        };
        let full = Committed {
            topic: "b".to_owned(),
            partition: 1,
            offset: Some(3),
            end: Some(9),
            lag: Some(6),
            consumer_id: Some("c".to_owned()),
        };
        assert_eq!(committed(group.as_object().unwrap()), [empty, full]);
        for group in [json!({}), json!({ "consumers": null }), json!({ "consumers": 3 })] {
            assert_eq!(committed(group.as_object().unwrap()), []);
        }
        let topic = json!({
            "messagesPerPartition": [
                { "partition": 0, "begin": 2, "end": 5 }, { "partition": 1 }, 7
            ]
        });
        let expected = [(0, Bounds { begin: Some(2), end: Some(5) }), (1, Bounds::default())];
        assert_eq!(bounds(&RawObject::of(&topic)), Partitions::from(expected));
        assert_eq!(bounds(&RawObject::of(&json!({}))), Partitions::new());
    }
}
