//! The frames of the SQL websocket: `{"type": …, "data": …}`.

use secrecy::SecretString;
use serde::Deserialize;
use serde_json::Value;

use super::super::{Error, Object, Problem};

/// What one frame means for the query that it belongs to.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Frame {
    /// RECORD: one row.
    Record(Object),
    /// HEARTBEAT, STATS, and types that are not known yet: the query goes on.
    Passing,
    /// ERROR or INVALIDREQUEST: the query is over and has failed.
    Error(Problem),
    /// END or SUCCESS: the query is over.
    End,
}

#[derive(Deserialize)]
struct Wire {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    data: Value,
}

impl Frame {
    /// Reads one frame. `credential` is struck out of messages.
    pub(super) fn read(bytes: &[u8], credential: &SecretString) -> Result<Self, Error> {
        let Wire { kind, data } =
            serde_json::from_slice(bytes).map_err(|_| Error::Unreadable { what: "a frame that is not SQL's" })?;
        Ok(match kind.as_str() {
            "RECORD" => Self::Record(match data {
                Value::Object(row) => row,
                // A row without columns is a row all the same.
                Value::Null => Object::new(),
                value => Object::from_iter([("value".to_owned(), value)]),
            }),
            "ERROR" | "INVALIDREQUEST" => Self::Error(problem(&data, credential)),
            "END" | "SUCCESS" => Self::End,
            _ => Self::Passing,
        })
    }
}

/// HQ's documents do not say what an ERROR frame holds: a text, a problem document or the agent's shape is read; any
/// other JSON is the message as it stands.
fn problem(data: &Value, credential: &SecretString) -> Problem {
    let problem = Problem::from_value(data, credential);
    if problem == Problem::default() && !data.is_null() {
        return Problem::from_value(&Value::String(data.to_string()), credential);
    }
    problem
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(frame: &Value) -> Frame {
        Frame::read(frame.to_string().as_bytes(), &"token".into()).unwrap()
    }

    #[test]
    fn every_record_is_a_row_tombstones_and_empty_ones_too() {
        for (data, row) in [
            (json!({"key": 1, "value": {"a": 1}, "rownum": 0}), json!({"key": 1, "value": {"a": 1}, "rownum": 0})),
            (json!({"key": 1, "value": null}), json!({"key": 1, "value": null})),
            (json!({}), json!({})),
            (json!(null), json!({})),
            (json!([1, 2]), json!({"value": [1, 2]})),
        ] {
            assert_eq!(read(&json!({"type": "RECORD", "data": data})), Frame::Record(row.as_object().unwrap().clone()));
        }
        assert_eq!(read(&json!({"type": "RECORD"})), Frame::Record(Object::new()));
    }

    #[test]
    fn heartbeats_statistics_and_unknown_types_let_the_query_go_on() {
        for kind in ["HEARTBEAT", "STATS", "NEWS"] {
            assert_eq!(read(&json!({"type": kind, "data": {"results": 1}})), Frame::Passing);
        }
        assert_eq!(read(&json!({"type": "END"})), Frame::End);
        assert_eq!(read(&json!({"type": "SUCCESS", "data": "done"})), Frame::End);
    }

    #[test]
    fn an_error_keeps_its_message_in_whatever_shape_it_comes() {
        for (data, message) in [
            (json!("no such table"), "no such table"),
            (json!({"error": "no such table", "errorType": "SqlError"}), "no such table [SqlError]"),
            (json!({"title": "Invalid", "detail": "no such table"}), "Invalid: no such table"),
            (json!({"code": 7}), r#"{"code":7}"#),
            (json!(null), "no reason was given"),
        ] {
            for kind in ["ERROR", "INVALIDREQUEST"] {
                let Frame::Error(problem) = read(&json!({"type": kind, "data": data})) else {
                    panic!("{kind} is an error")
                };
                assert_eq!(problem.to_string(), message);
            }
        }
    }

    #[test]
    fn what_is_no_frame_is_an_error() {
        for text in ["", "{}", "[]", "<html>", r#"{"type":"RECORD","data":{"#, r#"{"type":1}"#] {
            assert!(Frame::read(text.as_bytes(), &"token".into()).is_err(), "{text}");
        }
    }
}
