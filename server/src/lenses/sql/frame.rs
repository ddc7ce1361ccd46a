//! The frames of the SQL websocket: `{"type": …, "data": …}`.

use secrecy::SecretString;
use serde::Deserialize;
use serde_json::Value;

use super::super::{Error, Problem, problem};
use crate::json;

/// The longest text of a SUCCESS frame that is passed on, in characters.
const MAX_TEXT: usize = 2_000;

/// What one frame means for the query that it belongs to.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Frame<'a> {
    /// RECORD: one row, as HQ wrote it; `None` for a row of nothing.
    Record(Option<&'a [u8]>),
    /// STATS: how far the query has come.
    Stats(Stats),
    /// HEARTBEAT: the query goes on.
    Heartbeat,
    /// SUCCESS: the login was accepted, or a statement without rows was done. What HQ says of it,
    /// if it is a text.
    Success(Option<String>),
    /// A type that is not known: the query goes on.
    Unknown,
    /// INVALIDREQUEST: the query is not run.
    Invalid(Problem),
    /// ERROR: the query is over and has failed.
    Error(Problem),
    /// END: the query is over.
    End,
}

/// What HQ has looked at, whether it became a row or not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Stats {
    pub(super) bytes_read: u64,
    pub(super) records_scanned: u64,
}

impl<'a> Frame<'a> {
    /// Reads one frame, whose type may be written in any case. Its data is not checked: one record
    /// that can't be read is no reason to lose the others. `credential` is struck out of messages.
    pub(super) fn read(bytes: &'a [u8], credential: &SecretString) -> Result<Self, Error> {
        const NO_FRAME: Error = Error::Unreadable { what: "a frame that is not SQL's" };
        let (mut kind, mut data) = (None, None);
        for part in json::Parts::of_object(bytes) {
            let part = part.map_err(|_| NO_FRAME)?;
            match json::text(bytes.get(part.key).unwrap_or_default()).as_deref() {
                Some("type") => kind = bytes.get(part.value),
                Some("data") => data = bytes.get(part.value),
                _ => {}
            }
        }
        let kind = kind.and_then(json::text).ok_or(NO_FRAME)?;
        let data = data.filter(|data| *data != b"null");
        Ok(match kind.to_ascii_uppercase().as_str() {
            "RECORD" => Self::Record(data),
            "STATS" => data
                .and_then(|data| serde_json::from_slice(data).ok())
                .map_or(Self::Heartbeat, Self::Stats),
            "HEARTBEAT" => Self::Heartbeat,
            "SUCCESS" => Self::Success(
                data.and_then(json::text)
                    .map(|text| problem::clean(&text, credential, MAX_TEXT))
                    .filter(|text| !text.is_empty()),
            ),
            "INVALIDREQUEST" => Self::Invalid(problem(data.unwrap_or(b"null"), credential)),
            "ERROR" => Self::Error(problem(data.unwrap_or(b"null"), credential)),
            "END" => Self::End,
            _ => Self::Unknown,
        })
    }
}

/// HQ's documents do not say what an ERROR frame holds: a text, a problem document or the agent's
/// shape is read; any other JSON is the message as it stands.
fn problem(data: &[u8], credential: &SecretString) -> Problem {
    let value = serde_json::from_slice(data).unwrap_or(Value::Null);
    let problem = Problem::from_value(&value, credential);
    if problem == Problem::default() && data != b"null" {
        let text = String::from_utf8_lossy(data).into_owned();
        return Problem::from_value(&Value::String(text), credential);
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
                Some(r#"{"rownum":0, "key":1.50,"value":{"a":1}}"#),
            ),
            (r#" {"key":1,"value":null} "#, Some(r#"{"key":1,"value":null}"#)),
            ("{}", Some("{}")),
            ("null", None),
            ("[1,2]", Some("[1,2]")),
            (r#"{"a":"\ud800"}"#, Some(r#"{"a":"\ud800"}"#)),
        ] {
            for frame in [
                format!(r#"{{"type":"RECORD","data":{data}}}"#),
                format!(r#"{{"data":{data},"type":"record"}}"#),
            ] {
                assert_eq!(read(&frame), Frame::Record(row.map(str::as_bytes)));
            }
        }
        assert_eq!(read(r#"{"type":"RECORD"}"#), Frame::Record(None));
        assert_eq!(read(r#"{"type":"\u0052ecord","data":{}}"#), Frame::Record(Some(b"{}")));
    }

    #[test]
    fn heartbeats_statistics_successes_and_unknown_types_let_the_query_go_on() {
        for (frame, expected) in [
            (r#"{"type":"HEARTBEAT"}"#, Frame::Heartbeat),
            (r#"{"type":"NEWS","data":1}"#, Frame::Unknown),
            (r#"{"type":"STATS","data":"soon"}"#, Frame::Heartbeat),
            (
                concat!(
                    r#"{"type":"Stats","data":{"bytesRead":7,"recordsScanned":2,"duration":1.5,"#,
                    r#""sources":["t"]}}"#,
                ),
                Frame::Stats(Stats { bytes_read: 7, records_scanned: 2 }),
            ),
            (r#"{"type":"STATS","data":{}}"#, Frame::Stats(Stats::default())),
            (r#"{"type":"SUCCESS"}"#, Frame::Success(None)),
            (r#"{"type":"SUCCESS","data":{"user":"a"}}"#, Frame::Success(None)),
            (
                r#"{"type":"success","data":"done for token"}"#,
                Frame::Success(Some("done for [credential]".to_owned())),
            ),
            (r#"{"type":"END"}"#, Frame::End),
            (r#"{"type":"end","data":null}"#, Frame::End),
        ] {
            assert_eq!(read(frame), expected, "{frame}");
        }
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
                let (problem, read_as) = match read(&frame) {
                    Frame::Error(problem) => (problem, "ERROR"),
                    Frame::Invalid(problem) => (problem, "INVALIDREQUEST"),
                    frame => panic!("{kind} is an error: {frame:?}"),
                };
                assert_eq!((problem.to_string().as_str(), read_as), (message, kind));
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
    }
}
