//! The frames of the SQL websocket: `{"type": …, "data": …}`.

use std::borrow::Cow;

use secrecy::SecretString;
use serde::Deserialize;
use serde_json::{Value, value::RawValue};

use super::super::{Error, Problem};

/// What one frame means for the query that it belongs to.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Frame<'a> {
    /// RECORD: one row, a JSON object.
    Record(Cow<'a, str>),
    /// STATS: how far the query has come.
    Stats(Stats),
    /// HEARTBEAT, and types that are not known yet: the query goes on.
    Passing,
    /// ERROR or INVALIDREQUEST: the query is over and has failed.
    Error(Problem),
    /// END or SUCCESS: the query is over.
    End,
}

/// What HQ has looked at, whether it became a row or not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Stats {
    pub(super) bytes_read: u64,
    pub(super) records_scanned: u64,
}

#[derive(Deserialize)]
struct Wire<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow, default)]
    data: Option<&'a RawValue>,
}

impl<'a> Frame<'a> {
    /// Reads one frame. `credential` is struck out of messages.
    pub(super) fn read(bytes: &'a [u8], credential: &SecretString) -> Result<Self, Error> {
        let Wire { kind, data } = serde_json::from_slice(bytes)
            .map_err(|_| Error::Unreadable { what: "a frame that is not SQL's" })?;
        let data = data.map_or("null", RawValue::get);
        Ok(match &*kind {
            "RECORD" => Self::Record(match data {
                // A row without columns is a row all the same.
                "null" => "{}".into(),
                object if object.starts_with('{') => object.into(),
                value => format!("{{\"value\":{value}}}").into(),
            }),
            "STATS" => serde_json::from_str(data).map_or(Self::Passing, Self::Stats),
            "ERROR" | "INVALIDREQUEST" => Self::Error(problem(data, credential)),
            "END" | "SUCCESS" => Self::End,
            _ => Self::Passing,
        })
    }
}

/// HQ's documents do not say what an ERROR frame holds: a text, a problem document or the agent's shape is read; any
/// other JSON is the message as it stands.
fn problem(data: &str, credential: &SecretString) -> Problem {
    let value = serde_json::from_str(data).unwrap_or(Value::Null);
    let problem = Problem::from_value(&value, credential);
    if problem == Problem::default() && !value.is_null() {
        return Problem::from_value(&Value::String(data.to_owned()), credential);
    }
    problem
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(frame: &str) -> Frame<'_> {
        Frame::read(frame.as_bytes(), &"token".into()).unwrap()
    }

    #[test]
    fn every_record_is_a_row_tombstones_and_empty_ones_too() {
        for (data, row) in [
            (
                r#"{"rownum":0, "key":1.50,"value":{"a":1}}"#,
                r#"{"rownum":0, "key":1.50,"value":{"a":1}}"#,
            ),
            (r#" {"key":1,"value":null} "#, r#"{"key":1,"value":null}"#),
            ("{}", "{}"),
            ("null", "{}"),
            ("[1,2]", r#"{"value":[1,2]}"#),
            (r#""text""#, r#"{"value":"text"}"#),
        ] {
            for frame in [
                format!(r#"{{"type":"RECORD","data":{data}}}"#),
                format!(r#"{{"data":{data},"type":"RECORD"}}"#),
            ] {
                assert_eq!(read(&frame), Frame::Record(row.into()));
            }
        }
        assert_eq!(read(r#"{"type":"RECORD"}"#), Frame::Record("{}".into()));
        assert_eq!(read(r#"{"type":"\u0052ECORD","data":{}}"#), Frame::Record("{}".into()));
    }

    #[test]
    fn heartbeats_statistics_and_unknown_types_let_the_query_go_on() {
        for frame in [
            r#"{"type":"HEARTBEAT"}"#,
            r#"{"type":"NEWS","data":1}"#,
            r#"{"type":"STATS","data":"soon"}"#,
        ] {
            assert_eq!(read(frame), Frame::Passing);
        }
        assert_eq!(
            read(
                r#"{"type":"STATS","data":{"bytesRead":7,"recordsScanned":2,"duration":1.5,"sources":["t"]}}"#
            ),
            Frame::Stats(Stats { bytes_read: 7, records_scanned: 2 })
        );
        assert_eq!(read(r#"{"type":"STATS","data":{}}"#), Frame::Stats(Stats::default()));
        assert_eq!(read(r#"{"type":"END"}"#), Frame::End);
        assert_eq!(read(r#"{"type":"SUCCESS","data":"done"}"#), Frame::End);
    }

    #[test]
    fn an_error_keeps_its_message_in_whatever_shape_it_comes() {
        for (data, message) in [
            (json!("no such table"), "no such table"),
            (
                json!({"error": "no such table", "errorType": "SqlError"}),
                "no such table [SqlError]",
            ),
            (json!({"title": "Invalid", "detail": "no such table"}), "Invalid: no such table"),
            (json!({"code": 7}), r#"{"code":7}"#),
            (json!(null), "no reason was given"),
        ] {
            for kind in ["ERROR", "INVALIDREQUEST"] {
                let frame = json!({"type": kind, "data": data}).to_string();
                let Frame::Error(problem) = read(&frame) else { panic!("{kind} is an error") };
                assert_eq!(problem.to_string(), message);
            }
        }
    }

    #[test]
    fn what_is_no_frame_is_an_error() {
        for text in [
            "",
            "{}",
            "[]",
            "<html>",
            r#"{"type":"RECORD","data":{"#,
            r#"{"type":1}"#,
            r#"{"type":"END"}{}"#,
        ] {
            assert!(Frame::read(text.as_bytes(), &"token".into()).is_err(), "{text}");
        }
        assert!(
            Frame::read(b"{\"type\":\"RECORD\",\"data\":{\"a\":\"\xff\"}}", &"token".into())
                .is_err()
        );
    }
}
