//! What is read out of an answer, and how it is shown. Pure.

use std::time::Duration;

use axum::http::HeaderMap;
use reqwest::{
    StatusCode,
    header::{CONTENT_TYPE, LOCATION, WWW_AUTHENTICATE},
};
use serde_json::Value;

/// The longest foreign value that is shown, in characters.
const SHOWN_MAX: usize = 200;

/// An answer, whatever its status; a redirect is one too.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    /// `None`: larger than was to be read.
    pub(super) body: Option<Vec<u8>>,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum NoAnswer {
    /// Not in time.
    TimedOut { after: Duration },
    /// The address may not be dialled.
    Forbidden { cause: String },
    /// The certificate is not trusted here.
    Untrusted { cause: String },
    /// No connection, or it broke.
    Unreachable { cause: String },
}

impl Answer {
    /// The body as JSON, if it is.
    pub(super) fn json(&self) -> Option<Value> {
        serde_json::from_slice(self.body.as_deref()?).ok()
    }

    /// Whether the body is a stream of events.
    pub(super) fn is_event_stream(&self) -> bool {
        is_event_stream(&self.headers)
    }

    /// Each `WWW-Authenticate` header that is text.
    pub(super) fn challenges(&self) -> impl Iterator<Item = &str> {
        self.headers.get_all(WWW_AUTHENTICATE).iter().filter_map(|value| value.to_str().ok())
    }

    /// Where a redirect leads, without its query, which may hold what is nobody else's business.
    pub(super) fn location(&self) -> Option<String> {
        let location = self.headers.get(LOCATION)?.to_str().ok()?;
        Some(quoted(location.split(['?', '#']).next().unwrap_or_default()))
    }
}

pub(super) fn is_event_stream(headers: &HeaderMap) -> bool {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    content_type.is_some_and(|value| {
        value.trim_start().to_ascii_lowercase().starts_with("text/event-stream")
    })
}

/// A value of somebody else's for a message: in quotes, escaped, and cut.
pub(super) fn quoted(value: &str) -> String {
    let mut shown: String = value.chars().take(SHOWN_MAX).collect();
    if shown.len() < value.len() {
        shown.push('…');
    }
    format!("{shown:?}")
}

/// The JSON-RPC response in an answer, whether it comes as JSON or as an event.
pub(super) fn rpc(answer: &Answer) -> Option<Value> {
    if answer.is_event_stream() {
        return rpc_in_events(answer.body.as_deref()?);
    }
    answer.json().filter(is_response)
}

/// The first JSON-RPC response in a stream of events: of each event, the `data` lines together (the
/// HTML standard, 9.2.6).
pub(super) fn rpc_in_events(body: &[u8]) -> Option<Value> {
    let text = std::str::from_utf8(body).ok()?.replace("\r\n", "\n");
    // What follows the last empty line has not come to its end.
    let (whole, _) = text.rsplit_once("\n\n")?;
    whole.split("\n\n").find_map(|event| {
        let data: Vec<_> = event
            .lines()
            .filter_map(|line| line.strip_prefix("data:"))
            .map(str::trim_start)
            .collect();
        serde_json::from_str(&data.join("\n")).ok().filter(is_response)
    })
}

fn is_response(value: &Value) -> bool {
    value["jsonrpc"] == "2.0" && (value.get("result").is_some() || value.get("error").is_some())
}

impl NoAnswer {
    /// What happened to a request to `url`.
    pub(super) fn told(&self, url: &str) -> String {
        match self {
            Self::TimedOut { after } => format!("{url} does not answer within {}", seconds(*after)),
            Self::Forbidden { cause } => format!("{url} is not dialled: {cause}"),
            Self::Untrusted { cause } => {
                format!("the certificate at {url} is not trusted here: {cause}")
            }
            Self::Unreachable { cause } => format!("{url} can't be reached: {}", shortened(cause)),
        }
    }
}

fn seconds(duration: Duration) -> String {
    format!("{} s", duration.as_secs_f32())
}

fn shortened(cause: &str) -> String {
    cause.chars().take(SHOWN_MAX).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn foreign_values_are_shown_escaped_and_cut() {
        assert_eq!(quoted("https://hq"), "\"https://hq\"");
        assert_eq!(quoted("a\nb\u{1b}[0m"), "\"a\\nb\\u{1b}[0m\"");
        let long = quoted(&"x".repeat(5000));
        assert!(long.chars().count() < 210 && long.ends_with("…\""), "{long}");
    }

    #[test]
    fn a_response_is_found_among_events() {
        let response = json!({ "jsonrpc": "2.0", "id": 1, "result": {} });
        for (stream, found) in [
            (format!("data: {response}\n\n"), true),
            (format!(": hello\r\n\r\nevent: message\r\nid: 7\r\ndata:{response}\r\n\r\n"), true),
            (
                format!(
                    "data: {{\"jsonrpc\":\"2.0\",\"method\":\"x\"}}\n\ndata: {response}\n\ndata: \
                     more"
                ),
                true,
            ),
            ("data: {\"jsonrpc\":\"2.0\",\ndata: \"error\":{}}\n\n".to_owned(), true),
            (format!("data: {response}\n"), false),
            ("data: {\n\n".to_owned(), false),
            ("<html>\n\n".to_owned(), false),
            (String::new(), false),
        ] {
            assert_eq!(rpc_in_events(stream.as_bytes()).is_some(), found, "{stream:?}");
        }
        assert!(rpc_in_events(b"data: \xff\n\n").is_none());
    }
}
