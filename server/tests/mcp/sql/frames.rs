//! What each frame means for the query, and what comes of frames that mean nothing.

use std::future::pending;

use futures::{SinkExt, StreamExt};
use lenses_mcp_server::tools;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::{
    Message,
    protocol::frame::{
        Frame,
        coding::{Data, OpCode},
    },
};

use super::{end, record, rows, select};
use crate::{
    client::Endpoint,
    hq::{query, send, until_gone},
};

#[tokio::test]
async fn a_query_ends_with_end_or_with_a_clean_close() {
    for ends in [true, false] {
        let query = query(move |mut socket| async move {
            send(&mut socket, [record(0)]).await;
            if ends {
                send(&mut socket, [end()]).await;
                pending::<()>().await;
            }
            socket.close(None).await.unwrap();
        })
        .await;
        let result = Endpoint::new(&query.url).call("execute_sql", select()).await;
        assert_eq!(result["structuredContent"], json!({ "result": [{ "rownum": 0 }] }), "{ends}");
    }
}

#[tokio::test]
async fn a_success_ends_no_query_and_types_are_read_in_any_case() {
    for (success, row, end) in
        [("SUCCESS", "RECORD", "END"), ("success", "record", "end"), ("Success", "Record", "End")]
    {
        let query = query(move |mut socket| async move {
            for frame in [
                format!(r#"{{"type":"{success}","data":"welcome"}}"#),
                format!(r#"{{"type":"{row}","data":{{"a":1}}}}"#),
                format!(r#"{{"type":"{row}","data":{{"a":2}}}}"#),
                format!(r#"{{"type":"{end}"}}"#),
            ] {
                socket.send(Message::text(frame)).await.unwrap();
            }
            until_gone(&mut socket).await;
        })
        .await;
        let result = Endpoint::new(&query.url).call("execute_sql", select()).await;
        assert_eq!(result["structuredContent"], json!({ "result": [{ "a": 1 }, { "a": 2 }] }));
        assert_eq!(result["content"].as_array().unwrap().len(), 1, "{result}");
    }
}

#[tokio::test]
async fn what_hq_says_of_a_statement_without_rows_is_its_result() {
    let success = |text| json!({ "type": "SUCCESS", "data": text });
    for (sql, frames, closes, message) in [
        (
            "DROP TABLE t",
            vec![success("table [t] dropped"), end()],
            false,
            Some("table [t] dropped"),
        ),
        ("DROP TABLE t", vec![success("table [t] dropped")], true, Some("table [t] dropped")),
        ("DROP TABLE t", vec![success("hello"), success("dropped"), end()], false, Some("dropped")),
        ("DROP TABLE t", vec![json!({ "type": "SUCCESS", "data": null }), end()], false, None),
        // A query that finds nothing has no rows either: what is said is about the login.
        ("SELECT * FROM t", vec![success("hello"), end()], false, None),
        ("DROP TABLE t", vec![success("hello"), record(0), end()], false, None),
    ] {
        let rows: Vec<_> = frames.iter().filter(|frame| frame["type"] == "RECORD").collect();
        let rows = json!(rows.iter().map(|frame| &frame["data"]).collect::<Vec<_>>());
        let query = query(move |mut socket| async move {
            send(&mut socket, frames).await;
            if closes {
                socket.close(None).await.unwrap();
            }
            until_gone(&mut socket).await;
        })
        .await;
        let arguments = json!({ "environment": "dev", "sql": sql });
        let result = Endpoint::new(&query.url).call("execute_sql", arguments).await;
        let structured = &result["structuredContent"];
        assert_eq!((&structured["result"], &structured["message"]), (&rows, &json!(message)));
        let note = message.map(|message| format!("Lenses says: {message}"));
        assert_eq!(result["content"][1]["text"], json!(note), "{result}");
        let schema = tools::registry().find("execute_sql").unwrap().listing().output_schema.clone();
        let schema = Value::Object((*schema.unwrap()).clone());
        assert!(jsonschema::is_valid(&schema, structured), "{structured}");
    }
}

#[tokio::test]
async fn a_stream_of_which_no_frame_is_known_is_an_error() {
    let unknown = || json!({ "type": "ROW", "data": { "a": 1 } });
    let broke = "the connection to Lenses HQ broke: ";
    let odd = "Lenses HQ answered with frames that are not SQL's.";
    for (frames, said) in
        [(vec![unknown(), unknown()], odd), (vec![unknown(), end()], odd), (vec![], broke)]
    {
        let query = query(move |mut socket| async move {
            send(&mut socket, frames).await;
            // The other side may have gone first.
            let _ = socket.close(None).await;
            until_gone(&mut socket).await;
        })
        .await;
        let text = Endpoint::new(&query.url).failure("execute_sql", select()).await;
        assert!(text.starts_with(said), "{text}");
    }
    let frames = [unknown(), json!({ "type": "HEARTBEAT" }), end()];
    let query = query(|mut socket| async move { send(&mut socket, frames).await }).await;
    let result = Endpoint::new(&query.url).call("execute_sql", select()).await;
    assert_eq!(result["structuredContent"], json!({ "result": [] }));
}

#[tokio::test]
async fn a_record_that_cannot_be_read_is_replaced_alone() {
    let deep = "[".repeat(200) + &"]".repeat(200);
    for (data, why) in [
        (br#"{"key":"k","v":"\ud800"}"#.to_vec(), "half a surrogate pair"),
        (format!(r#"{{"key":"k","v":{deep}}}"#).into_bytes(), "more than 120 levels of nesting"),
        (br#"{"key":"k","v":NaN}"#.to_vec(), "text that is not JSON"),
        (b"{\"key\":\"k\",\"v\":\"\xff\"}".to_vec(), "bytes that are not UTF-8"),
    ] {
        let query = query(move |mut socket| async move {
            let frame = [br#"{"type":"RECORD","data":"#.as_slice(), &data, b"}"].concat();
            send(&mut socket, [record(0)]).await;
            socket.send(Message::binary(frame)).await.unwrap();
            send(&mut socket, [record(2), end()]).await;
        })
        .await;
        let result = Endpoint::new(&query.url).call("execute_sql", select()).await;
        let left_out =
            format!("Lenses sent {why} here, which JSON readers refuse, so that it is left out");
        let expected =
            json!([{ "rownum": 0 }, { "key": "k", "unreadable": left_out }, { "rownum": 2 }]);
        assert_eq!(rows(&result), &expected);
    }
}

#[tokio::test]
async fn frames_that_are_not_sqls_are_an_error_and_no_rows() {
    let text = |bytes: &'static [u8]| {
        Message::Frame(Frame::message(bytes, OpCode::Data(Data::Text), true))
    };
    for (frame, said) in [
        (Message::text("<html>"), "a frame that is not SQL's"),
        (Message::text(r#"{"type":"RECORD","data":{"a":"#), "a frame that is not SQL's"),
        (Message::binary(&b"{\"type\":\"\xff\",\"data\":{}}"[..]), "a frame that is not SQL's"),
        (text(b"{\"type\":\"RECORD\",\"data\":\"\xff\"}"), "text that is not UTF-8"),
        (
            Message::Frame(Frame::message(&b"{}"[..], OpCode::Data(Data::Reserved(3)), true)),
            "a malformed websocket frame",
        ),
    ] {
        let query = query(|mut socket| async move {
            send(&mut socket, [record(0)]).await;
            socket.send(frame).await.unwrap();
            until_gone(&mut socket).await;
        })
        .await;
        let text = Endpoint::new(&query.url).failure("execute_sql", select()).await;
        assert!(text.starts_with(&format!("Lenses HQ answered with {said}.")), "{text}");
    }
}

#[tokio::test]
async fn pings_fragments_and_binary_frames_follow_rfc_6455_until_the_end() {
    let query = query(|mut socket| async move {
        let part = |text: &'static str, opcode, last| {
            Message::Frame(Frame::message(text, OpCode::Data(opcode), last))
        };
        for message in [
            Message::binary(record(0).to_string()),
            part(r#"{"type":"REC"#, Data::Text, false),
            Message::Ping("are you there".into()),
            part(r#"ORD","data":"#, Data::Continue, false),
            part(r#"{"rownum":1}}"#, Data::Continue, true),
            Message::Pong("unasked".into()),
        ] {
            socket.send(message).await.unwrap();
        }
        assert_eq!(socket.next().await.unwrap().unwrap(), Message::Pong("are you there".into()));
        send(&mut socket, [end(), record(2), json!({ "type": "ERROR", "data": "too late" })]).await;
        until_gone(&mut socket).await;
    })
    .await;
    let result = Endpoint::new(&query.url).call("execute_sql", select()).await;
    assert_eq!(
        result["structuredContent"],
        json!({ "result": [{ "rownum": 0 }, { "rownum": 1 }] })
    );
    query.statement.await.unwrap();
}

#[tokio::test]
async fn columns_stay_in_order_and_what_a_double_would_change_is_text() {
    let row = concat!(
        r#"{"z":1.10000000000000000001,"id":1915883588174806058,"a":12345678901234567.89,"#,
        r#""e":1e400,"m":1.50}"#,
    );
    let query = query(move |mut socket| async move {
        socket.send(Message::text(format!(r#"{{"type":"RECORD","data":{row}}}"#))).await.unwrap();
        send(&mut socket, [end()]).await;
    })
    .await;
    let result = Endpoint::new(&query.url).call("execute_sql", select()).await;
    let text = concat!(
        r#"[{"z":"1.10000000000000000001","id":"1915883588174806058","a":"12345678901234567.89","#,
        r#""e":"1e400","m":1.50}]"#,
    );
    assert_eq!(result["content"], json!([{ "type": "text", "text": text }]));
    assert_eq!(rows(&result), &serde_json::from_str::<Value>(text).unwrap());
}

#[tokio::test]
async fn a_broken_statement_may_have_changed_something_an_invalid_one_not() {
    let change = "A change may have been made: look before repeating it. ";
    let deletion = "It may have been deleted: look before repeating it. ";
    for (sql, kind, done) in [
        ("INSERT INTO a SELECT * FROM b", "ERROR", change),
        ("INSERT INTO a SELECT * FROM b; DROP TABLE b", "ERROR", change),
        ("DROP TABLE a", "ERROR", deletion),
        ("SELECT * FROM a", "ERROR", ""),
        ("INSERT INTO a SELECT * FROM b", "INVALIDREQUEST", ""),
    ] {
        let query = query(async move |mut socket| {
            let frame = json!({ "type": kind, "data": "broke off after 1000 records" });
            send(&mut socket, [frame]).await;
            pending::<()>().await;
        })
        .await;
        let arguments = json!({ "environment": "dev", "sql": sql });
        assert_eq!(
            Endpoint::new(&query.url).failure("execute_sql", arguments).await,
            format!(
                "the query failed: broke off after 1000 records. {done}Correct the statement as \
                 the message says and try again."
            ),
            "{sql} {kind}"
        );
    }
}
