//! Results that are cut.

use futures::SinkExt;
use lenses_mcp_server::tools;
use serde_json::{Value, json};
use tokio::sync::oneshot;
use tokio_tungstenite::tungstenite::Message;

use super::{end, record, rows, select};
use crate::{
    client::{Endpoint, Limits},
    hq::{query, send, until_gone},
};

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
