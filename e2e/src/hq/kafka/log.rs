//! A topic's records. Those of the seed are made when they are read, so that a topic of a million
//! takes no memory.

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

/// Records in the order in which they were produced. Partitions are filled in turn, so an index
/// tells partition and offset.
#[derive(Debug)]
pub(crate) struct Log {
    seeded: u64,
    seed: Seeded,
    inserted: Vec<Record>,
    layout: Layout,
    /// Those before partitions were added, oldest first.
    former: Vec<Layout>,
}

/// How records are spread over partitions, from an index on.
#[derive(Debug)]
struct Layout {
    from: u64,
    /// The first offset of each partition.
    begins: Vec<u64>,
}

impl Layout {
    fn partitions(&self) -> u64 {
        self.begins.len().max(1) as u64
    }

    fn begin(&self, partition: u64) -> Option<u64> {
        self.begins.get(usize::try_from(partition).ok()?).copied()
    }
}

impl Log {
    pub(crate) fn seeded(partitions: u32, count: u64, seed: Seeded) -> Self {
        let layout = Layout { from: 0, begins: (0..partitions).map(|_| 0).collect() };
        Self { seeded: count, seed, inserted: Vec::new(), layout, former: Vec::new() }
    }

    pub(crate) fn empty(partitions: u32) -> Self {
        Self::seeded(partitions, 0, |_| Record {
            key: Value::Null,
            value: Value::Null,
            timestamp: 0,
        })
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

    pub(crate) fn partitions(&self) -> u32 {
        u32::try_from(self.layout.begins.len()).unwrap_or(u32::MAX)
    }

    /// Adds empty partitions up to `total`; what is there stays where it is.
    pub(crate) fn add_partitions(&mut self, total: u32) {
        let begins = (0..total).map(|partition| self.end_offset(partition)).collect();
        let layout = Layout { from: self.len(), begins };
        self.former.push(std::mem::replace(&mut self.layout, layout));
    }

    /// Partition and offset of an index.
    pub(crate) fn place(&self, index: u64) -> (u64, u64) {
        let later = |layout: &&Layout| layout.from <= index;
        let layout = self.layouts().find(later).unwrap_or(&self.layout);
        let (turn, partition) = (
            (index - layout.from) / layout.partitions(),
            (index - layout.from) % layout.partitions(),
        );
        (partition, layout.begin(partition).unwrap_or_default() + turn)
    }

    /// The record at a partition and offset.
    pub(crate) fn at(&self, partition: u64, offset: u64) -> Option<Record> {
        let begun = |layout: &&Layout| layout.begin(partition).is_some_and(|begin| begin <= offset);
        let layout = self.layouts().find(begun)?;
        let turn = offset - layout.begin(partition)?;
        self.get(turn.checked_mul(layout.partitions())?.checked_add(layout.from + partition)?)
    }

    /// The end offset of a partition: one past its last record.
    pub(crate) fn end_offset(&self, partition: u32) -> u64 {
        let (partition, partitions) = (u64::from(partition), self.layout.partitions());
        self.layout.begin(partition).map_or(0, |begin| {
            begin + (self.len() - self.layout.from + partitions - 1 - partition) / partitions
        })
    }

    /// The offset of a partition's first record that is not older than `timestamp`, in milliseconds
    /// since 1970; its end when all are.
    pub(crate) fn offset_at(&self, partition: u32, timestamp: i64) -> u64 {
        first_not_older(self.end_offset(partition), timestamp, |offset| {
            self.at(partition.into(), offset)
        })
    }

    /// The index of the first record that is not older than `timestamp`; the length when all are.
    pub(crate) fn first_not_older(&self, timestamp: i64) -> u64 {
        first_not_older(self.len(), timestamp, |index| self.get(index))
    }

    /// Newest first.
    fn layouts(&self) -> impl Iterator<Item = &Layout> {
        std::iter::once(&self.layout).chain(self.former.iter().rev())
    }
}

/// Records are in the order of their time, so halving finds it.
fn first_not_older(end: u64, timestamp: i64, record: impl Fn(u64) -> Option<Record>) -> u64 {
    let (mut from, mut until) = (0, end);
    while from < until {
        let middle = u64::midpoint(from, until);
        if record(middle).is_some_and(|record| record.timestamp < timestamp) {
            from = middle + 1;
        } else {
            until = middle;
        }
    }
    from
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(index: u64) -> Record {
        Record {
            key: index.into(),
            value: Value::Null,
            timestamp: i64::try_from(index).unwrap() * 1_000,
        }
    }

    #[test]
    fn partitions_are_filled_in_turn_and_their_ends_add_up() {
        let mut log = Log::seeded(3, 10, seconds);
        assert_eq!(
            (0..4).map(|partition| log.end_offset(partition)).collect::<Vec<_>>(),
            [4, 3, 3, 0]
        );
        assert_eq!(log.place(9), (0, 3));
        log.append("k".into(), "v".into(), Timestamp::UNIX_EPOCH);
        assert_eq!((log.len(), log.end_offset(1)), (11, 4));
        assert_eq!(log.get(10).unwrap().value, "v");
        assert_eq!(log.get(11), None);
    }

    #[test]
    fn added_partitions_are_filled_from_then_on_and_move_no_record() {
        let mut log = Log::seeded(2, 5, seconds);
        log.add_partitions(3);
        for _ in 0..4 {
            log.append(Value::Null, Value::Null, Timestamp::UNIX_EPOCH);
        }
        log.add_partitions(4);
        log.append(Value::Null, "last".into(), Timestamp::UNIX_EPOCH);
        let places: Vec<_> = (0..log.len()).map(|index| log.place(index)).collect();
        assert_eq!(
            places,
            [(0, 0), (1, 0), (0, 1), (1, 1), (0, 2), (0, 3), (1, 2), (2, 0), (0, 4), (0, 5)]
        );
        assert_eq!(
            (0..4).map(|partition| log.end_offset(partition)).collect::<Vec<_>>(),
            [6, 3, 1, 0]
        );
        for (index, (partition, offset)) in places.into_iter().enumerate() {
            assert_eq!(log.at(partition, offset), log.get(index as u64), "{index}");
        }
        for (partition, offset) in [(0, 6), (2, 1), (3, 0), (4, 0), (0, u64::MAX)] {
            assert_eq!(log.at(partition, offset), None, "{partition} {offset}");
        }
    }

    #[test]
    fn a_time_is_found_by_the_first_record_that_is_not_older() {
        let log = Log::seeded(2, 10, seconds);
        for (time, offset) in
            [(-1, 0), (0, 0), (1, 1), (2_000, 1), (2_001, 2), (8_000, 4), (8_001, 5), (i64::MAX, 5)]
        {
            assert_eq!(log.offset_at(0, time), offset, "{time}");
        }
    }
}
