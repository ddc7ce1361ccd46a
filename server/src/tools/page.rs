//! Long lists, cut at a record, with a cursor for the rest.
//!
//! HQ's lists have no pages, so this server cuts them: after `limit` records where the caller says
//! so, and before the result grows past what a model can read. A cursor names the last record that
//! was given. It says so by the record's name, because between two calls records come and go; only
//! a list whose records have no names is counted.

use std::borrow::Cow;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{
    arguments::Int,
    call::Limits,
    output::{Output, Records},
    result::ToolResult,
};
use crate::lenses::{RawList, RawRecord};

/// Most records that a caller can ask for in one result.
pub(super) type Limit = Int<1, 10_000>;

/// Longest cursor, in characters: a name of 255 characters of four bytes, in base64 and JSON.
const CURSOR_MAX: usize = 2_048;

/// Where a list goes on. Callers get it from a result and give it back as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(super) struct Cursor(Position);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Position {
    /// Behind the record of this name.
    After(String),
    /// Behind this many records.
    Skip(usize),
}

impl TryFrom<String> for Cursor {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        const FAULT: &str = "is not a cursor of this server; give `cut.cursor` of the last result \
                             as it is, or leave it out to start over";
        if text.len() > CURSOR_MAX {
            return Err(FAULT);
        }
        let json = URL_SAFE_NO_PAD.decode(text).map_err(|_| FAULT)?;
        serde_json::from_slice(&json).map(Self).map_err(|_| FAULT)
    }
}

impl From<Cursor> for String {
    fn from(Cursor(position): Cursor) -> Self {
        let json = match position {
            Position::After(name) => json!({ "after": name }),
            Position::Skip(count) => json!({ "skip": count }),
        };
        URL_SAFE_NO_PAD.encode(json.to_string())
    }
}

impl JsonSchema for Cursor {
    fn schema_name() -> Cow<'static, str> {
        "Cursor".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "minLength": 1, "maxLength": CURSOR_MAX })
    }
}

/// What a caller says about the part of a list to give.
#[derive(Debug, Clone, Default)]
pub(super) struct Paging {
    pub(super) limit: Option<Limit>,
    pub(super) cursor: Option<Cursor>,
}

/// A list of records, or the part of it that fits.
#[derive(Debug, PartialEq)]
pub(super) struct Page {
    records: Records,
    cut: Option<Cut>,
}

/// Where a list was cut.
#[derive(Debug, PartialEq)]
struct Cut {
    reason: String,
    total: usize,
    cursor: Cursor,
}

impl Page {
    /// The part of `records` that `paging` asks for and `limits` allow. Records are told apart by
    /// their field `name`, and given in its order where all of them have it.
    pub(super) fn of(records: &RawList, name: &str, paging: Paging, limits: Limits) -> Self {
        let total = records.len();
        let mut sorted: Vec<(Option<Cow<'_, str>>, RawRecord<'_>)> =
            records.iter().map(|record| (record.text(name), record)).collect();
        let named = sorted.iter().all(|(name, _)| name.is_some());
        if named {
            sorted.sort_by(|(left, _), (right, _)| left.cmp(right));
        }
        let start = match paging.cursor {
            Some(Cursor(Position::After(last))) if named => {
                sorted.partition_point(|(name, _)| name.as_deref() <= Some(last.as_str()))
            }
            Some(Cursor(Position::Skip(count))) => count.min(total),
            Some(Cursor(Position::After(_))) | None => 0,
        };
        let asked =
            paging.limit.and_then(|limit| usize::try_from(limit.get()).ok()).unwrap_or(usize::MAX);
        let mut given = Records::with_capacity(records.text_length().min(limits.bytes));
        let mut left = limits.bytes;
        let mut last = None;
        let mut reason = None;
        for (key, record) in sorted.into_iter().skip(start) {
            if given.count() == asked {
                reason = Some(format!("{asked} were asked for"));
                break;
            }
            let length = given.push(|json| record.write(name, json));
            // One record is given whatever its length, as a cut that gives nothing leads nowhere.
            if length >= left && given.count() > 1 {
                given.pop(length);
                reason = Some(format!("the result would be longer than {} bytes", limits.bytes));
                break;
            }
            left = left.saturating_sub(length + 1);
            last = key;
        }
        let cut = reason.map(|reason| {
            let skip = Position::Skip(start + given.count());
            let after = last.filter(|_| named).map(|name| Position::After(name.into_owned()));
            Cut { reason, total, cursor: Cursor(after.unwrap_or(skip)) }
        });
        Self { records: given, cut }
    }
}

/// How many records fit into `bytes`; at least one, as a cut that gives nothing leads nowhere.
pub(super) fn fitting<T: Serialize>(records: &[T], bytes: usize) -> usize {
    let mut left = bytes;
    let fits = |record: &&T| {
        let length = serde_json::to_string(record).map_or(0, |json| json.len() + 1);
        let fits = length <= left;
        left = left.saturating_sub(length);
        fits
    };
    records.iter().take_while(fits).count().max(1)
}

impl Output for Page {
    fn schema() -> Map<String, Value> {
        let mut schema = RawList::schema();
        if let Some(Value::Object(properties)) = schema.get_mut("properties") {
            properties.insert(
                "cut".to_owned(),
                json!({
                    "type": "object",
                    "properties": { "cursor": { "type": "string" } },
                }),
            );
        }
        schema
    }

    fn into_result(self) -> ToolResult {
        let records = self.records.count();
        let Some(Cut { reason, total, cursor }) = self.cut else { return self.records.end(None) };
        let cursor = String::from(cursor);
        let note = format!(
            "Cut after {records} of {total} records: {reason}. For the next ones, call again with \
             the same arguments and cursor \"{cursor}\"."
        );
        let cut = json!({ "reason": reason, "records": records, "total": total, "cursor": cursor });
        self.records.end(Some(("cut", cut))).with_note(note)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn limits(bytes: usize) -> Limits {
        Limits { sql_rows: 1, sql_time: Duration::ZERO, bytes }
    }

    fn list(records: &Value) -> RawList {
        RawList::parse(&records.to_string())
    }

    fn named(names: &[&str]) -> RawList {
        list(&names.iter().map(|name| json!({ "name": name })).collect())
    }

    fn records(page: Page) -> Vec<Value> {
        let result = page.into_result();
        let structured: Value = serde_json::from_str(result.structured().unwrap()).unwrap();
        structured["result"].as_array().unwrap().clone()
    }

    fn names(page: Page) -> Vec<String> {
        let text = |record: &Value| record["name"].as_str().unwrap().to_owned();
        records(page).iter().map(text).collect()
    }

    fn cursor(page: &Page) -> Option<Cursor> {
        // As it goes to the caller and comes back.
        page.cut.as_ref().map(|cut| Cursor::try_from(String::from(cut.cursor.clone())).unwrap())
    }

    #[test]
    fn pages_end_at_a_record_without_gaps_while_records_change() {
        let limit = Some(Int::clamped(2));
        let first = Page::of(
            &named(&["d", "a", "c", "b"]),
            "name",
            Paging { limit, cursor: None },
            limits(1_000),
        );
        // `a` is deleted and `bb` made meanwhile.
        let paging = Paging { limit, cursor: cursor(&first) };
        assert_eq!(names(first), ["a", "b"]);
        let second = Page::of(&named(&["d", "bb", "c", "b"]), "name", paging, limits(1_000));
        let last = Page::of(
            &named(&["d", "c"]),
            "name",
            Paging { limit, cursor: cursor(&second) },
            limits(1_000),
        );
        assert_eq!(names(second), ["bb", "c"]);
        assert_eq!(cursor(&last), None);
        assert_eq!(names(last), ["d"]);
    }

    #[test]
    fn a_long_list_is_cut_before_the_limit_but_never_to_nothing() {
        for (bytes, kept) in [(1_000, 3), (39, 3), (38, 2), (13, 1), (1, 1)] {
            let page = Page::of(&named(&["a", "b", "c"]), "name", Paging::default(), limits(bytes));
            assert_eq!((page.records.count(), page.cut.is_some()), (kept, kept < 3), "{bytes}");
        }
        assert_eq!(
            Page::of(&RawList::default(), "name", Paging::default(), limits(1)),
            Page { records: Records::with_capacity(0), cut: None }
        );
    }

    #[test]
    fn records_without_names_are_counted() {
        let records = list(&json!([{}, { "name": 1 }, { "name": "a" }]));
        let limit = Some(Int::clamped(2));
        let first = Page::of(&records, "name", Paging { limit, cursor: None }, limits(1_000));
        assert_eq!(cursor(&first), Some(Cursor(Position::Skip(2))));
        let last =
            Page::of(&records, "name", Paging { limit, cursor: cursor(&first) }, limits(1_000));
        assert_eq!((last.records.count(), cursor(&last)), (1, None));
    }

    #[test]
    fn what_is_no_cursor_is_refused() {
        for text in ["", "x", "e30", "bnVsbA", "eyJza2lwIjotMX0", &"A".repeat(4_000)] {
            assert!(Cursor::try_from(text.to_owned()).is_err(), "{text}");
        }
    }

    #[test]
    fn a_cut_is_said_in_the_text_and_beside_the_records() {
        let paging = Paging { limit: Some(Int::clamped(1)), cursor: None };
        let page = Page::of(&named(&["a", "b"]), "name", paging, limits(1_000));
        let result = page.into_result();
        let structured: Value = serde_json::from_str(result.structured().unwrap()).unwrap();
        let cursor = "eyJhZnRlciI6ImEifQ";
        assert_eq!(
            structured,
            json!({
                "result": [{ "name": "a" }],
                "cut": { "reason": "1 were asked for", "records": 1, "total": 2, "cursor": cursor },
            })
        );
        assert!(result.blocks().nth(1).unwrap().contains(cursor));
    }
}
