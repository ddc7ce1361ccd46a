//! One call of a tool, with what HQ is asked for it and what comes of HQ's reply, both compared
//! whole.

use serde_json::{Value, json};

use crate::{
    client::{Endpoint, TOKEN},
    hq::{Hq, Seen},
};

/// A call.
pub(crate) struct Exchange {
    pub(crate) tool: &'static str,
    pub(crate) arguments: Value,
    /// `GET /path?query` under the environment's agent, not decoded.
    pub(crate) asks: &'static str,
    /// The body that HQ gets; null for none.
    pub(crate) body: Value,
    /// Status, content type and body of HQ's reply.
    pub(crate) reply: (u16, &'static str, &'static str),
    /// `structuredContent` of the result.
    pub(crate) gives: Value,
}

impl Exchange {
    /// Makes the call and compares.
    pub(crate) async fn holds(self) {
        let Self { tool, arguments, asks, body, reply: (status, content_type, text), gives } = self;
        let hq = Hq::answering(status, content_type, text).await;
        let result = Endpoint::new(&hq.url).call(tool, arguments).await;
        assert_eq!(result["isError"], false, "{tool}: {result}");
        assert_eq!(result["structuredContent"], gives, "{tool}");
        let said = result["content"][0]["text"].as_str().unwrap();
        let said = serde_json::from_str(said).unwrap_or_else(|_| json!(said));
        assert!(said == gives || said == gives["result"], "{tool} says as text {said}");
        let (method, path) = asks.split_once(' ').unwrap();
        let mut seen = hq.take();
        // Also of a request without a body: HQ need not guess.
        for Seen { content_length, body, .. } in &seen {
            let length = body.len().to_string();
            let expected = if matches!(method, "GET" | "DELETE") { "" } else { &length };
            assert_eq!(content_length, expected, "{tool}");
        }
        let expected = Seen {
            line: format!("{method} /lenses/api/v1/environments/dev/proxy/{path}"),
            authorization: format!("Bearer {TOKEN}"),
            content_length: seen
                .first()
                .map(|seen| seen.content_length.clone())
                .unwrap_or_default(),
            body: if body.is_null() { String::new() } else { body.to_string() },
        };
        // The order of a body's fields says nothing.
        for seen in &mut seen {
            if let Ok(body) = serde_json::from_str::<Value>(&seen.body) {
                seen.body = body.to_string();
            }
        }
        assert_eq!(seen, [expected], "{tool}");
    }
}

/// What cannot be right only together: the argument is named and nothing is sent.
pub(crate) async fn refuses(
    tool: &str,
    calls: impl IntoIterator<Item = (Value, &'static str, &'static str)>,
) {
    let hq = Hq::giving(&json!({})).await;
    let endpoint = Endpoint::new(&hq.url);
    for (arguments, named, why) in calls {
        let text = endpoint.failure(tool, arguments.clone()).await;
        assert!(text.starts_with(&format!("argument `{named}`: ")), "{tool} {arguments}: {text}");
        assert!(
            text.contains(why) && text.contains("Nothing was sent"),
            "{tool} {arguments}: {text}"
        );
    }
    assert_eq!(hq.seen(), []);
}
