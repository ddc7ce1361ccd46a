//! The question before a deletion, in the revisions that ask in the middle of a call: three
//! processes with one sealing key, and a client whose requests reach any of them.

#![expect(clippy::unwrap_used, reason = "a test that fails says so by panicking")]
#![expect(dead_code, reason = "other tests use the rest of the stand-in")]

#[path = "../mcp/hq.rs"]
mod hq;
mod replica;

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use serde_json::{Value, json};

use self::replica::{Replica, send};
use crate::hq::Hq;

const REVISION: &str = "2025-11-25";
const DELETE: &str = "DELETE /lenses/api/v1/environments/dev/proxy/api/consumers/payments";

fn session_of(headers: &HeaderMap) -> Option<String> {
    headers.get("mcp-session-id").map(|id| id.to_str().unwrap().to_owned())
}

fn deletion() -> Value {
    let arguments = json!({ "environment": "dev", "group_id": "payments" });
    let params = json!({ "name": "delete_consumer_group", "arguments": arguments });
    json!({ "jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": params })
}

fn forms() -> Value {
    json!({ "elicitation": {} })
}

/// The next message on a stream of events.
async fn next(stream: &mut Response<Incoming>) -> Value {
    assert_eq!(stream.headers()["content-type"], "text/event-stream");
    loop {
        let frame = stream.body_mut().frame().await.unwrap().unwrap();
        let text = std::str::from_utf8(frame.data_ref().unwrap()).unwrap();
        if let Some(message) = text.strip_prefix("data: ") {
            return serde_json::from_str(message.trim_end()).unwrap();
        }
    }
}

async fn whole(response: Response<Incoming>) -> (u16, Value) {
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&body).unwrap_or_default())
}

async fn replicas(hq: &Hq) -> [Replica; 3] {
    [Replica::start(hq, &[]).await, Replica::start(hq, &[]).await, Replica::start(hq, &[]).await]
}

#[tokio::test]
async fn an_answer_that_reaches_another_replica_runs_the_call_that_waits() {
    let hq = Hq::answering(204, "", "").await;
    let [one, two, three] = replicas(&hq).await;
    let session = one.session(forms()).await.unwrap();

    let mut call = two.post(Some(&session), &deletion()).await;
    let question = next(&mut call).await;
    assert_eq!(question["method"], "elicitation/create", "{question}");
    let message = question["params"]["message"].as_str().unwrap();
    assert!(
        message.contains("Delete consumer group?") && message.contains("payments"),
        "{message}"
    );
    assert_eq!(hq.lines(), [""; 0], "nothing is done before the answer");

    let yes = json!({ "action": "accept", "content": { "confirm": true } });
    let answer = json!({ "jsonrpc": "2.0", "id": question["id"], "result": yes });
    assert_eq!(three.post(Some(&session), &answer).await.status(), 202);
    let result = next(&mut call).await;
    assert_eq!((&result["id"], &result["result"]["isError"]), (&json!(7), &json!(false)));
    assert_eq!(hq.lines(), [DELETE]);

    let (status, error) = whole(one.post(Some(&session), &answer).await).await;
    assert_eq!((status, &error["error"]["code"]), (400, &json!(-32600)), "an answer holds once");
    assert_eq!(hq.lines().len(), 1);
}

#[tokio::test]
async fn without_a_yes_nothing_is_done() {
    let hq = Hq::answering(204, "", "").await;
    let [one, two, _] = replicas(&hq).await;
    let session = one.session(forms()).await.unwrap();
    for answer in [
        json!({ "result": { "action": "accept", "content": { "confirm": false } } }),
        json!({ "result": { "action": "decline" } }),
        json!({ "result": { "action": "cancel" } }),
        json!({ "result": "yes" }),
        json!({ "error": { "code": -1, "message": "nobody is here" } }),
    ] {
        let mut call = one.post(Some(&session), &deletion()).await;
        let mut message = json!({ "jsonrpc": "2.0", "id": next(&mut call).await["id"] });
        message.as_object_mut().unwrap().extend(answer.as_object().unwrap().clone());
        assert_eq!(two.post(Some(&session), &message).await.status(), 202, "{answer}");
        let result = next(&mut call).await;
        assert_eq!(result["result"]["isError"], true, "{answer}: {result}");
    }
    assert_eq!(hq.lines(), [""; 0]);
}

/// The call that waits has the user's only place, and the replica's only one.
#[tokio::test]
async fn an_answer_needs_no_place_that_the_waiting_call_has() {
    let hq = Hq::answering(204, "", "").await;
    let settings =
        [("MCP_CONCURRENT_REQUESTS_PER_USER", "1"), ("MCP_MAX_CONCURRENT_REQUESTS", "1")];
    let one = Replica::start(&hq, &settings).await;
    let session = one.session(forms()).await.unwrap();
    let mut call = one.post(Some(&session), &deletion()).await;
    let question = next(&mut call).await;
    assert_eq!(one.post(Some(&session), &deletion()).await.status(), 429);
    let yes = json!({ "action": "accept", "content": { "confirm": true } });
    let answer = json!({ "jsonrpc": "2.0", "id": question["id"], "result": yes });
    assert_eq!(one.post(Some(&session), &answer).await.status(), 202);
    assert_eq!(next(&mut call).await["result"]["isError"], false);
    assert_eq!(hq.lines(), [DELETE]);
}

#[tokio::test]
async fn one_user_cannot_leave_more_than_eight_questions_open() {
    let hq = Hq::answering(204, "", "").await;
    let one = Replica::start(&hq, &[]).await;
    let session = one.session(forms()).await.unwrap();
    let mut open = Vec::new();
    for _ in 0..8 {
        let mut call = one.post(Some(&session), &deletion()).await;
        assert_eq!(next(&mut call).await["method"], "elicitation/create");
        open.push(call);
    }
    let (status, reply) = whole(one.post(Some(&session), &deletion()).await).await;
    let text = reply["result"]["content"][0]["text"].as_str().unwrap();
    assert!(status == 200 && text.contains("answered the open questions"), "{reply}");
    assert_eq!(hq.lines(), [""; 0]);
}

#[tokio::test]
async fn a_client_that_goes_away_while_it_is_asked_has_nothing_done() {
    let hq = Hq::answering(204, "", "").await;
    let one = Replica::start(&hq, &[]).await;
    let session = one.session(forms()).await.unwrap();
    let mut call = one.post(Some(&session), &deletion()).await;
    let question = next(&mut call).await;
    drop(call);
    let gone = r#"tool_calls_total{tool="delete_consumer_group",outcome="cancelled"} 1"#;
    while !one.metrics().await.contains(gone) {
        tokio::task::yield_now().await;
    }
    let yes = json!({ "action": "accept", "content": { "confirm": true } });
    let answer = json!({ "jsonrpc": "2.0", "id": question["id"], "result": yes });
    assert_eq!(one.post(Some(&session), &answer).await.status(), 400);
    assert_eq!(hq.lines(), [""; 0]);
}

#[tokio::test]
async fn who_cannot_be_asked_is_refused_if_the_operator_requires_it() {
    let hq = Hq::answering(204, "", "").await;
    let required = Replica::start(&hq, &[("MCP_CONFIRM", "required")]).await;
    assert_eq!(required.session(json!({})).await, None, "there is nothing to remember");
    let (status, reply) = whole(required.post(None, &deletion()).await).await;
    let text = reply["result"]["content"][0]["text"].as_str().unwrap();
    assert!(status == 200 && text.contains("MCP_CONFIRM=required"), "{reply}");
    assert_eq!(hq.lines(), [""; 0]);

    let lenient = Replica::start(&hq, &[]).await;
    let (_, reply) = whole(lenient.post(None, &deletion()).await).await;
    assert_eq!(reply["result"]["isError"], false, "{reply}");
    assert_eq!(hq.lines(), [DELETE]);
}

#[tokio::test]
async fn a_session_that_is_not_this_servers_begins_anew() {
    let hq = Hq::answering(204, "", "").await;
    let one = Replica::start(&hq, &[]).await;
    for session in ["none-such", "rs1.AAAA.AAAA", ""] {
        let (status, error) = whole(one.post(Some(session), &deletion()).await).await;
        assert_eq!((status, &error["error"]["code"]), (404, &json!(-32600)), "{session}");
    }
    assert_eq!(hq.lines(), [""; 0]);
    // What asks nobody needs no session, and so goes on after a restart with another key.
    let list = json!({ "jsonrpc": "2.0", "id": 7, "method": "tools/list" });
    assert_eq!(one.post(Some("none-such"), &list).await.status(), 200);
}

/// A client that gives a call up after its own time limit says so; the form may still be open.
#[tokio::test]
async fn a_late_yes_to_a_cancelled_call_does_nothing() {
    let hq = Hq::answering(204, "", "").await;
    let one = Replica::start(&hq, &[]).await;
    let session = one.session(forms()).await.unwrap();
    let mut call = one.post(Some(&session), &deletion()).await;
    let question = next(&mut call).await;
    let cancelled = |id: u8| {
        let params = json!({ "requestId": id });
        json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": params })
    };
    // Another call of the same client goes on.
    assert_eq!(one.post(Some(&session), &cancelled(8)).await.status(), 202);
    assert_eq!(one.post(Some(&session), &cancelled(7)).await.status(), 202);
    let reply = next(&mut call).await;
    let text = reply["result"]["content"][0]["text"].as_str().unwrap();
    assert!(text.contains("cancelled the call"), "{reply}");
    let yes = json!({ "action": "accept", "content": { "confirm": true } });
    let answer = json!({ "jsonrpc": "2.0", "id": question["id"], "result": yes });
    assert_eq!(one.post(Some(&session), &answer).await.status(), 400);
    assert_eq!(hq.lines(), [""; 0]);
}

/// Only replicas have the key that seals what they send each other.
#[tokio::test]
async fn nobody_else_can_send_answers_to_the_admin_port() {
    let hq = Hq::answering(204, "", "").await;
    let one = Replica::start(&hq, &[]).await;
    let session = one.session(forms()).await.unwrap();
    let mut call = one.post(Some(&session), &deletion()).await;
    let question = next(&mut call).await;
    let yes = json!({ "action": "accept", "content": { "confirm": true } });
    let forged = json!({ "id": question["id"], "user": "anyone", "result": yes.to_string() });
    for (address, status) in [(one.admin, 403), (one.endpoint, 404)] {
        let request = Request::post("/elicitation")
            .header("host", "localhost")
            .header("x-lenses-mcp-seal", "rs1.AAAA.AAAA")
            .body(Full::new(Bytes::from(forged.to_string())));
        let response = send(address, request.unwrap()).await;
        assert_eq!(response.status(), status, "{address}");
    }
    assert_eq!(hq.lines(), [""; 0]);
}
