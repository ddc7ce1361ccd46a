//! The rows of a result, as they come in.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{
    super::{Error, Object},
    Cut,
};

/// Partitions beyond which a result does not say where it stopped in each.
const MAX_PARTITIONS: usize = 64;

/// The answer to a query.
#[derive(Debug, Clone, PartialEq)]
pub struct Rows {
    /// The rows as a JSON array, each byte for byte as HQ sent it: columns in their order, numbers with all digits.
    pub json: String,
    /// The same rows, parsed, in the order in which they came. A tombstone is a row with a null value, and a row of
    /// nothing is `{}`.
    pub rows: Vec<Value>,
    /// Why there may be more rows than these.
    pub cut: Option<Cut>,
    /// The last offset of each partition that has rows here. Empty where rows are no records in the order of their
    /// offsets: a query goes on after these only where they are.
    pub last_offsets: BTreeMap<u64, u64>,
}

/// Rows that are being collected.
#[derive(Debug)]
pub(super) struct Collected {
    json: String,
    rows: Vec<Value>,
    /// `None` once a row was no record, or stood behind a later one.
    last_offsets: Option<BTreeMap<u64, u64>>,
}

impl Collected {
    pub(super) fn new() -> Self {
        Self { json: "[".to_owned(), rows: Vec::new(), last_offsets: Some(BTreeMap::new()) }
    }

    /// Number of rows.
    pub(super) fn count(&self) -> usize {
        self.rows.len()
    }

    /// Whether a row of `length` bytes fits into a result of `limit` bytes. The first always does: a cut that gives
    /// nothing leads nowhere.
    pub(super) fn has_room(&self, length: usize, limit: usize) -> bool {
        // `,` before it and `]` behind it.
        self.rows.is_empty() || self.json.len() + length + 2 <= limit
    }

    /// Adds a row, which is a JSON object.
    pub(super) fn push(&mut self, row: &str) -> Result<(), Error> {
        let object: Object = serde_json::from_str(row)
            .map_err(|_| Error::Unreadable { what: "a record that can't be read" })?;
        if let Some(offsets) = &mut self.last_offsets
            && !follows(offsets, &object)
        {
            self.last_offsets = None;
        }
        if !self.rows.is_empty() {
            self.json.push(',');
        }
        self.json.push_str(row);
        self.rows.push(Value::Object(object));
        Ok(())
    }

    pub(super) fn end(mut self, cut: Option<Cut>) -> Rows {
        self.json.push(']');
        Rows {
            json: self.json,
            rows: self.rows,
            cut,
            last_offsets: self.last_offsets.unwrap_or_default(),
        }
    }
}

/// Notes the place of a record. False when it has none, or one before a place that was noted.
fn follows(offsets: &mut BTreeMap<u64, u64>, row: &Object) -> bool {
    let place =
        |name| row.get("metadata").and_then(|metadata| metadata.get(name)).and_then(Value::as_u64);
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
            collected.push(row).unwrap();
        }
        collected.end(None)
    }

    fn record(partition: u64, offset: u64) -> String {
        json!({ "metadata": { "partition": partition, "offset": offset } }).to_string()
    }

    #[test]
    fn the_text_is_what_came_and_the_rows_are_its_values() {
        assert_eq!(collected(&[]).json, "[]");
        let rows = collected(&[r#"{"z":1.10000000000000000001,"a":18446744073709551616}"#, "{}"]);
        assert_eq!(rows.json, r#"[{"z":1.10000000000000000001,"a":18446744073709551616},{}]"#);
        assert_eq!(
            rows.rows,
            [json!({ "z": 1.1, "a": 18_446_744_073_709_551_616_f64 }), json!({})]
        );
        assert!(Collected::new().push("[1]").is_err());
        assert!(
            Collected::new()
                .push(&format!("{{\"a\":{}{}}}", "[".repeat(1_000), "]".repeat(1_000)))
                .is_err()
        );
    }

    #[test]
    fn the_limit_counts_the_text_and_the_first_row_always_fits() {
        let mut collected = Collected::new();
        assert!(collected.has_room(100, 10));
        collected.push("{}").unwrap();
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
