//! What a change of offsets would do, told from what the agent shows, without making it.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use super::positions::{Bounds, Committed, Partitions};
use crate::{
    lenses::{Name, Object, ResetTo},
    tools::{call::Limits, page::fitting},
};

/// Where a group would go on.
#[derive(Debug, Clone, Copy)]
pub(super) enum Place<'a> {
    /// In every partition at such a place.
    Reset(&'a ResetTo),
    /// In one partition, at this offset.
    Offset(i64, i64),
}

/// What would change.
#[derive(Debug, PartialEq, Serialize)]
pub(super) struct Preview {
    /// Always true: nothing was changed.
    dry_run: bool,
    group_id: Name,
    /// Whether Kafka would refuse, as it does while a group has members; null when Lenses does not
    /// tell.
    refused: Option<bool>,
    /// By topic and partition.
    partitions: Vec<Move>,
    /// What to know about it.
    notes: Vec<String>,
}

/// What would change in one partition.
#[derive(Debug, PartialEq, Serialize)]
struct Move {
    topic: String,
    partition: i64,
    /// The committed offset; null when there is none.
    from: Option<i64>,
    /// The offset that would be committed; null when only Kafka can tell.
    to: Option<i64>,
    /// First and end offset of the partition.
    begin: Option<i64>,
    end: Option<i64>,
    /// Records that would be skipped; below zero, that would be read once more.
    skips: Option<i64>,
}

impl Preview {
    pub(super) fn of(
        group_id: Name,
        group: &Object,
        committed: &[Committed],
        topics: &BTreeMap<String, Partitions>,
        place: Place<'_>,
        limits: Limits,
    ) -> Self {
        let moves: Vec<_> = topics
            .iter()
            .flat_map(|(topic, partitions)| {
                partitions.iter().map(move |(partition, bounds)| (topic, *partition, *bounds))
            })
            .filter(
                |(_, partition, _)| !matches!(place, Place::Offset(only, _) if only != *partition),
            )
            .map(|(topic, partition, bounds)| {
                let of_it =
                    |entry: &&Committed| entry.topic == *topic && entry.partition == partition;
                Move::of(
                    topic,
                    partition,
                    bounds,
                    committed.iter().find(of_it).and_then(|entry| entry.offset),
                    place,
                )
            })
            .collect();
        let mut preview = Self {
            dry_run: true,
            group_id,
            refused: has_members(group),
            partitions: moves,
            notes: Vec::new(),
        };
        preview.note(topics, place);
        let total = preview.partitions.len();
        preview.partitions.truncate(fitting(&preview.partitions, limits.bytes));
        if preview.partitions.len() < total {
            let shown = preview.partitions.len();
            preview.notes.push(format!(
                "only {shown} of {total} partitions are shown; the change would move them all"
            ));
        }
        preview
    }

    fn note(&mut self, topics: &BTreeMap<String, Partitions>, place: Place<'_>) {
        let mut note = |text: String| self.notes.push(text);
        note("nothing was changed; offsets go on moving until the change is made".to_owned());
        match self.refused {
            Some(true) => {
                note(
                    "the group has active members: Kafka refuses the change until they are stopped"
                        .to_owned(),
                );
            }
            Some(false) => {}
            None => {
                note(
                    "Lenses does not tell whether the group has active members, with which Kafka \
                     refuses"
                        .to_owned(),
                );
            }
        }
        for (topic, _) in topics.iter().filter(|(_, partitions)| partitions.is_empty()) {
            note(format!("Lenses does not tell the offsets of topic `{topic}`"));
        }
        match place {
            Place::Reset(ResetTo::Timestamp(time)) => note(format!(
                "the agent does not tell which offset a time stands for: in each partition it \
                 would be that of the first record that is not older than {time}, from `begin` to \
                 `end`"
            )),
            Place::Reset(_) => {}
            Place::Offset(partition, offset) => {
                for (topic, partitions) in
                    topics.iter().filter(|(_, partitions)| !partitions.is_empty())
                {
                    let Some(bounds) = partitions.get(&partition) else {
                        note(format!("topic `{topic}` has no partition {partition}"));
                        continue;
                    };
                    if bounds.begin.is_some_and(|begin| offset < begin)
                        || bounds.end.is_some_and(|end| offset > end)
                    {
                        note(format!(
                            "there is no offset {offset} in this partition: Lenses may refuse it, \
                             and consumers would begin from their reset policy"
                        ));
                    }
                }
            }
        }
    }
}

impl Move {
    fn of(
        topic: &str,
        partition: i64,
        Bounds { begin, end }: Bounds,
        from: Option<i64>,
        place: Place<'_>,
    ) -> Self {
        let to = match place {
            Place::Reset(ResetTo::Start) => begin,
            Place::Reset(ResetTo::End) => end,
            // In an empty partition every time is at the end.
            Place::Reset(ResetTo::Timestamp(_)) => end.filter(|_| begin == end),
            Place::Offset(_, offset) => Some(offset),
        };
        let skips = to.zip(from).map(|(to, from)| to.saturating_sub(from));
        Self { topic: topic.to_owned(), partition, from, to, begin, end, skips }
    }
}

/// Whether anybody is in the group; `None` when Lenses does not tell.
fn has_members(group: &Object) -> Option<bool> {
    let count = group.get("consumersCount").and_then(Value::as_i64).map(|count| count > 0);
    let state = || {
        let state = group.get("state")?.as_str()?;
        Some(!["empty", "dead"].contains(&state.to_ascii_lowercase().as_str()))
    };
    let active = || group.get("active").and_then(Value::as_bool);
    state().or(count).or_else(active)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn members_are_told_by_state_then_count_then_activity() {
        for (group, members) in [
            (json!({ "state": "Empty", "active": true }), Some(false)),
            (json!({ "state": "DEAD" }), Some(false)),
            (json!({ "state": "Stable", "consumersCount": 0 }), Some(true)),
            (json!({ "state": "PreparingRebalance" }), Some(true)),
            (json!({ "consumersCount": 0 }), Some(false)),
            (json!({ "state": null, "consumersCount": 2 }), Some(true)),
            (json!({ "active": false }), Some(false)),
            (json!({}), None),
        ] {
            assert_eq!(has_members(group.as_object().unwrap()), members, "{group}");
        }
    }
}
