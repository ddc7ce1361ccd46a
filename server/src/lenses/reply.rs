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

    /// The reply to something that gives a list of objects.
    pub(super) fn list(self) -> Result<Vec<Object>, Error> {
        let unreadable = || Error::Unreadable { what: "something other than the expected list of objects" };
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
            Self::Json(Value::String(text)) | Self::Text(text) => Some(text).filter(|text| !text.trim().is_empty()),
            Self::Json(value) => Some(value.to_string()),
        }
    }
}

/// Why a reply is not one: what it says or is, or that the connection broke.
pub(super) enum ReadError {
    Reply(Error),
    Transport(reqwest::Error),
}

/// Reads `response`, at most `limit` bytes of it.
pub(super) async fn read(
    mut response: reqwest::Response,
    limit: usize,
    credential: &SecretString,
) -> Result<Reply, ReadError> {
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
        return Err(ReadError::Reply(Error::from_reply(response.status(), Problem::read(&body, credential))));
    }
    let content_type = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    interpret(content_type, body).map_err(ReadError::Reply)
}

/// What a 2xx body is. The content type decides only where the bytes leave a choice: agents are known to send JSON as
/// `text/plain`, and proxies to send their pages with any status.
fn interpret(content_type: &str, body: Vec<u8>) -> Result<Reply, Error> {
    let media_type = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(Reply::Empty);
    }
    if media_type.contains("html") {
        return Err(Error::Unreadable { what: "a web page" });
    }
    match serde_json::from_slice(&body) {
        Ok(value) => Ok(Reply::Json(value)),
        Err(_) if media_type.ends_with("json") => Err(Error::Unreadable { what: "JSON that is cut off or malformed" }),
        Err(_) if media_type.is_empty() || media_type.starts_with("text/") || media_type.ends_with("yaml") => {
            match String::from_utf8(body) {
                Ok(text) if text.trim_start().starts_with('<') => Err(Error::Unreadable { what: "a web page" }),
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
    fn an_empty_reply_is_a_success_in_every_shape() {
        assert_eq!(Reply::Empty.object().unwrap(), *json!({"success": true}).as_object().unwrap());
        assert_eq!(Reply::Empty.list().unwrap(), Vec::<Object>::new());
        assert_eq!(Reply::Empty.text(), None);
    }

    #[test]
    fn a_reply_of_another_shape_is_an_error_and_never_a_wrong_answer() {
        assert!(Reply::Json(json!({"items": []})).list().is_err());
        assert!(Reply::Json(json!([1])).list().is_err());
        assert!(Reply::Json(json!([])).object().is_err());
        assert_eq!(Reply::Json(json!({"name": "x"})).text().unwrap(), r#"{"name":"x"}"#);
    }
}
