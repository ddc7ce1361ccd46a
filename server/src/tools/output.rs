//! Results, in the shapes of the contract.
//!
//! A result is there twice: as `structuredContent`, which meets the tool's output schema, and as compact JSON text for
//! clients that show only text. `structuredContent` must be an object, so a list or a text stands in it as `result`; the
//! marks `x-fastmcp-wrap-result` and `fastmcp.wrap_result` tell clients of the contract to take it out again.

use rmcp::model::{CallToolResult, ContentBlock, MetaObject};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::schema;
use crate::lenses::Object;

/// What a tool's function gives.
pub(super) trait Output: Send + 'static {
    /// What every result of it meets.
    fn schema() -> Map<String, Value>;

    /// The result as it is sent.
    fn into_result(self) -> CallToolResult;
}

impl Output for Object {
    fn schema() -> Map<String, Value> {
        object(json!({ "type": "object", "additionalProperties": true }))
    }

    fn into_result(self) -> CallToolResult {
        let value = Value::Object(self);
        result(value.to_string(), value, None)
    }
}

impl Output for Vec<Object> {
    fn schema() -> Map<String, Value> {
        wrapped(
            &json!({ "type": "array", "items": { "type": "object", "additionalProperties": true } }),
        )
    }

    fn into_result(self) -> CallToolResult {
        let list = Value::Array(self.into_iter().map(Value::Object).collect());
        result(list.to_string(), wrap(list), Some(wrap_mark()))
    }
}

impl Output for String {
    fn schema() -> Map<String, Value> {
        wrapped(&json!({ "type": "string" }))
    }

    fn into_result(self) -> CallToolResult {
        let structured = json!({ "result": self });
        result(self, structured, Some(wrap_mark()))
    }
}

/// A result whose fields this server makes.
pub(super) struct Typed<T>(pub(super) T);

impl<T: Serialize + JsonSchema + Send + 'static> Output for Typed<T> {
    fn schema() -> Map<String, Value> {
        schema::of_output::<T>()
    }

    fn into_result(self) -> CallToolResult {
        match serde_json::to_value(self.0) {
            Ok(value) => result(value.to_string(), value, None),
            Err(error) => CallToolResult::error(vec![ContentBlock::text(format!(
                "the result is not JSON: {error}"
            ))]),
        }
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

/// A value as it stands in `result`. It is moved there: `json!` would copy it.
pub(super) fn wrap(value: Value) -> Value {
    Value::Object(Map::from_iter([("result".to_owned(), value)]))
}

/// The mark of a result that stands in `result`.
pub(super) fn wrap_mark() -> MetaObject {
    MetaObject(object(json!({ "fastmcp": { "wrap_result": true } })))
}

/// A successful result.
pub(super) fn result(text: String, structured: Value, meta: Option<MetaObject>) -> CallToolResult {
    let mut result = CallToolResult::success(vec![ContentBlock::text(text)]);
    result.structured_content = Some(structured);
    result.meta = meta;
    result
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

    fn wire(output: impl Output) -> Value {
        serde_json::to_value(output.into_result()).unwrap()
    }

    #[test]
    fn lists_and_texts_are_wrapped_and_marked() {
        assert_eq!(
            wire(vec![object(json!({ "b": 1, "a": "é" }))]),
            json!({
                "resultType": "complete",
                "content": [{ "type": "text", "text": r#"[{"a":"é","b":1}]"# }],
                "structuredContent": { "result": [{ "a": "é", "b": 1 }] },
                "isError": false,
                "_meta": { "fastmcp": { "wrap_result": true } },
            })
        );
        assert_eq!(
            wire("done".to_owned()),
            json!({
                "resultType": "complete",
                "content": [{ "type": "text", "text": "done" }],
                "structuredContent": { "result": "done" },
                "isError": false,
                "_meta": { "fastmcp": { "wrap_result": true } },
            })
        );
        assert_eq!(Vec::<Object>::schema()["x-fastmcp-wrap-result"], true);
    }

    #[test]
    fn objects_stand_as_they_are() {
        assert_eq!(
            wire(object(json!({ "name": "x" }))),
            json!({
                "resultType": "complete",
                "content": [{ "type": "text", "text": r#"{"name":"x"}"# }],
                "structuredContent": { "name": "x" },
                "isError": false,
            })
        );
    }
}
