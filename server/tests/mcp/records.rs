//! Records of HQ come through as HQ wrote them, and one that nobody can read costs no other.

use http_body_util::BodyExt;
use serde_json::{Value, json};

use crate::{
    client::{Endpoint, LEGACY, MODERN, request},
    hq::Hq,
};

const JSON: &str = "application/json";

async fn call(tool: &str, arguments: Value, content_type: &str, body: &[u8]) -> Value {
    let hq = Hq::answering(200, content_type, body).await;
    let result = Endpoint::new(&hq.url).call(tool, arguments).await;
    assert_eq!(result["isError"], false, "{result}");
    result
}

/// The text, which says the same as the structured content.
fn text<'a>(result: &'a Value, structured: &Value) -> &'a str {
    let text = result["content"][0]["text"].as_str().unwrap();
    assert_eq!(&serde_json::from_str::<Value>(text).unwrap(), structured);
    text
}

#[tokio::test]
async fn digits_and_the_order_of_keys_do_not_change() {
    let topic = r#"{"topicName":"t","config":{"z":1.50,"a":9007199254740991},"b":1E2}"#;
    let wide = r#"{"topicName":"u","id":1915883588174806058,"amount":12345678901234567.89}"#;
    let quoted = r#"{"topicName":"u","id":"1915883588174806058","amount":"12345678901234567.89"}"#;
    let dev = json!({ "environment": "dev" });
    let list = format!("[{wide},{topic}]");
    let result = call("list_topics", dev, JSON, list.as_bytes()).await;
    assert_eq!(
        text(&result, &result["structuredContent"]["result"]),
        format!("[{topic},{quoted}]")
    );
    let one = json!({ "environment": "dev", "topic_name": "u" });
    for (body, expected) in [(topic, topic), (wide, quoted)] {
        let result = call("get_topic", one.clone(), JSON, body.as_bytes()).await;
        assert_eq!(text(&result, &result["structuredContent"]), expected);
    }
}

#[tokio::test]
async fn structured_content_holds_the_bytes_of_hq() {
    let topic = r#"{"topicName":"t","config":{"z":1.50,"a":"\u00e9\n"},"b":1E2}"#;
    let hq = Hq::answering(200, JSON, format!("[{topic}]")).await;
    for revision in [LEGACY, MODERN] {
        let params = json!({ "name": "list_topics", "arguments": { "environment": "dev" } });
        let response = Endpoint::new(&hq.url).send(request(revision, "tools/call", params)).await;
        let body = response.into_body().collect().await.unwrap().to_bytes();
        let body = std::str::from_utf8(&body).unwrap();
        let structured = format!(r#""structuredContent":{{"result":[{topic}]}}"#);
        let text = json!(format!("[{topic}]")).to_string();
        assert!(body.contains(&structured), "{body}");
        assert!(body.contains(&format!(r#""text":{text}"#)), "{body}");
    }
}

#[tokio::test]
async fn a_record_that_cannot_be_read_costs_no_other() {
    let deep = "[".repeat(200) + &"]".repeat(200);
    let deep = format!(r#""v":{deep}"#);
    for (member, why) in [
        (br#""v":"\ud800""#.as_slice(), "half a surrogate pair"),
        (br#""v":"\udc00\ud800""#, "half a surrogate pair"),
        (deep.as_bytes(), "more than 120 levels of nesting"),
        (br#""v":NaN"#, "text that is not JSON"),
        (b"\"v\":\"a\tb\"", "text that is not JSON"),
        (b"\"v\":\"\xff\"", "bytes that are not UTF-8"),
    ] {
        let left_out =
            format!("Lenses sent {why} here, which JSON readers refuse, so that it is left out");
        let records = |name: &str| {
            let name = name.as_bytes();
            let of = |value: &[u8], more: &[u8]| {
                [b"{\"".as_slice(), name, b"\":\"", value, b"\"", more, b"}"].concat()
            };
            let odd = of(b"b", &[b",", member].concat());
            [b"[".as_slice(), &of(b"a", b""), b",", &odd, b",", &of(b"c", b""), b"]"].concat()
        };
        let expected = |name: &str| {
            json!([
                { name: "a" }, { name: "b", "unreadable": left_out }, { name: "c" }
            ])
        };
        for content_type in [JSON, "text/plain"] {
            let body = records("topicName");
            let result =
                call("list_topics", json!({ "environment": "dev" }), content_type, &body).await;
            assert_eq!(result["structuredContent"]["result"], expected("topicName"));
            assert_eq!(result["content"].as_array().unwrap().len(), 1);
        }
        let items = [br#"{"items":"#.as_slice(), &records("name"), b"}"].concat();
        let result = call("list_environments", json!({}), JSON, &items).await;
        assert_eq!(result["structuredContent"]["result"], expected("name"));
        let connectors = [br#"{"connectors":"#.as_slice(), &records("name"), b"}"].concat();
        let result =
            call("list_kafka_connectors", json!({ "environment": "dev" }), JSON, &connectors).await;
        assert_eq!(result["structuredContent"], json!({ "connectors": expected("name") }));
    }
}

#[tokio::test]
async fn a_number_out_of_range_costs_nothing() {
    let body = br#"[{"topicName":"t","v":1e400},{"topicName":"u"}]"#;
    let result = call("list_topics", json!({ "environment": "dev" }), JSON, body).await;
    let expected = json!([{ "topicName": "t", "v": "1e400" }, { "topicName": "u" }]);
    assert_eq!(result["structuredContent"], json!({ "result": expected }));
}

#[tokio::test]
async fn replies_with_line_breaks_become_one_line() {
    let body = b"[\n  {\r\n    \"topicName\" : \"a\\nb\"\n  }\n]\n";
    let result = call("list_topics", json!({ "environment": "dev" }), JSON, body).await;
    assert_eq!(result["content"][0]["text"], r#"[{"topicName":"a\nb"}]"#);
}
