//! Queries: every frame, every end, every limit.

mod cancel;
mod frames;
mod progress;

use std::{future::pending, time::Duration};

use futures::SinkExt;
use lenses_mcp_server::{scope::Scope, tools};
use serde_json::{Value, json};
use tokio::sync::oneshot;
use tokio_tungstenite::tungstenite::{
    Message,
    protocol::{CloseFrame, frame::coding::CloseCode},
};

use crate::{
    client::{self, Endpoint, Limits},
    hq::{self, Hq, query, send, until_gone},
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
async fn a_result_over_the_row_limit_is_cut_and_says_so() {
    let limits = Limits { rows: 3, ..Limits::default() };
    for (sent, cut) in [(3, false), (4, true)] {
        let query = query(move |mut socket| async move {
            send(&mut socket, (0..sent).map(record).chain([end()])).await;
            until_gone(&mut socket).await;
        })
        .await;
        let result = Endpoint::limited(&query.url, limits).call("execute_sql", select()).await;
        assert_eq!(rows(&result), &json!([{ "rownum": 0 }, { "rownum": 1 }, { "rownum": 2 }]));
        let structured = &result["structuredContent"];
        assert_eq!(structured["cut"]["rows"], if cut { json!(3) } else { Value::Null });
        if cut {
            let text = result["content"][1]["text"].as_str().unwrap();
            assert!(
                text.starts_with("Cut after 3 rows: the limit of 3 rows was reached."),
                "{text}"
            );
            let schema = tools::registry()
                .find("execute_sql")
                .unwrap()
                .listing()
                .output_schema
                .clone()
                .unwrap();
            assert!(jsonschema::is_valid(&Value::Object((*schema).clone()), structured));
        }
        // The statement arrives only after the script has ended: the connection was closed.
        query.statement.await.unwrap();
    }
}

#[tokio::test]
async fn a_result_over_the_byte_limit_is_cut_or_refused() {
    let limits = Limits { bytes: 2_000, ..Limits::default() };
    let big = |bytes| json!({ "type": "RECORD", "data": { "value": "x".repeat(bytes) } });
    for (frames, kept) in
        [(vec![big(1_000), big(1_000), end()], 1), (vec![big(100), big(5_000), end()], 1)]
    {
        let query = query(|mut socket| async move { send(&mut socket, frames).await }).await;
        let result = Endpoint::limited(&query.url, limits).call("execute_sql", select()).await;
        assert_eq!(result["structuredContent"]["cut"]["rows"], kept);
        assert_eq!(
            result["structuredContent"]["cut"]["reason"],
            "the limit of 2000 bytes was reached"
        );
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
async fn a_query_ended_at_lenses_limit_says_so_and_how_to_continue() {
    for (sql, read, is_cut) in [
        ("SELECT * FROM orders", 20_971_540_u64, true),
        ("SELECT * FROM orders", 19_999_999, false),
        ("SET max.size = '1k'; SELECT * FROM orders", 1_000, true),
        ("SET max.size = '1GB'; SELECT * FROM orders", 20_971_540, false),
    ] {
        for row in [vec![], vec![record(0)]] {
            let stats =
                json!({ "type": "STATS", "data": { "bytesRead": read, "recordsScanned": 9 } });
            let frames = [row.clone(), vec![stats, end()]].concat();
            let query = query(|mut socket| async move { send(&mut socket, frames).await }).await;
            let arguments = json!({ "environment": "dev", "sql": sql });
            let result = Endpoint::new(&query.url).call("execute_sql", arguments).await;
            let cut = &result["structuredContent"]["cut"];
            assert_eq!(rows(&result).as_array().unwrap().len(), row.len());
            assert_eq!(cut.is_object(), is_cut, "{sql}: {result}");
            if is_cut {
                let reason = cut["reason"].as_str().unwrap();
                assert!(
                    reason.starts_with(&format!("Lenses read {read} bytes of records")),
                    "{reason}"
                );
                assert!(cut["next"].as_str().unwrap().contains("SET max.size = "), "{cut}");
            }
        }
    }
}

#[tokio::test]
async fn a_cut_says_how_to_continue_after_each_partitions_last_record() {
    let limits = Limits { rows: 3, ..Limits::default() };
    let at = |partition, offset| {
        json!({
            "type": "RECORD", "data": { "metadata": { "partition": partition, "offset": offset } }
        })
    };
    for (frames, expected) in [
        (
            [at(0, 17), at(3, 5), at(0, 18), at(3, 6)],
            "_meta.partition = 0 AND _meta.offset > 18; _meta.partition = 3 AND _meta.offset > 5.",
        ),
        // Records that do not come in the order of their offsets: what was left out can't be told
        // by them.
        ([at(0, 17), at(0, 16), at(0, 18), at(0, 19)], "a condition on _meta.timestamp"),
        ([record(0), record(1), record(2), record(3)], "a condition on _meta.timestamp"),
    ] {
        let query = query(|mut socket| async move { send(&mut socket, frames).await }).await;
        let result = Endpoint::limited(&query.url, limits).call("execute_sql", select()).await;
        let next = result["structuredContent"]["cut"]["next"].as_str().unwrap();
        assert!(next.contains(expected), "{next}");
        assert!(result["content"][1]["text"].as_str().unwrap().ends_with(next));
    }
}

#[tokio::test]
async fn hq_is_read_no_further_than_the_cut() {
    let (told, sent) = oneshot::channel();
    let query = query(|mut socket| async move {
        let record =
            json!({ "type": "RECORD", "data": { "value": "x".repeat(10_000) } }).to_string();
        let mut sent = 0_usize;
        // A gigabyte, if somebody takes it.
        while sent < 100_000 && socket.send(Message::text(&record)).await.is_ok() {
            sent += 1;
        }
        told.send(sent).unwrap();
    })
    .await;
    let limits = Limits { rows: 3, ..Limits::default() };
    let result = Endpoint::limited(&query.url, limits).call("execute_sql", select()).await;
    assert_eq!(result["structuredContent"]["cut"]["rows"], 3);
    // What the kernel buffered on the way.
    let sent = sent.await.unwrap();
    assert!(sent < 5_000, "{sent}");
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
