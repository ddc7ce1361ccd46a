//! Results, in the shapes of the contract.
//!
//! A result is there twice: as `structuredContent`, which meets the tool's output schema, and as
//! JSON text for clients that show only text. `structuredContent` must be an object, so a list or a
//! text stands in it as `result`; the marks `x-fastmcp-wrap-result` and `fastmcp.wrap_result` tell
//! clients of the contract to take it out again.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{result::ToolResult, schema};
use crate::{
    json,
    lenses::{RawList, RawObject},
};

/// What a tool's function gives.
pub(super) trait Output: Send + 'static {
    /// What every result of it meets.
    fn schema() -> Map<String, Value>;

    /// The result as it is sent.
    fn into_result(self) -> ToolResult;
}

impl Output for RawObject {
    fn schema() -> Map<String, Value> {
        object(json!({ "type": "object", "additionalProperties": true }))
    }

    fn into_result(self) -> ToolResult {
        ToolResult::object(self.into_string())
    }
}

impl Output for RawList {
    fn schema() -> Map<String, Value> {
        wrapped(&json!({ "type": "array", "items": { "type": "object" } }))
    }

    fn into_result(self) -> ToolResult {
        let mut records = Records::with_capacity(self.text_length());
        for record in self.iter() {
            records.push(|json| record.write("name", json));
        }
        records.end(None)
    }
}

impl Output for String {
    fn schema() -> Map<String, Value> {
        wrapped(&json!({ "type": "string" }))
    }

    fn into_result(self) -> ToolResult {
        let mut structured = String::with_capacity(self.len() + 16);
        structured.push_str(OPEN);
        json::push_string(&self, &mut structured);
        structured.push('}');
        ToolResult::text(structured, self)
    }
}

/// A result whose fields this server makes.
pub(super) struct Typed<T>(pub(super) T);

impl<T: Serialize + JsonSchema + Send + 'static> Output for Typed<T> {
    fn schema() -> Map<String, Value> {
        schema::of_output::<T>()
    }

    fn into_result(self) -> ToolResult {
        RawObject::of(&self.0).into_result()
    }
}

/// The beginning of an object that holds the result proper.
const OPEN: &str = r#"{"result":"#;

/// The structured content of a list, written record by record.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Records {
    json: String,
    count: usize,
}

impl Records {
    /// With room for `length` bytes.
    pub(super) fn with_capacity(length: usize) -> Self {
        // What stands before and behind the records.
        let mut json = String::with_capacity(length + OPEN.len() + 3);
        json.push_str(OPEN);
        json.push('[');
        Self { json, count: 0 }
    }

    /// Of `count` records that are written already, as an array.
    pub(super) fn written(mut array: String, count: usize) -> Self {
        // Without its bracket: `end` puts it back.
        array.pop();
        array.insert_str(0, OPEN);
        Self { json: array, count }
    }

    /// Number of records.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// Adds the record that `write` appends: its length.
    pub(super) fn push(&mut self, write: impl FnOnce(&mut String)) -> usize {
        if self.count > 0 {
            self.json.push(',');
        }
        let start = self.json.len();
        write(&mut self.json);
        self.count += 1;
        self.json.len() - start
    }

    /// Takes back the last record, which had `length` bytes.
    pub(super) fn pop(&mut self, length: usize) {
        self.count -= 1;
        let comma = usize::from(self.count > 0);
        self.json.truncate(self.json.len() - length - comma);
    }

    /// The result, with the member `name` beside the records where there is something to say there.
    pub(super) fn end(mut self, beside: Option<(&str, Value)>) -> ToolResult {
        self.json.push(']');
        let range = OPEN.len()..self.json.len();
        if let Some((name, value)) = beside {
            self.json.push(',');
            json::push_string(name, &mut self.json);
            self.json.push(':');
            self.json.push_str(&value.to_string());
        }
        self.json.push('}');
        ToolResult::wrapped(self.json, range)
    }
}

/// The schema of a value that stands in `result`.
pub(super) fn wrapped(value: &Value) -> Map<String, Value> {
    object(json!({
        "type": "object",
        "properties": { "result": value },
        "required": ["result"],
        "x-fastmcp-wrap-result": true,
    }))
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        _ => Map::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(result: &ToolResult) -> (Option<&str>, Vec<&str>, bool, bool) {
        let blocks = result.blocks().collect();
        (result.structured(), blocks, result.is_wrapped(), result.is_error())
    }

    #[test]
    fn lists_and_texts_are_wrapped_and_marked() {
        let mut records = Records::with_capacity(0);
        for record in [r#"{"b":1,"a":"é"}"#, "{}"] {
            records.push(|json| json.push_str(record));
        }
        let result = records.end(Some(("cut", json!({ "rows": 1 }))));
        assert_eq!(
            told(&result),
            (
                Some(r#"{"result":[{"b":1,"a":"é"},{}],"cut":{"rows":1}}"#),
                vec![r#"[{"b":1,"a":"é"},{}]"#],
                true,
                false
            )
        );
        assert_eq!(
            told(&"do\"ne".to_owned().into_result()),
            (Some(r#"{"result":"do\"ne"}"#), vec!["do\"ne"], true, false)
        );
        assert_eq!(RawList::schema()["x-fastmcp-wrap-result"], true);
    }

    #[test]
    fn a_record_that_is_taken_back_leaves_no_trace() {
        let mut records = Records::written("[{},[]]".to_owned(), 2);
        for count in [2, 1] {
            let length = records.push(|json| json.push_str("{\"long\":1}"));
            records.pop(length);
            assert_eq!(records.count(), count);
            records.pop(2);
        }
        assert_eq!(records.end(None).structured(), Some(r#"{"result":[]}"#));
    }

    #[test]
    fn objects_stand_as_they_are_and_failures_are_words() {
        assert_eq!(
            told(&RawObject::new(r#"{"name": "x"}"#.to_owned()).into_result()),
            (Some(r#"{"name": "x"}"#), vec![r#"{"name": "x"}"#], false, false)
        );
        assert_eq!(told(&ToolResult::error("no".to_owned())), (None, vec!["no"], false, true));
    }
}
