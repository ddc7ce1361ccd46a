//! The rows of a result, as they come in.

use std::collections::BTreeMap;

use super::{
    super::{RawRecord, raw},
    Cut,
};
use crate::json;

/// Partitions beyond which a result does not say where it stopped in each.
const MAX_PARTITIONS: usize = 64;

/// The answer to a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rows {
    /// The rows as a JSON array of objects, in the order in which they came: columns in HQ's order,
    /// and digits as HQ wrote them. A number that a double can't hold is a string. A tombstone is a
    /// row with a null value, a row of nothing is `{}`, and one that JSON readers refuse is an
    /// object that says so.
    pub json: String,
    /// How many they are.
    pub count: usize,
    /// What Lenses says of a statement that it did, where it says anything.
    pub message: Option<String>,
    /// Why there may be more rows than these.
    pub cut: Option<Cut>,
    /// The last offset of each partition that has rows here. Empty where rows are no records in the
    /// order of their offsets: a query goes on after these only where they are.
    pub last_offsets: BTreeMap<u64, u64>,
}

/// Rows that are being collected.
#[derive(Debug)]
pub(super) struct Collected {
    json: String,
    count: usize,
    /// `None` once a row was no record, or stood behind a later one.
    last_offsets: Option<BTreeMap<u64, u64>>,
}

impl Collected {
    pub(super) fn new() -> Self {
        Self { json: "[".to_owned(), count: 0, last_offsets: Some(BTreeMap::new()) }
    }

    /// Number of rows.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// Whether a row of `length` bytes fits into a result of `limit` bytes. The first always does:
    /// a cut that gives nothing leads nowhere.
    pub(super) fn has_room(&self, length: usize, limit: usize) -> bool {
        // `,` before it and `]` behind it.
        self.count == 0 || self.json.len() + length + 2 <= limit
    }

    /// Adds a row: any JSON value, or none.
    pub(super) fn push(&mut self, row: Option<&[u8]>) {
        let row = row.unwrap_or(b"{}");
        if let Some(offsets) = &mut self.last_offsets
            && !follows(offsets, row)
        {
            self.last_offsets = None;
        }
        if self.count > 0 {
            self.json.push(',');
        }
        self.count += 1;
        if row.starts_with(b"{") {
            RawRecord::new(row).write("key", &mut self.json);
        } else {
            self.json.push_str("{\"value\":");
            raw::salvage_value(row, &mut self.json);
            self.json.push('}');
        }
    }

    pub(super) fn end(mut self, message: Option<String>, cut: Option<Cut>) -> Rows {
        self.json.push(']');
        let Self { json, count, last_offsets } = self;
        Rows { json, count, message, cut, last_offsets: last_offsets.unwrap_or_default() }
    }
}

/// Notes the place of a record. False when it has none, or one before a place that was noted.
fn follows(offsets: &mut BTreeMap<u64, u64>, row: &[u8]) -> bool {
    let metadata = json::member(row, "metadata").unwrap_or_default();
    let place = |name| serde_json::from_slice(json::member(metadata, name)?).ok();
    let (Some(partition), Some(offset)) = (place("partition"), place("offset")) else {
        return false;
    };
    let follows = offsets.insert(partition, offset).is_none_or(|last| last < offset);
    follows && offsets.len() <= MAX_PARTITIONS
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn collected(rows: &[&str]) -> Rows {
        let mut collected = Collected::new();
        for row in rows {
            collected.push(Some(row.as_bytes()));
        }
        collected.end(None, None)
    }

    fn record(partition: u64, offset: u64) -> String {
        json!({ "metadata": { "partition": partition, "offset": offset } }).to_string()
    }

    #[test]
    fn rows_are_what_came_with_wide_numbers_as_strings() {
        assert_eq!(collected(&[]).json, "[]");
        let rows = collected(&[
            r#"{"z":1.10000000000000000001,"a":18446744073709551616,"m":1.50}"#,
            "{}",
            "[1,2]",
            r#""text""#,
        ]);
        assert_eq!(
            rows.json,
            concat!(
                r#"[{"z":"1.10000000000000000001","a":"18446744073709551616","m":1.50},{},"#,
                r#"{"value":[1,2]},{"value":"text"}]"#,
            )
        );
        assert_eq!(rows.count, 4);
        let mut nothing = Collected::new();
        nothing.push(None);
        assert_eq!(nothing.end(None, None).json, "[{}]");
    }

    #[test]
    fn a_row_that_cannot_be_read_is_replaced_alone() {
        let deep = format!("{{\"key\":\"k\",\"a\":{}{}}}", "[".repeat(1_000), "]".repeat(1_000));
        let rows = collected(&[r#"{"a":1}"#, &deep, r#""\ud800""#, r#"{"a":2}"#]);
        let left_out = "which JSON readers refuse, so that it is left out";
        assert_eq!(
            rows.json,
            format!(
                concat!(
                    r#"[{{"a":1}},{{"key":"k","unreadable":"Lenses sent more than 120 levels "#,
                    r#"of nesting here, {left_out}"}},{{"value":{{"unreadable":"Lenses sent "#,
                    r#"half a surrogate pair here, {left_out}"}}}},{{"a":2}}]"#,
                ),
                left_out = left_out
            )
        );
    }

    #[test]
    fn the_limit_counts_the_text_and_the_first_row_always_fits() {
        let mut collected = Collected::new();
        assert!(collected.has_room(100, 10));
        collected.push(Some(b"{}"));
        // `[{},{}]` is 7 bytes.
        assert!(collected.has_room(2, 7) && !collected.has_room(2, 6));
    }

    #[test]
    fn offsets_are_told_only_of_records_in_their_order() {
        let in_order = [record(0, 5), record(1, 2), record(0, 9)];
        let rows: Vec<_> = in_order.iter().map(String::as_str).collect();
        assert_eq!(collected(&rows).last_offsets, BTreeMap::from([(0, 9), (1, 2)]));
        for last in
            [record(0, 9), record(0, 3), "{}".to_owned(), r#"{"metadata":{"offset":1}}"#.to_owned()]
        {
            let rows: Vec<_> = in_order.iter().chain([&last]).map(String::as_str).collect();
            assert_eq!(collected(&rows).last_offsets, BTreeMap::new(), "{last}");
        }
        let many: Vec<_> =
            (0..=MAX_PARTITIONS as u64).map(|partition| record(partition, 0)).collect();
        let many: Vec<_> = many.iter().map(String::as_str).collect();
        assert_eq!(collected(&many[..MAX_PARTITIONS]).last_offsets.len(), MAX_PARTITIONS);
        assert_eq!(collected(&many).last_offsets, BTreeMap::new());
    }
}
