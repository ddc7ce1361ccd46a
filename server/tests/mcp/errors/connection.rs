//! Replies that do not arrive whole.

use std::time::Duration;

use serde_json::json;

use super::JSON;
use crate::{
    client::{Endpoint, Limits},
    hq::{self, Hq},
};

#[tokio::test]
async fn redirects_are_not_followed() {
    let elsewhere = Hq::giving(&json!([])).await;
    let location = vec![("location", elsewhere.url.to_string())];
    let hq = Hq::replying(307, location, Vec::new()).await;
    Endpoint::new(&hq.url).failure("list_topics", json!({ "environment": "dev" })).await;
    assert_eq!((hq.seen().len(), elsewhere.seen().len()), (1, 0));
}

#[tokio::test]
async fn an_hq_that_is_away_silent_or_breaks_off_is_told_apart() {
    let limits = Limits { request: Duration::from_millis(200), ..Limits::default() };
    let cut = hq::writing(
        b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n[{",
    )
    .await;
    let unended =
        hq::writing(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n[{\r\n").await;
    let garbage = hq::writing(b"SSH-2.0-OpenSSH_9.2\r\n").await;
    for (url, said) in [
        (hq::absent().await, "Lenses HQ can't be reached: "),
        (garbage, "the connection to Lenses HQ broke: "),
        (hq::silent().await, "Lenses HQ did not answer within 0.2 s. "),
        (hq::dripping().await, "Lenses HQ did not answer within 0.2 s. "),
        (unended, "the connection to Lenses HQ broke: "),
        (cut, "the connection to Lenses HQ broke: "),
    ] {
        let text = Endpoint::limited(&url, limits)
            .failure("list_topics", json!({ "environment": "dev" }))
            .await;
        assert!(text.starts_with(said), "{text}");
        assert!(
            !text.contains(url.host_str().unwrap()),
            "the inside address is not the model's business: {text}"
        );
    }
}

#[tokio::test]
async fn a_reply_over_the_limit_is_refused_declared_or_not() {
    let limits = Limits { bytes: 1_000, ..Limits::default() };
    let largest_of_hq = Hq::answering(200, JSON, vec![b' '; 32 << 20]).await;
    let text = Endpoint::new(&largest_of_hq.url)
        .failure("list_topics", json!({ "environment": "dev" }))
        .await;
    assert!(text.starts_with("the reply is larger than the limit of 4194304 bytes. "), "{text}");
    let hq = Hq::answering(200, JSON, format!("[\"{}\"]", "x".repeat(2_000))).await;
    let text = Endpoint::limited(&hq.url, limits)
        .failure("list_topics", json!({ "environment": "dev" }))
        .await;
    assert!(text.starts_with("the reply is larger than the limit of 1000 bytes. "), "{text}");
    let undeclared = hq::writing(
        concat!(
            "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n[",
            "\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"]"
        )
        .as_bytes(),
    )
    .await;
    let limits = Limits { bytes: 20, ..Limits::default() };
    let text = Endpoint::limited(&undeclared, limits)
        .failure("list_topics", json!({ "environment": "dev" }))
        .await;
    assert!(text.starts_with("the reply is larger than the limit of 20 bytes. "), "{text}");
}
