//! Queries: every frame, every end, every limit.

use std::{future::pending, time::Duration};

use futures::{SinkExt, StreamExt};
use lenses_mcp_server::tools;
use serde_json::{Value, json};
use tokio::sync::oneshot;
use tokio_tungstenite::tungstenite::{
    Message,
    protocol::{CloseFrame, frame::coding::CloseCode},
};

use crate::{
    client::{self, Endpoint, LEGACY, Limits},
    hq::{self, Hq, query, send},
};

fn select() -> Value {
    json!({ "environment": "dev", "sql": "SELECT * FROM orders" })
}

fn record(number: u64) -> Value {
    json!({ "type": "RECORD", "data": { "rownum": number } })
}

fn end() -> Value {
    json!({ "type": "END" })
}

fn rows(result: &Value) -> &Value {
    &result["structuredContent"]["result"]
}

#[tokio::test]
async fn rows_come_in_order_and_whole_tombstones_and_empty_ones_too() {
    let frames = vec![
        json!({ "type": "HEARTBEAT" }),
        json!({ "type": "RECORD", "data": { "key": 1, "value": { "a": 1 }, "metadata": { "offset": 0 }, "rownum": 0 } }),
        json!({ "type": "STATS", "data": { "results": 1 } }),
        json!({ "type": "RECORD", "data": { "key": 1, "value": null } }),
        json!({ "type": "RECORD", "data": {} }),
        json!({ "type": "RECORD", "data": null }),
        json!({ "type": "RECORD", "data": { "key": 2 } }),
        end(),
    ];
    let query = query(|mut socket| async move { send(&mut socket, frames).await }).await;
    let result = Endpoint::new(&query.url).call("execute_sql", select()).await;
    let expected = json!([
        { "key": 1, "value": { "a": 1 }, "metadata": { "offset": 0 }, "rownum": 0 },
        { "key": 1, "value": null },
        {},
        {},
        { "key": 2 },
    ]);
    assert_eq!(result["structuredContent"], json!({ "result": expected }));
    assert_eq!(result["content"], json!([{ "type": "text", "text": expected.to_string() }]));
    let statement: Value = serde_json::from_str(&query.statement.await.unwrap()).unwrap();
    assert_eq!(statement, json!({ "sql": "SELECT * FROM orders" }));
}

#[tokio::test]
async fn a_query_ends_with_end_with_success_or_with_a_clean_close() {
    for last in [Some("END"), Some("SUCCESS"), None] {
        let query = query(move |mut socket| async move {
            send(&mut socket, [record(0)]).await;
            if let Some(last) = last {
                send(&mut socket, [json!({ "type": last, "data": "bye" })]).await;
                pending::<()>().await;
            }
            socket.close(None).await.unwrap();
        })
        .await;
        let result = Endpoint::new(&query.url).call("execute_sql", select()).await;
        assert_eq!(result["structuredContent"], json!({ "result": [{ "rownum": 0 }] }), "{last:?}");
    }
}

#[tokio::test]
async fn an_error_frame_is_an_error_however_many_rows_came_before() {
    for (kind, before) in [("ERROR", 0), ("ERROR", 3), ("INVALIDREQUEST", 0)] {
        let query = query(move |mut socket| async move {
            send(&mut socket, (0..before).map(record)).await;
            send(&mut socket, [json!({ "type": kind, "data": "no such table: orders" })]).await;
            pending::<()>().await;
        })
        .await;
        let text = Endpoint::new(&query.url).failure("execute_sql", select()).await;
        assert!(text.starts_with("the query failed: no such table: orders. Correct the statement"), "{text}");
    }
}

#[tokio::test]
async fn a_result_over_the_row_limit_is_cut_and_says_so() {
    let limits = Limits { rows: 3, ..Limits::default() };
    for (sent, cut) in [(3, false), (4, true)] {
        let query = query(move |mut socket| async move {
            send(&mut socket, (0..sent).map(record).chain([end()])).await;
            // Until the other side has gone.
            while let Some(Ok(_)) = socket.next().await {}
        })
        .await;
        let result = Endpoint::limited(&query.url, limits).call("execute_sql", select()).await;
        assert_eq!(rows(&result), &json!([{ "rownum": 0 }, { "rownum": 1 }, { "rownum": 2 }]));
        let structured = &result["structuredContent"];
        assert_eq!(structured["cut"]["rows"], if cut { json!(3) } else { Value::Null });
        if cut {
            let text = result["content"][1]["text"].as_str().unwrap();
            assert!(text.starts_with("Cut after 3 rows: the limit of 3 rows was reached."), "{text}");
            let schema = tools::registry().find("execute_sql").unwrap().listing().output_schema.clone().unwrap();
            assert!(jsonschema::is_valid(&Value::Object((*schema).clone()), structured));
        }
        // The statement arrives only after the script has ended: the connection was closed.
        query.statement.await.unwrap();
    }
}

#[tokio::test]
async fn a_result_over_the_byte_limit_is_cut_and_a_first_row_over_it_is_an_error() {
    let limits = Limits { bytes: 2_000, ..Limits::default() };
    let big = |bytes| json!({ "type": "RECORD", "data": { "value": "x".repeat(bytes) } });
    for (frames, kept) in [(vec![big(1_000), big(1_000), end()], 1), (vec![big(100), big(5_000), end()], 1)] {
        let query = query(|mut socket| async move { send(&mut socket, frames).await }).await;
        let result = Endpoint::limited(&query.url, limits).call("execute_sql", select()).await;
        assert_eq!(result["structuredContent"]["cut"]["rows"], kept);
        assert_eq!(result["structuredContent"]["cut"]["reason"], "the limit of 2000 bytes was reached");
    }
    let query = query(move |mut socket| async move { send(&mut socket, [big(5_000)]).await }).await;
    let text = Endpoint::limited(&query.url, limits).failure("execute_sql", select()).await;
    assert!(text.starts_with("the reply is larger than the limit of 2000 bytes."), "{text}");
}

#[tokio::test]
async fn a_record_of_megabytes_comes_through() {
    let value = "x".repeat(3 << 20);
    let frame = json!({ "type": "RECORD", "data": { "value": value } });
    let query = query(|mut socket| async move { send(&mut socket, [frame, end()]).await }).await;
    let result = Endpoint::new(&query.url).call("execute_sql", select()).await;
    assert_eq!(rows(&result)[0]["value"].as_str().unwrap().len(), 3 << 20);
}

#[tokio::test]
async fn a_query_that_takes_too_long_gives_the_rows_so_far_or_an_error() {
    let limits = Limits { sql: Duration::from_millis(300), ..Limits::default() };
    for sent in [0, 2] {
        let query = query(move |mut socket| async move {
            send(&mut socket, (0..sent).map(record)).await;
            // Heartbeats do not keep a query alive past its limit.
            while socket.send(Message::text(r#"{"type":"HEARTBEAT"}"#)).await.is_ok() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        })
        .await;
        let endpoint = Endpoint::limited(&query.url, limits);
        if sent == 0 {
            let text = endpoint.failure("execute_sql", select()).await;
            assert!(text.starts_with("Lenses HQ did not answer within 0.3 s."), "{text}");
        } else {
            let result = endpoint.call("execute_sql", select()).await;
            assert_eq!(rows(&result), &json!([{ "rownum": 0 }, { "rownum": 1 }]));
            assert_eq!(result["structuredContent"]["cut"]["reason"], "the time limit of 0.3 s was reached");
        }
        query.statement.await.unwrap();
    }
}

#[tokio::test]
async fn a_connection_that_breaks_off_keeps_its_rows_and_says_so() {
    for (sent, closes) in [(2, true), (2, false), (0, true), (0, false)] {
        let query = query(move |mut socket| async move {
            send(&mut socket, (0..sent).map(record)).await;
            if closes {
                let frame = CloseFrame { code: CloseCode::Error, reason: "restart".into() };
                socket.close(Some(frame)).await.unwrap();
            }
        })
        .await;
        let endpoint = Endpoint::new(&query.url);
        if sent == 0 {
            let text = endpoint.failure("execute_sql", select()).await;
            assert!(
                text.starts_with(
                    "the connection to Lenses HQ broke: Lenses closed the connection before the end of the result."
                ),
                "{text}"
            );
        } else {
            let result = endpoint.call("execute_sql", select()).await;
            assert_eq!(rows(&result).as_array().unwrap().len(), 2);
            let reason = &result["structuredContent"]["cut"]["reason"];
            assert_eq!(reason, "Lenses closed the connection before the end of the result");
        }
    }
}

#[tokio::test]
async fn frames_that_are_not_sqls_are_no_rows() {
    let query = query(|mut socket| async move {
        socket.send(Message::text("<html>")).await.unwrap();
        pending::<()>().await;
    })
    .await;
    let text = Endpoint::new(&query.url).failure("execute_sql", select()).await;
    assert!(text.starts_with("Lenses HQ answered with a frame that is not SQL's."), "{text}");
}

#[tokio::test]
async fn a_refused_handshake_is_told_apart_by_its_status() {
    for (status, said) in [
        (401, "Lenses HQ does not accept the credential: no."),
        (403, "Lenses HQ does not allow this: no."),
        (404, "not found: no."),
        (503, "Lenses failed (503 Service Unavailable): no."),
        (302, "Lenses HQ answered with a redirect."),
        (200, "Lenses HQ answered with an unexpected status."),
    ] {
        let hq = Hq::answering(status, "application/json", r#"{"title":"no"}"#).await;
        let endpoint = Endpoint::new(&hq.url);
        let text = endpoint.failure("execute_sql", select()).await;
        assert!(text.starts_with(said), "{status}: {text}");
        assert_eq!(endpoint.forgotten.lock().unwrap().len(), usize::from(status == 401));
        assert_eq!(hq.lines(), ["GET /lenses/api/v1/environments/dev/proxy/api/ws/v2/sql/execute"]);
        assert_eq!(hq.seen()[0].authorization, format!("Bearer {}", client::TOKEN));
    }
    let text = Endpoint::new(&hq::absent().await).failure("execute_sql", select()).await;
    assert!(text.starts_with("Lenses HQ can't be reached: "), "{text}");
}

#[tokio::test]
async fn a_client_that_goes_away_stops_the_query_at_hq() {
    let (started, has_started) = oneshot::channel();
    let query = query(|mut socket| async move {
        send(&mut socket, [record(0)]).await;
        started.send(()).unwrap();
        while let Some(Ok(_)) = socket.next().await {}
    })
    .await;
    let endpoint = Endpoint::new(&query.url);
    let params = json!({ "name": "execute_sql", "arguments": select() });
    let request = client::request(LEGACY, "tools/call", params);
    tokio::select! {
        _ = endpoint.send(request) => panic!("the query has no end"),
        _ = has_started => {}
    }
    // The script ends when the connection does.
    query.statement.await.unwrap();
}
