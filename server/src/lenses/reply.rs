//! A reply of HQ to something that it did: what its bytes are, and what they are to the operation
//! that was asked for.

use bytes::Bytes;

use super::{
    Error,
    raw::{self, NoList, RawList, RawObject},
};
use crate::{json, media_type::essence};

/// The body of a 2xx reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reply {
    /// Nothing: 204, or no bytes. HQ answers so to many changes.
    Empty,
    /// JSON, whatever the content type was called; or what was called JSON and is not, which shows
    /// when it is read.
    Json(Bytes),
    /// Text that is not JSON.
    Text(String),
}

/// U+FEFF, which is not a part of the text behind it (RFC 8259 §8.1).
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

pub(super) const NOT_JSON: Error = Error::Unreadable { what: "JSON that is cut off or malformed" };

impl Reply {
    /// The reply to something that gives one object. Nothing at all is a success without detail.
    pub(super) fn object(self) -> Result<RawObject, Error> {
        const OTHER: Error = Error::Unreadable { what: "something other than the expected object" };
        match self {
            Self::Json(json) if starts_with(&json, b'{') => {
                RawObject::read(json).map_err(|_| NOT_JSON)
            }
            Self::Json(json) if raw::is_complete(&json) => Err(OTHER),
            Self::Json(_) => Err(NOT_JSON),
            Self::Text(_) => Err(OTHER),
            Self::Empty => Ok(success(None)),
        }
    }

    /// The reply to a change that is described by an object. The change was made, so that whatever
    /// HQ says of it is a success; what is no object stands in `result`.
    pub(super) fn acknowledgement(self) -> Result<RawObject, Error> {
        let mut said = String::new();
        match self {
            Self::Json(json) if starts_with(&json, b'{') => {
                return RawObject::read(json).map_err(|_| NOT_JSON);
            }
            Self::Json(json) if !raw::is_complete(&json) => return Err(NOT_JSON),
            Self::Json(json) if json.trim_ascii() == b"null" => {}
            Self::Json(json) => raw::salvage_value(json.trim_ascii(), &mut said),
            Self::Text(text) => json::push_string(&text, &mut said),
            Self::Empty => {}
        }
        Ok(success(Some(said).filter(|said| !said.is_empty())))
    }

    /// The reply to something that gives a list of objects.
    pub(super) fn list(self) -> Result<RawList, Error> {
        match self {
            Self::Json(json) => RawList::read(json).map_err(not_the_list),
            Self::Empty => Ok(RawList::default()),
            Self::Text(_) => Err(not_the_list(NoList::Other)),
        }
    }

    /// The reply to something that gives an object whose member `name` is a list of objects, or is
    /// not there.
    pub(super) fn list_in(self, name: &str) -> Result<RawList, Error> {
        match self {
            Self::Json(json) if starts_with(&json, b'{') => {
                RawList::of_member(&json, name).map_err(not_the_list)
            }
            other => other.object().map(|_| RawList::default()),
        }
    }

    /// The reply as text, where HQ says something; JSON stays as it is.
    pub(super) fn text(self) -> Result<Option<String>, Error> {
        let said = match self {
            Self::Empty => return Ok(None),
            Self::Text(text) => text,
            Self::Json(json) if !raw::is_complete(&json) => return Err(NOT_JSON),
            Self::Json(json) => match (json.trim_ascii(), json::text(json.trim_ascii())) {
                (b"null", _) => return Ok(None),
                (_, Some(text)) => text.into_owned(),
                (json, None) => String::from_utf8_lossy(json).into_owned(),
            },
        };
        Ok(Some(said).filter(|said| !said.trim().is_empty()))
    }
}

fn not_the_list(fault: NoList) -> Error {
    match fault {
        NoList::Malformed => NOT_JSON,
        NoList::Other => {
            Error::Unreadable { what: "something other than the expected list of objects" }
        }
    }
}

/// A success of which HQ says `result`, which is JSON.
fn success(result: Option<String>) -> RawObject {
    let result = result.map(|result| format!(r#","result":{result}"#)).unwrap_or_default();
    RawObject::new(format!(r#"{{"success":true{result}}}"#))
}

fn starts_with(json: &[u8], byte: u8) -> bool {
    json.trim_ascii_start().first() == Some(&byte)
}

/// What a 2xx body is. The content type decides only where the bytes leave a choice: agents are
/// known to send JSON as `text/plain`, and proxies to send their pages with any status.
pub(super) fn interpret(content_type: &str, mut body: Vec<u8>) -> Result<Reply, Error> {
    if body.starts_with(BYTE_ORDER_MARK) {
        body.drain(..BYTE_ORDER_MARK.len());
    }
    let media_type = essence(content_type).to_ascii_lowercase();
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(Reply::Empty);
    }
    if media_type.contains("html") {
        return Err(Error::Unreadable { what: "a web page" });
    }
    if media_type.ends_with("json") || is_json(&body) {
        return Ok(Reply::Json(body.into()));
    }
    if !(media_type.is_empty() || media_type.starts_with("text/") || media_type.ends_with("yaml")) {
        return Err(Error::Unreadable { what: "an unexpected content type" });
    }
    match String::from_utf8(body) {
        Ok(text) if text.trim_start().starts_with('<') => {
            Err(Error::Unreadable { what: "a web page" })
        }
        Ok(text) => Ok(Reply::Text(text)),
        Err(_) => Err(Error::Unreadable { what: "text that is not UTF-8" }),
    }
}

/// Whether a body that is not called JSON is JSON all the same, though a record of it may be
/// unreadable.
fn is_json(body: &[u8]) -> bool {
    let mut start = body.iter().filter(|byte| !byte.is_ascii_whitespace());
    match (start.next(), start.next()) {
        (Some(b'{'), Some(b'"')) | (Some(b'['), Some(b'{')) => raw::is_complete(body),
        _ => json::check(body).is_ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(text: &str) -> Reply {
        Reply::Json(Bytes::copy_from_slice(text.as_bytes()))
    }

    fn read(content_type: &str, body: &str) -> Result<Reply, &'static str> {
        interpret(content_type, body.as_bytes().to_vec()).map_err(|error| match error {
            Error::Unreadable { what } => what,
            other => panic!("{other}"),
        })
    }

    #[test]
    fn a_body_is_what_its_bytes_are() {
        for (content_type, body, expected) in [
            ("application/json", "{}", Ok(json("{}"))),
            ("application/json; charset=utf-8", "[1]", Ok(json("[1]"))),
            ("text/plain", r#"{"a":1}"#, Ok(json(r#"{"a":1}"#))),
            ("text/plain", r#"[{"a":"\ud800"}]"#, Ok(json(r#"[{"a":"\ud800"}]"#))),
            ("text/plain", "[INFO] started", Ok(Reply::Text("[INFO] started".to_owned()))),
            ("text/plain", "[INFO]", Ok(Reply::Text("[INFO]".to_owned()))),
            ("", "[]", Ok(json("[]"))),
            ("application/json", "\u{feff}[]", Ok(json("[]"))),
            ("application/json", "", Ok(Reply::Empty)),
            ("text/html", " \n", Ok(Reply::Empty)),
            ("text/plain", "done: it is", Ok(Reply::Text("done: it is".to_owned()))),
            ("application/yaml", "kind: Connector", Ok(Reply::Text("kind: Connector".to_owned()))),
            ("text/html; charset=utf-8", "<html>log in</html>", Err("a web page")),
            ("text/plain", "<!doctype html>", Err("a web page")),
            ("application/octet-stream", "\u{1}", Err("an unexpected content type")),
        ] {
            assert_eq!(read(content_type, body), expected, "{content_type} {body:?}");
        }
    }

    #[test]
    fn an_empty_reply_is_a_success_in_every_shape() {
        assert_eq!(Reply::Empty.object().unwrap().as_str(), r#"{"success":true}"#);
        assert_eq!(Reply::Empty.list().unwrap(), RawList::default());
        assert_eq!(Reply::Empty.list_in("items").unwrap(), RawList::default());
        assert_eq!(Reply::Empty.text().unwrap(), None);
    }

    #[test]
    fn a_change_that_was_made_is_a_success_whatever_the_reply() {
        for (reply, object) in [
            (Reply::Empty, r#"{"success":true}"#),
            (json(" null "), r#"{"success":true}"#),
            (json(r#"{"id":1.0}"#), r#"{"id":1.0}"#),
            (json(r#" ["a"] "#), r#"{"success":true,"result":["a"]}"#),
            (json("9007199254740993"), r#"{"success":true,"result":"9007199254740993"}"#),
            (Reply::Text("done".to_owned()), r#"{"success":true,"result":"done"}"#),
        ] {
            assert_eq!(reply.acknowledgement().unwrap().as_str(), object);
        }
    }

    #[test]
    fn a_reply_of_another_shape_is_an_error_not_a_result() {
        let what = |error| match error {
            Error::Unreadable { what } => what,
            other => panic!("{other}"),
        };
        let other = "something other than the expected list of objects";
        for text in [r#"{"items": []}"#, "[1]", "7"] {
            assert_eq!(what(json(text).list().unwrap_err()), other);
        }
        for text in ["[]", "7", r#""a""#] {
            let object = "something other than the expected object";
            assert_eq!(what(json(text).object().unwrap_err()), object);
            assert_eq!(what(json(text).list_in("items").unwrap_err()), object);
        }
        assert_eq!(what(json(r#"{"items":7}"#).list_in("items").unwrap_err()), other);
        let cut_off = "JSON that is cut off or malformed";
        for text in [r#"{"a":"#, "[{}", "<html>", "{} {}"] {
            assert_eq!(what(json(text).object().unwrap_err()), cut_off, "{text}");
            assert_eq!(what(json(text).acknowledgement().unwrap_err()), cut_off, "{text}");
            assert_eq!(what(json(text).list().unwrap_err()), cut_off, "{text}");
            assert_eq!(what(json(text).list_in("items").unwrap_err()), cut_off, "{text}");
            assert_eq!(what(json(text).text().unwrap_err()), cut_off, "{text}");
        }
        assert_eq!(json(r#"{"name": "x"}"#).text().unwrap().unwrap(), r#"{"name": "x"}"#);
    }
}
