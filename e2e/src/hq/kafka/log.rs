//! A topic's records. Those of the seed are made when they are read, so that a topic of a million takes no memory.

use jiff::Timestamp;
use serde_json::Value;

/// A record before it has a place in a topic.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Record {
    pub(crate) key: Value,
    /// `null` is a tombstone.
    pub(crate) value: Value,
    /// Milliseconds since 1970.
    pub(crate) timestamp: i64,
}

/// Makes the seeded record of an index: always the same.
pub(crate) type Seeded = fn(u64) -> Record;

/// Records in the order in which they were produced. Partitions are filled in turn, so an index tells partition and offset.
#[derive(Debug)]
pub(crate) struct Log {
    seeded: u64,
    seed: Seeded,
    inserted: Vec<Record>,
}

impl Log {
    pub(crate) fn seeded(count: u64, seed: Seeded) -> Self {
        Self { seeded: count, seed, inserted: Vec::new() }
    }

    pub(crate) fn empty() -> Self {
        Self::seeded(0, |_| Record { key: Value::Null, value: Value::Null, timestamp: 0 })
    }

    pub(crate) fn len(&self) -> u64 {
        self.seeded + self.inserted.len() as u64
    }

    pub(crate) fn inserted(&self) -> usize {
        self.inserted.len()
    }

    pub(crate) fn get(&self, index: u64) -> Option<Record> {
        if index < self.seeded {
            return Some((self.seed)(index));
        }
        self.inserted.get(usize::try_from(index - self.seeded).ok()?).cloned()
    }

    pub(crate) fn append(&mut self, key: Value, value: Value, now: Timestamp) {
        self.inserted.push(Record { key, value, timestamp: now.as_millisecond() });
    }

    /// Partition and offset of an index in a topic of so many partitions.
    pub(crate) fn place(index: u64, partitions: u32) -> (u64, u64) {
        let partitions = u64::from(partitions.max(1));
        (index % partitions, index / partitions)
    }

    /// The end offset of a partition: one past its last record.
    pub(crate) fn end_offset(&self, partition: u32, partitions: u32) -> u64 {
        let (partition, partitions) = (u64::from(partition), u64::from(partitions.max(1)));
        (self.len() + partitions - 1 - partition) / partitions
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partitions_are_filled_in_turn_and_their_ends_add_up() {
        let mut log = Log::seeded(10, |index| Record { key: index.into(), value: Value::Null, timestamp: 0 });
        assert_eq!((0..3).map(|partition| log.end_offset(partition, 3)).collect::<Vec<_>>(), [4, 3, 3]);
        assert_eq!(Log::place(9, 3), (0, 3));
        log.append("k".into(), "v".into(), Timestamp::UNIX_EPOCH);
        assert_eq!((log.len(), log.end_offset(1, 3)), (11, 4));
        assert_eq!(log.get(10).unwrap().value, "v");
        assert_eq!(log.get(11), None);
    }
}
