//! The body of a reply: read within its bound, and checked to be what HQ sends rather than a
//! proxy's page.

use http::header::CONTENT_TYPE;
use secrecy::SecretString;

use super::{
    Error,
    problem::Problem,
    raw,
    reply::{self, NOT_JSON, Reply},
};
use crate::{
    json,
    limits::{Full, Held},
    media_type::essence,
};

/// Why a reply is not one: what it says or is, or that the connection broke.
pub(super) enum ReadError {
    Reply(Error),
    Transport(reqwest::Error),
}

impl Bounds<'_> {
    /// Reserves `bytes` of a text of `length` bytes, if that is known.
    async fn reserve(&self, bytes: usize, length: Option<usize>) -> Result<(), ReadError> {
        if bytes == 0 {
            return Ok(());
        }
        let reserved = self.bytes.reserve(bytes, length).await;
        reserved.map_err(|Full| ReadError::Reply(Error::Overloaded))
    }
}

/// The end of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tail {
    /// The end, from the beginning of a line.
    pub text: String,
    /// Bytes before it that were left out.
    pub left_out: u64,
}

/// What bounds the body of a reply.
pub(super) struct Bounds<'a> {
    /// Most bytes.
    pub(super) limit: usize,
    /// Where its bytes are reserved.
    pub(super) bytes: &'a Held,
    /// What is struck out of errors.
    pub(super) credential: &'a SecretString,
}

/// Reads `response` within `bounds`.
pub(super) async fn read(
    response: reqwest::Response,
    bounds: &Bounds<'_>,
) -> Result<Reply, ReadError> {
    let (content_type, body) = read_body(response, bounds).await?;
    reply::interpret(&content_type, body).map_err(ReadError::Reply)
}

/// Reads `response` as text within `bounds`.
pub(super) async fn read_text(
    response: reqwest::Response,
    bounds: &Bounds<'_>,
) -> Result<String, ReadError> {
    let (content_type, body) = read_body(response, bounds).await?;
    interpret_text(&content_type, &body).map_err(ReadError::Reply)
}

/// Reads the last `keep` bytes of `response`'s text, of whatever length that is. One that comes as
/// a JSON string is read whole, within `bounds`.
pub(super) async fn read_tail(
    mut response: reqwest::Response,
    keep: usize,
    bounds: &Bounds<'_>,
) -> Result<Tail, ReadError> {
    let content_type = content_type(&response);
    if !response.status().is_success()
        || essence(&content_type).to_ascii_lowercase().ends_with("json")
    {
        return Ok(tail_of(&read_text(response, bounds).await?, keep, 0));
    }
    // Twice what is kept is there before it is cut.
    bounds.reserve(keep.saturating_mul(2), None).await?;
    let (mut kept, mut dropped) = (Vec::new(), 0);
    while let Some(chunk) = response.chunk().await.map_err(ReadError::Transport)? {
        kept.extend_from_slice(&chunk);
        // Seldom, so that what is kept is not moved for each chunk; one byte more tells whether a
        // line begins.
        if kept.len() > keep.saturating_mul(2) {
            let surplus = kept.len() - keep - 1;
            kept.drain(..surplus);
            dropped += surplus as u64;
        }
    }
    let text = interpret_text(&content_type, &kept).map_err(ReadError::Reply)?;
    Ok(tail_of(&text, keep, dropped))
}

/// The last `keep` bytes of `text`, or less, from the beginning of a line where there is one in
/// them. `dropped` bytes stood before it.
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

/// Content type and body of a 2xx reply.
async fn read_body(
    mut response: reqwest::Response,
    bounds: &Bounds<'_>,
) -> Result<(String, Vec<u8>), ReadError> {
    let Bounds { limit, credential, .. } = *bounds;
    let too_large = || ReadError::Reply(Error::TooLarge { limit });
    let declared = response.content_length().unwrap_or(0);
    if declared > limit as u64 {
        return Err(too_large());
    }
    let declared = usize::try_from(declared).unwrap_or(0);
    bounds.reserve(declared, Some(declared)).await?;
    let mut body = Vec::with_capacity(declared);
    while let Some(chunk) = response.chunk().await.map_err(ReadError::Transport)? {
        if chunk.len() > limit - body.len() {
            return Err(too_large());
        }
        let beyond = (body.len() + chunk.len()).saturating_sub(declared.max(body.len()));
        bounds.reserve(beyond, None).await?;
        body.extend_from_slice(&chunk);
    }
    if !response.status().is_success() {
        let problem = Problem::read(&content_type(&response), &body, credential);
        return Err(ReadError::Reply(Error::from_reply(response.status(), problem)));
    }
    Ok((content_type(&response), body))
}

/// A 2xx body that is text by nature: as it stands, unless it is a JSON string. Bytes that are not
/// UTF-8 are replaced.
fn interpret_text(content_type: &str, body: &[u8]) -> Result<String, Error> {
    let media_type = essence(content_type).to_ascii_lowercase();
    let text = String::from_utf8_lossy(body);
    let start: String = text.trim_start().chars().take(15).collect::<String>().to_ascii_lowercase();
    if media_type.contains("html")
        || start.starts_with("<!doctype html")
        || start.starts_with("<html")
    {
        return Err(Error::Unreadable { what: "a web page" });
    }
    if media_type.ends_with("json") && !text.trim().is_empty() {
        return match json::text(body.trim_ascii()) {
            Some(text) => Ok(text.into_owned()),
            None if raw::is_complete(body) => Ok(text.into_owned()),
            None => Err(NOT_JSON),
        };
    }
    Ok(text.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_what_its_bytes_say_whatever_it_looks_like() {
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
}
