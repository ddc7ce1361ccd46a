//! Queries: every frame, every end, every limit.

mod cancel;
mod frames;
mod limits;
mod progress;

use std::{future::pending, time::Duration};

use futures::SinkExt;
use lenses_mcp_server::scope::Scope;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::{
    Message,
    protocol::{CloseFrame, frame::coding::CloseCode},
};

use crate::{
    client::{self, Endpoint, Limits},
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
async fn rows_come_whole_and_in_order_with_tombstones_and_empty_ones() {
    let frames = vec![
        json!({ "type": "HEARTBEAT" }),
        json!({
            "type": "RECORD",
            "data": { "key": 1, "value": { "a": 1 }, "metadata": { "offset": 0 }, "rownum": 0 }
        }),
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
    assert_eq!(statement, json!({ "sql": "SELECT * FROM orders", "stats": 500 }));
}

#[tokio::test]
async fn an_error_frame_is_an_error_after_any_number_of_rows() {
    for (kind, before) in [("ERROR", 0), ("ERROR", 3), ("INVALIDREQUEST", 0), ("INVALIDREQUEST", 3)]
    {
        let query = query(move |mut socket| async move {
            send(&mut socket, (0..before).map(record)).await;
            send(&mut socket, [json!({ "type": kind, "data": "no such table: orders" })]).await;
            pending::<()>().await;
        })
        .await;
        let text = Endpoint::new(&query.url).failure("execute_sql", select()).await;
        assert!(
            text.starts_with("the query failed: no such table: orders. Correct the statement"),
            "{text}"
        );
    }
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
async fn a_query_that_takes_too_long_gives_its_rows_so_far() {
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
            assert_eq!(
                result["structuredContent"]["cut"]["reason"],
                "the time limit of 0.3 s was reached"
            );
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
                    "the connection to Lenses HQ broke: Lenses closed the connection before the \
                     end of the result."
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
async fn a_token_for_reading_runs_nothing_else_however_it_is_written() {
    let hq = Hq::giving(&json!({})).await;
    let endpoint = Endpoint::new(&hq.url).with_scopes(Scope::Read.into());
    for sql in [
        "DROP TABLE t",
        "SELECT 1; DROP TABLE t",
        "SET max.size = '1m';\n/* SELECT */ TRUNCATE TABLE t",
        "WITH a AS (SELECT 1) DELETE FROM t",
        "EXPLAIN INSERT INTO t VALUES (1)",
        "SELECT 1 --\r'\n; DROP TABLE t --'",
        "KILL QUERY 1",
    ] {
        let text =
            endpoint.failure("execute_sql", json!({ "environment": "dev", "sql": sql })).await;
        assert!(text.starts_with("This call of execute_sql needs the scopes"), "{text}");
    }
    let long = format!("DROP TABLE {}", "t".repeat(100_000));
    let text = endpoint.failure("execute_sql", json!({ "environment": "dev", "sql": long })).await;
    assert!(text.contains("is longer than 100000 characters"), "{text}");
    assert_eq!(hq.seen(), []);
}

#[tokio::test]
async fn a_refused_handshake_is_told_apart_by_its_status() {
    for (status, said) in [
        (401, "Lenses HQ does not accept the credential: no."),
        (403, "Lenses HQ does not allow this: no."),
        (404, "not found: no."),
        (503, "Lenses failed (503 Service Unavailable): no."),
        (302, "Lenses HQ answered with a redirect."),
        (200, "Lenses HQ answered with something other than a websocket."),
    ] {
        let hq = Hq::answering(status, "application/json", r#"{"title":"no"}"#).await;
        let endpoint = Endpoint::new(&hq.url);
        let text = endpoint.failure("execute_sql", select()).await;
        assert!(text.starts_with(said), "{status}: {text}");
        assert_eq!(endpoint.forgotten.lock().unwrap().len(), usize::from(status == 401));
        assert_eq!(hq.lines(), ["GET /lenses/api/v1/environments/dev/proxy/api/ws/v2/sql/execute"]);
        assert_eq!(hq.seen()[0].authorization, format!("Bearer {}", client::TOKEN));
    }
    // A body that comes long after the head is read all the same.
    let body = json!({
        "padding": "x".repeat(100_000), "title": "the agent is gone", "type": "agent_not_connected"
    });
    let hq = Hq::answering(503, "application/json", body.to_string()).await;
    let text = Endpoint::new(&hq.url).failure("execute_sql", select()).await;
    assert!(text.starts_with("the environment's agent can't be used: the agent is gone"), "{text}");
    let text = Endpoint::new(&hq::absent().await).failure("execute_sql", select()).await;
    assert!(text.starts_with("Lenses HQ can't be reached: "), "{text}");
    // Something that upgrades to whatever is asked for, without knowing websockets.
    let echo =
        "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n";
    let text =
        Endpoint::new(&hq::writing(echo.as_bytes()).await).failure("execute_sql", select()).await;
    assert!(
        text.starts_with("Lenses HQ answered with something other than a websocket."),
        "{text}"
    );
}
