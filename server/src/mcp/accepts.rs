//! Which kinds of response a client takes.

use http::{HeaderMap, header::ACCEPT};

use crate::media_type::accepted;

/// Which kinds of response a client takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Accepts {
    pub(super) json: bool,
    pub(super) events: bool,
}

impl Accepts {
    /// What `Accept` takes (RFC 9110 §12.5.1): anything, if it is absent.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        if !headers.contains_key(ACCEPT) {
            return Self { json: true, events: true };
        }
        let accepts = |names: [&str; 3]| {
            accepted(headers).any(|range| names.iter().any(|name| range.eq_ignore_ascii_case(name)))
        };
        Self {
            json: accepts(["application/json", "application/*", "*/*"]),
            events: accepts(["text/event-stream", "text/*", "*/*"]),
        }
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn accept_is_read_as_rfc_9110_says() {
        for (value, json, events) in [
            (None, true, true),
            (Some("*/*"), true, true),
            (Some("application/json, text/event-stream"), true, true),
            (Some("APPLICATION/JSON, Text/Event-Stream;q=0.5"), true, true),
            (Some("application/json"), true, false),
            (Some("application/*"), true, false),
            (Some("text/event-stream"), false, true),
            (Some("text/event-stream, application/json;q=0"), false, true),
            (Some("text/html"), false, false),
            (Some(""), false, false),
            (Some("application/jsonx"), false, false),
        ] {
            let mut headers = HeaderMap::new();
            if let Some(value) = value {
                headers.insert(ACCEPT, HeaderValue::from_static(value));
            }
            assert_eq!(Accepts::of(&headers), Accepts { json, events }, "{value:?}");
        }
    }
}
