//! A reply of HQ: read within its bound, and checked to be what HQ sends rather than a proxy's page.

use http::header::CONTENT_TYPE;
use secrecy::SecretString;
use serde_json::Value;

use super::{Error, Object, problem::Problem};

/// The body of a 2xx reply.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Reply {
    /// Nothing: 204, or no bytes. HQ answers so to many changes.
    Empty,
    /// JSON, whatever the content type was called.
    Json(Value),
    /// Text that is not JSON.
    Text(String),
}

impl Reply {
    /// The reply to something that gives one object. Nothing at all is a success without detail.
    pub(super) fn object(self) -> Result<Object, Error> {
        match self {
            Self::Json(Value::Object(object)) => Ok(object),
            Self::Empty => Ok(Object::from_iter([("success".to_owned(), Value::Bool(true))])),
            Self::Json(_) | Self::Text(_) => {
                Err(Error::Unreadable { what: "something other than the expected object" })
            }
        }
    }

    /// The reply to a change that is described by an object. The change was made, so that whatever HQ says of it is a
    /// success; what is no object stands in `result`.
    pub(super) fn acknowledgement(self) -> Object {
        let said = match self {
            Self::Json(Value::Object(object)) => return object,
            Self::Empty | Self::Json(Value::Null) => None,
            Self::Json(value) => Some(value),
            Self::Text(text) => Some(Value::String(text)),
        };
        let success = ("success".to_owned(), Value::Bool(true));
        [success].into_iter().chain(said.map(|said| ("result".to_owned(), said))).collect()
    }

    /// The reply to something that gives a list of objects.
    pub(super) fn list(self) -> Result<Vec<Object>, Error> {
        let unreadable =
            || Error::Unreadable { what: "something other than the expected list of objects" };
        match self {
            Self::Json(Value::Array(items)) => items
                .into_iter()
                .map(|item| match item {
                    Value::Object(object) => Ok(object),
                    _ => Err(unreadable()),
                })
                .collect(),
            Self::Empty => Ok(Vec::new()),
            Self::Json(_) | Self::Text(_) => Err(unreadable()),
        }
    }

    /// The reply as text, where HQ says something; JSON is written out compactly.
    pub(super) fn text(self) -> Option<String> {
        match self {
            Self::Empty | Self::Json(Value::Null) => None,
            Self::Json(Value::String(text)) | Self::Text(text) => {
                Some(text).filter(|text| !text.trim().is_empty())
            }
            Self::Json(value) => Some(value.to_string()),
        }
    }
}

/// Why a reply is not one: what it says or is, or that the connection broke.
pub(super) enum ReadError {
    Reply(Error),
    Transport(reqwest::Error),
}

/// The end of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tail {
    /// The end, from the beginning of a line.
    pub text: String,
    /// Bytes before it that were left out.
    pub left_out: u64,
}

/// Reads `response`, at most `limit` bytes of it.
pub(super) async fn read(
    response: reqwest::Response,
    limit: usize,
    credential: &SecretString,
) -> Result<Reply, ReadError> {
    let (content_type, body) = read_body(response, limit, credential).await?;
    interpret(&content_type, body).map_err(ReadError::Reply)
}

/// Reads `response` as text, at most `limit` bytes of it.
pub(super) async fn read_text(
    response: reqwest::Response,
    limit: usize,
    credential: &SecretString,
) -> Result<String, ReadError> {
    let (content_type, body) = read_body(response, limit, credential).await?;
    interpret_text(&content_type, &body).map_err(ReadError::Reply)
}

/// Reads the last `keep` bytes of `response`'s text, of whatever length that is. One that comes as a JSON string is read
/// whole, at most `limit` bytes of it.
pub(super) async fn read_tail(
    mut response: reqwest::Response,
    keep: usize,
    limit: usize,
    credential: &SecretString,
) -> Result<Tail, ReadError> {
    let content_type = content_type(&response);
    if !response.status().is_success() || media_type(&content_type).ends_with("json") {
        return Ok(tail_of(&read_text(response, limit, credential).await?, keep, 0));
    }
    let (mut kept, mut dropped) = (Vec::new(), 0);
    while let Some(chunk) = response.chunk().await.map_err(ReadError::Transport)? {
        kept.extend_from_slice(&chunk);
        // Seldom, so that what is kept is not moved for each chunk; one byte more tells whether a line begins.
        if kept.len() > keep.saturating_mul(2) {
            let surplus = kept.len() - keep - 1;
            kept.drain(..surplus);
            dropped += surplus as u64;
        }
    }
    let text = interpret_text(&content_type, &kept).map_err(ReadError::Reply)?;
    Ok(tail_of(&text, keep, dropped))
}

/// The last `keep` bytes of `text`, or less, from the beginning of a line where there is one in them. `dropped` bytes
/// stood before it.
fn tail_of(text: &str, keep: usize, dropped: u64) -> Tail {
    if text.len() <= keep {
        return Tail { text: text.to_owned(), left_out: dropped };
    }
    let mut start = text.len() - keep;
    while !text.is_char_boundary(start) {
        start += 1;
    }
    // From the byte before: a line may begin exactly here.
    let before = text.as_bytes().get(start - 1..).unwrap_or_default();
    if let Some(end) =
        before.iter().position(|byte| *byte == b'\n').filter(|end| end + 1 < before.len())
    {
        start += end;
    }
    Tail {
        text: text.get(start..).unwrap_or_default().to_owned(),
        left_out: dropped + start as u64,
    }
}

fn content_type(response: &reqwest::Response) -> String {
    response
        .headers()
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
        .to_owned()
}

fn media_type(content_type: &str) -> String {
    content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// Content type and body of a 2xx reply.
async fn read_body(
    mut response: reqwest::Response,
    limit: usize,
    credential: &SecretString,
) -> Result<(String, Vec<u8>), ReadError> {
    let too_large = || ReadError::Reply(Error::TooLarge { limit });
    let declared = response.content_length().unwrap_or(0);
    if declared > limit as u64 {
        return Err(too_large());
    }
    let mut body = Vec::with_capacity(usize::try_from(declared).unwrap_or(0));
    while let Some(chunk) = response.chunk().await.map_err(ReadError::Transport)? {
        if chunk.len() > limit - body.len() {
            return Err(too_large());
        }
        body.extend_from_slice(&chunk);
    }
    if !response.status().is_success() {
        return Err(ReadError::Reply(Error::from_reply(
            response.status(),
            Problem::read(&body, credential),
        )));
    }
    Ok((content_type(&response), body))
}

/// A 2xx body that is text by nature: as it stands, unless it is a JSON string. Bytes that are not UTF-8 are replaced.
fn interpret_text(content_type: &str, body: &[u8]) -> Result<String, Error> {
    let media_type = media_type(content_type);
    let text = String::from_utf8_lossy(body);
    let start: String = text.trim_start().chars().take(15).collect::<String>().to_ascii_lowercase();
    if media_type.contains("html")
        || start.starts_with("<!doctype html")
        || start.starts_with("<html")
    {
        return Err(Error::Unreadable { what: "a web page" });
    }
    if media_type.ends_with("json") && !text.trim().is_empty() {
        return match serde_json::from_slice(body) {
            Ok(Value::String(text)) => Ok(text),
            Ok(_) => Ok(text.into_owned()),
            Err(_) => Err(Error::Unreadable { what: "JSON that is cut off or malformed" }),
        };
    }
    Ok(text.into_owned())
}

/// What a 2xx body is. The content type decides only where the bytes leave a choice: agents are known to send JSON as
/// `text/plain`, and proxies to send their pages with any status.
fn interpret(content_type: &str, body: Vec<u8>) -> Result<Reply, Error> {
    let media_type = media_type(content_type);
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(Reply::Empty);
    }
    if media_type.contains("html") {
        return Err(Error::Unreadable { what: "a web page" });
    }
    match serde_json::from_slice(&body) {
        Ok(value) => Ok(Reply::Json(value)),
        Err(_) if media_type.ends_with("json") => {
            Err(Error::Unreadable { what: "JSON that is cut off or malformed" })
        }
        Err(_)
            if media_type.is_empty()
                || media_type.starts_with("text/")
                || media_type.ends_with("yaml") =>
        {
            match String::from_utf8(body) {
                Ok(text) if text.trim_start().starts_with('<') => {
                    Err(Error::Unreadable { what: "a web page" })
                }
                Ok(text) => Ok(Reply::Text(text)),
                Err(_) => Err(Error::Unreadable { what: "text that is not UTF-8" }),
            }
        }
        Err(_) => Err(Error::Unreadable { what: "an unexpected content type" }),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(content_type: &str, body: &str) -> Result<Reply, &'static str> {
        interpret(content_type, body.as_bytes().to_vec()).map_err(|error| match error {
            Error::Unreadable { what } => what,
            other => panic!("{other}"),
        })
    }

    #[test]
    fn a_body_is_what_its_bytes_are() {
        for (content_type, body, expected) in [
            ("application/json", "{}", Ok(Reply::Json(json!({})))),
            ("application/json; charset=utf-8", "[1]", Ok(Reply::Json(json!([1])))),
            ("text/plain", r#"{"a":1}"#, Ok(Reply::Json(json!({"a": 1})))),
            ("", "[]", Ok(Reply::Json(json!([])))),
            ("application/json", "", Ok(Reply::Empty)),
            ("text/html", " \n", Ok(Reply::Empty)),
            ("text/plain", "done: it is", Ok(Reply::Text("done: it is".to_owned()))),
            ("application/yaml", "kind: Connector", Ok(Reply::Text("kind: Connector".to_owned()))),
            ("text/html; charset=utf-8", "<html>log in</html>", Err("a web page")),
            ("text/plain", "<!doctype html>", Err("a web page")),
            ("application/json", r#"{"a":"#, Err("JSON that is cut off or malformed")),
            ("application/octet-stream", "\u{1}", Err("an unexpected content type")),
        ] {
            assert_eq!(read(content_type, body), expected, "{content_type} {body:?}");
        }
    }

    #[test]
    fn fault_12_a_text_is_what_its_bytes_say_whatever_it_looks_like() {
        for (content_type, body, expected) in [
            ("application/yaml", "a: 1\nb: {}\n", Ok("a: 1\nb: {}\n")),
            ("text/plain", r#"{"level":"info"}"#, Ok(r#"{"level":"info"}"#)),
            ("text/plain", "<14>Nov 24 started", Ok("<14>Nov 24 started")),
            ("application/octet-stream", "a line\n", Ok("a line\n")),
            ("application/json", r#""a\nb""#, Ok("a\nb")),
            ("application/json", r#"{"b": 1, "a": 2}"#, Ok(r#"{"b": 1, "a": 2}"#)),
            ("application/json", "", Ok("")),
            ("", "", Ok("")),
            ("application/json", r#""cut o"#, Err("JSON that is cut off or malformed")),
            ("text/html", "log in", Err("a web page")),
            ("text/plain", "\n<!DOCTYPE html><p>", Err("a web page")),
        ] {
            let read = interpret_text(content_type, body.as_bytes()).map_err(|error| match error {
                Error::Unreadable { what } => what,
                other => panic!("{other}"),
            });
            assert_eq!(read.as_deref(), expected.as_ref().copied(), "{content_type} {body:?}");
        }
        assert_eq!(interpret_text("text/plain", b"a\xffb").unwrap(), "a\u{fffd}b");
    }

    #[test]
    fn a_tail_begins_at_a_line_and_tells_what_is_missing() {
        for (keep, text, left_out) in [
            (9, "one\ntwo\n", 0),
            (8, "one\ntwo\n", 0),
            (7, "two\n", 4),
            (4, "two\n", 4),
            (3, "wo\n", 5),
            (0, "", 8),
        ] {
            assert_eq!(
                tail_of("one\ntwo\n", keep, 0),
                Tail { text: text.to_owned(), left_out },
                "{keep}"
            );
        }
        assert_eq!(tail_of("aüb", 2, 10), Tail { text: "b".to_owned(), left_out: 13 });
    }

    #[test]
    fn an_empty_reply_is_a_success_in_every_shape() {
        assert_eq!(Reply::Empty.object().unwrap(), *json!({"success": true}).as_object().unwrap());
        assert_eq!(Reply::Empty.list().unwrap(), Vec::<Object>::new());
        assert_eq!(Reply::Empty.text(), None);
    }

    #[test]
    fn a_change_that_was_made_is_a_success_whatever_hq_says_of_it() {
        for (reply, object) in [
            (Reply::Empty, json!({"success": true})),
            (Reply::Json(json!(null)), json!({"success": true})),
            (Reply::Json(json!({"id": 1})), json!({"id": 1})),
            (Reply::Json(json!(["a"])), json!({"success": true, "result": ["a"]})),
            (Reply::Text("done".to_owned()), json!({"success": true, "result": "done"})),
        ] {
            assert_eq!(Value::Object(reply.acknowledgement()), object);
        }
    }

    #[test]
    fn a_reply_of_another_shape_is_an_error_and_never_a_wrong_answer() {
        assert!(Reply::Json(json!({"items": []})).list().is_err());
        assert!(Reply::Json(json!([1])).list().is_err());
        assert!(Reply::Json(json!([])).object().is_err());
        assert_eq!(Reply::Json(json!({"name": "x"})).text().unwrap(), r#"{"name":"x"}"#);
    }
}
