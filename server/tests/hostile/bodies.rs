//! Bodies that are cheap to send and expensive to keep.

use bytes::Bytes;
use futures::future::join_all;

use crate::{
    client::Caller,
    hq::Hq,
    process::Server,
    watch::{P99, Watch},
};

/// Requests at a time beside the good caller's.
const PLACES: u8 = 255;
/// The longest body that is taken by default.
const LONGEST: usize = 1 << 20;

/// Each method with what stands around an object in its params.
const METHODS: [(&str, &str, &str); 7] = [
    ("tools/call", r#"{"name":"whoami","arguments":"#, "}"),
    ("prompts/get", r#"{"name":"none","arguments":"#, "}"),
    (
        "completion/complete",
        concat!(
            r#"{"ref":{"type":"ref/prompt","name":"none"},"argument":{"name":"a","value":""},"#,
            r#""context":{"arguments":"#,
        ),
        "}}",
    ),
    ("resources/read", r#"{"uri":"lenses://none","_meta":"#, "}"),
    ("initialize", r#"{"protocolVersion":"2025-11-25","clientInfo":{},"capabilities":"#, "}"),
    ("ping", "", ""),
    ("tools/explode", "", ""),
];

/// Objects: what begins one, what is repeated, what ends it. `#` stands for a number.
const SHAPES: [(&str, &str, &str, &str); 11] = [
    ("empty objects", r#"{"a":[{}"#, ",{}", "]}"),
    ("small objects", r#"{"a":[0"#, r#",{"a":0}"#, "]}"),
    ("empty arrays", r#"{"a":[[]"#, ",[]", "]}"),
    ("many keys", r#"{"a":0"#, r##","#":0"##, "}"),
    (
        "long keys",
        r#"{"a":0"#,
        r#","a long key of which there are many, each of its own: #":0"#,
        "}",
    ),
    ("many numbers", r#"{"a":[0"#, ",1", "]}"),
    ("many short strings", r#"{"a":[0"#, r#","""#, "]}"),
    ("escapes", r#"{"a":""#, r"\u0001", r#""}"#),
    ("one long string", r#"{"a":""#, "x", r#""}"#),
    ("one long number", r#"{"a":1"#, "1", "}"),
    ("deep nesting", r#"{"a":"#, r#"{"a":"#, ""),
];

/// A message of exactly `length` bytes; white space fills what is left.
fn message(method: (&str, &str, &str), shape: (&str, &str, &str, &str), length: usize) -> Bytes {
    let (method, before, after) = method;
    let (_, first, repeated, last) = shape;
    let mut text =
        format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{before}{first}"#);
    let end = format!("{last}{after}}}");
    for number in 0.. {
        let part = repeated.replace('#', &format!("{number:x}"));
        if text.len() + part.len() + end.len() > length {
            break;
        }
        text.push_str(&part);
    }
    text.push_str(&end);
    text.push_str(&" ".repeat(length - text.len()));
    text.into()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_longest_bodies_of_every_shape_and_method_leave_no_trace() {
    let hq = Hq::start(0).await;
    let mut server = Server::start(&hq, &[]).await;
    let watch = Watch::start(&server).await;
    server.remember_memory().await;
    for shape in SHAPES {
        for method in METHODS {
            let body = message(method, shape, LONGEST);
            let callers = (0..8).map(Caller::number);
            let posts = callers.map(|caller| {
                let (server, body) = (&server, body.clone());
                async move { caller.post(server, body).await }
            });
            for reply in join_all(posts).await {
                assert!(
                    matches!(reply.status.as_u16(), 200 | 400),
                    "{} in {}: {reply:?}",
                    shape.0,
                    method.0
                );
                reply.assert_answers(&[200, 400]);
            }
        }
    }
    watch.end(P99).await;
    server.assert_memory().await;
}

/// Without a good caller: who sends beside so many waits for the budget as they do, or gets 503.
#[tokio::test(flavor = "multi_thread")]
async fn as_many_longest_bodies_as_there_are_places_stay_within_the_budget() {
    let hq = Hq::start(0).await;
    let mut server = Server::start(&hq, &[]).await;
    server.remember_memory().await;
    let body = message(METHODS[0], SHAPES[8], LONGEST);
    let posts = (0..PLACES).map(|number| {
        let (server, body) = (&server, body.clone());
        async move { Caller::number(number).post(server, body).await }
    });
    let mut answered = 0;
    for reply in join_all(posts).await {
        reply.assert_answers(&[200, 408, 429, 503]);
        answered += usize::from(reply.status == 200);
    }
    println!("{answered} of {PLACES} bodies were taken");
    server.assert_memory().await;
}
