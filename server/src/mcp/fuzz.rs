//! Messages and headers: what is read is what was sent.

use std::collections::HashMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::HeaderValue;
use serde_json::{Map, Value, value::RawValue};

use super::{accepts::Accepts, headers::must_equal, message::Message, method::Call};
use crate::{
    fuzz::fuzz,
    json::{DEPTH_MAX, NODES_MAX, measure},
    json_rpc::RpcError,
};

/// Longest message of an error about a body, in bytes.
const MESSAGE_MAX: usize = 1_000;

#[test]
fn a_message_keeps_its_id_and_method_or_is_refused_briefly() {
    fuzz("message", |input| {
        let body = Bytes::copy_from_slice(input);
        match Message::parse(&body) {
            Ok(Message::Request(request)) => {
                let members: HashMap<String, &RawValue> = serde_json::from_slice(input).unwrap();
                let method: String = serde_json::from_str(members["method"].get()).unwrap();
                assert_eq!(request.call.method(), method);
                assert_eq!(request.id.as_json(), members["id"].get());
                if let Call::CallTool(params) = &request.call {
                    // Other members are not read: what they hold may be no text, as "\ud800".
                    let sent: HashMap<String, &RawValue> =
                        serde_json::from_str(members["params"].get()).unwrap();
                    let name: String = serde_json::from_str(sent["name"].get()).unwrap();
                    assert_eq!(params.name, name);
                    let arguments = sent.get("arguments").map_or("null", |sent| sent.get());
                    let arguments: Option<Map<String, Value>> =
                        serde_json::from_str(arguments).unwrap();
                    assert_eq!(params.arguments, arguments.unwrap_or_default());
                }
            }
            Ok(Message::Notification(notification)) => {
                let members: HashMap<String, &RawValue> = serde_json::from_slice(input).unwrap();
                let method: String = serde_json::from_str(members["method"].get()).unwrap();
                assert_eq!(notification.method, method);
                assert!(!members.contains_key("id"));
            }
            Ok(Message::Response(response)) => {
                let members: HashMap<String, &RawValue> = serde_json::from_slice(input).unwrap();
                let result = members.get("result").map(|result| result.get());
                assert_eq!(response.result.as_deref(), result);
            }
            Err(rejected) => {
                let RpcError { message, status, .. } = &rejected.error;
                assert!(message.len() <= MESSAGE_MAX, "{} bytes", message.len());
                assert!(status.is_client_error(), "{status}");
            }
        }
    });
}

/// Values and keys, and levels.
fn size_of(value: &Value) -> (usize, usize) {
    let of_all = |values: &mut dyn Iterator<Item = &Value>, keys: usize| {
        let (nodes, depth) = values
            .map(size_of)
            .fold((0, 0), |(nodes, depth), (more, deep)| (nodes + more, depth.max(deep)));
        (1 + keys + nodes, 1 + depth)
    };
    match value {
        Value::Array(values) => of_all(&mut values.iter(), 0),
        Value::Object(members) => of_all(&mut members.values(), members.len()),
        _ => (1, 0),
    }
}

#[test]
fn no_json_is_larger_than_it_was_measured() {
    fuzz("message", |input| {
        // Longer, so that the bound is in reach.
        let text = [b"[", [input, b","].concat().repeat(1_000).as_slice(), input, b"]"].concat();
        for text in [input, &text] {
            let Ok(value) = serde_json::from_slice(text) else { continue };
            if measure(text).is_ok() {
                let (nodes, depth) = size_of(&value);
                assert!(nodes <= NODES_MAX + 1, "{nodes} nodes");
                assert!(depth <= DEPTH_MAX, "{depth} levels");
            }
        }
    });
}

#[test]
fn a_header_equals_the_text_that_it_says_and_no_other() {
    fuzz("header", |input| {
        let text = String::from_utf8_lossy(input);
        let encoded = format!("=?base64?{}?=", STANDARD.encode(text.as_bytes()));
        assert_eq!(must_equal("x", Some(&encoded), Some(&text)), Ok(()));
        assert!(must_equal("x", Some(&encoded), Some(&format!("{text}x"))).is_err());
        assert!(must_equal("x", None, Some(&text)).is_err());
        if must_equal("x", Some(&text), Some(&text)).is_err() {
            assert!(text.starts_with("=?base64?") && text.ends_with("?="), "{text}");
        }
    });
}

#[test]
fn what_a_client_adds_to_accept_takes_nothing_back() {
    fuzz("header", |input| {
        let Ok(value) = HeaderValue::from_bytes(&[input, b", application/json"].concat()) else {
            return;
        };
        let headers = [(http::header::ACCEPT, value)].into_iter().collect();
        assert!(Accepts::of(&headers).json);
    });
}
