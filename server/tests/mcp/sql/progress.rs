//! A client that asks to be told how far a query is.

use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::{end, record, select};
use crate::{
    client::{Endpoint, Events, LEGACY, MODERN, request},
    hq::{Query, query, send, until_gone},
};

fn stats(records: u64, bytes: u64) -> Value {
    json!({ "type": "STATS", "data": { "recordsScanned": records, "bytesRead": bytes } })
}

/// A query that sends each of `steps` when it is told to.
async fn stepping(steps: Vec<Vec<Value>>) -> (Query, mpsc::Sender<()>) {
    let (go_on, mut told) = mpsc::channel::<()>(1);
    let query = query(|mut socket| async move {
        for frames in steps {
            told.recv().await.unwrap();
            send(&mut socket, frames).await;
        }
        until_gone(&mut socket).await;
    })
    .await;
    (query, go_on)
}

#[tokio::test]
async fn progress_is_told_while_the_query_runs_and_the_result_comes_last() {
    for revision in [LEGACY, MODERN] {
        for token in [json!("query-1"), json!(7)] {
            let steps = vec![
                vec![record(0), stats(5_000, 1_000_000)],
                vec![json!({ "type": "HEARTBEAT" }), record(1), stats(9_000, 2_000_000)],
                vec![record(2), end()],
            ];
            let (query, go_on) = stepping(steps).await;
            let params = json!({
                "name": "execute_sql", "arguments": select(), "_meta": { "progressToken": token }
            });
            let endpoint = Endpoint::new(&query.url);
            go_on.send(()).await.unwrap();
            // The response begins with the first notification.
            let response = endpoint.send(request(revision, "tools/call", params)).await;
            let mut events = Events::of(response);
            for message in [
                "1 rows; 5000 records and 1000000 bytes read",
                "2 rows; 9000 records and 2000000 bytes read",
            ] {
                let event = events.next().await.unwrap();
                assert_eq!(event["method"], "notifications/progress", "{event}");
                let progress: u64 = if message.starts_with('1') { 5_000 } else { 9_000 };
                let expected =
                    json!({ "progressToken": token, "progress": progress, "message": message });
                assert_eq!(event["params"], expected);
                go_on.send(()).await.unwrap();
            }
            let last = events.next().await.unwrap();
            assert_eq!(last["id"], 7, "{last}");
            assert_eq!(last["result"]["structuredContent"]["result"].as_array().unwrap().len(), 3);
            assert_eq!(events.next().await, None);
        }
    }
}

#[tokio::test]
async fn without_a_token_or_without_news_the_answer_is_json() {
    let ends_at_once = vec![vec![record(0), stats(5_000, 1_000_000), end()]];
    for (revision, meta) in [
        (LEGACY, json!({})),
        (MODERN, json!({})),
        (LEGACY, json!({ "progressToken": 1 })),
        (MODERN, json!({ "progressToken": 1 })),
    ] {
        let (query, go_on) = stepping(ends_at_once.clone()).await;
        go_on.send(()).await.unwrap();
        let params = json!({ "name": "execute_sql", "arguments": select(), "_meta": meta });
        let (status, reply) =
            Endpoint::new(&query.url).request(revision, "tools/call", params).await;
        assert_eq!(
            (status, &reply["result"]["structuredContent"]),
            (200, &json!({ "result": [{ "rownum": 0 }] }))
        );
    }
}

#[tokio::test]
async fn a_failure_after_progress_is_still_told() {
    let failure = json!({ "type": "ERROR", "data": "the disk is full" });
    let (query, go_on) = stepping(vec![vec![stats(1, 1)], vec![failure]]).await;
    go_on.send(()).await.unwrap();
    let params =
        json!({ "name": "execute_sql", "arguments": select(), "_meta": { "progressToken": 1 } });
    let mut events =
        Events::of(Endpoint::new(&query.url).send(request(LEGACY, "tools/call", params)).await);
    assert_eq!(events.next().await.unwrap()["params"]["progress"], 1);
    go_on.send(()).await.unwrap();
    let last = events.next().await.unwrap();
    assert_eq!(last["result"]["isError"], true, "{last}");
    assert!(
        last["result"]["content"][0]["text"].as_str().unwrap().contains("the disk is full"),
        "{last}"
    );
}
