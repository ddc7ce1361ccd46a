//! SQL over a real socket: every frame, every ending, and that a query stops when its client goes.

use std::time::Duration;

use clap::Parser as _;
use futures::{SinkExt as _, StreamExt as _};
use http::header;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::hq::Running;
use crate::hq::settings::Flags;

const TOKEN: &str = "sa_for-the-tests";
const PATH: &str = "/api/v1/environments/development/proxy/api/ws/v2/sql/execute";

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

async fn hq() -> Running {
    let flags =
        ["hq", "--listen=127.0.0.1:0", "--control=127.0.0.1:0", "--service-account-token", TOKEN];
    Running::start(Flags::try_parse_from(flags).unwrap().check().unwrap()).await.unwrap()
}

async fn open(hq: &Running, path: &str, token: &str) -> Result<Socket, Error> {
    let mut request = format!("ws://{}{path}", hq.address).into_client_request().unwrap();
    request.headers_mut().insert(header::AUTHORIZATION, format!("Bearer {token}").parse().unwrap());
    let (mut socket, _) = connect_async(request).await?;
    // The login is acknowledged before anything is asked.
    assert_eq!(next(&mut socket).await, Some(json!({"type": "SUCCESS", "data": null})));
    Ok(socket)
}

async fn ask(hq: &Running, request: Value) -> Socket {
    let mut socket = open(hq, PATH, TOKEN).await.unwrap();
    socket.send(Message::text(request.to_string())).await.unwrap();
    socket
}

/// The next frame; none once the socket is closed.
async fn next(socket: &mut Socket) -> Option<Value> {
    match socket.next().await? {
        Ok(Message::Text(text)) => Some(serde_json::from_str(&text).unwrap()),
        Ok(Message::Close(_)) | Err(_) => None,
        Ok(other) => panic!("{other}"),
    }
}

/// All frames of a statement.
async fn run(hq: &Running, sql: &str) -> Vec<Value> {
    let mut socket = ask(hq, json!({"sql": sql})).await;
    let mut frames = Vec::new();
    while let Some(frame) = next(&mut socket).await {
        frames.push(frame);
    }
    frames
}

fn of_kind<'frames>(frames: &'frames [Value], kind: &str) -> Vec<&'frames Value> {
    frames.iter().filter(|frame| frame["type"] == kind).map(|frame| &frame["data"]).collect()
}

fn kinds(frames: &[Value]) -> Vec<&str> {
    let mut kinds: Vec<_> = frames.iter().map(|frame| frame["type"].as_str().unwrap()).collect();
    kinds.dedup();
    kinds
}

/// Values of the rows.
async fn values(hq: &Running, sql: &str) -> Vec<Value> {
    let frames = run(hq, sql).await;
    of_kind(&frames, "RECORD").into_iter().map(|row| row["value"].clone()).collect()
}

async fn until_no_query_runs(hq: &Running) {
    while values(hq, "SHOW QUERIES").await.len() > 1 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_select_answers_heartbeat_records_stats_and_end() {
    let hq = hq().await;
    let frames = run(
        &hq,
        "SELECT order_id, status AS state FROM orders WHERE currency = 'EUR' AND order_id >= 4 \
         LIMIT 2",
    )
    .await;
    assert_eq!(kinds(&frames), ["HEARTBEAT", "RECORD", "STATS", "END"]);
    let row = json!({
        "key": "order-4", "value": {"order_id": 4, "state": "DELIVERED"}, "rownum": 0,
        "metadata": {
            "timestamp": 1_767_600_003_000_u64, "partition": 3, "offset": 0, "__keysize": 9,
            "__valuesize": 112
        },
    });
    let mut first = of_kind(&frames, "RECORD")[0].clone();
    first["metadata"]["__valuesize"] = json!(112);
    assert_eq!(first, row);
    let stats = of_kind(&frames, "STATS")[0];
    assert_eq!(
        (&stats["recordsScanned"], &stats["recordsSkipped"], &stats["results"]),
        (&json!(7), &json!(5), &json!(2))
    );
    assert_eq!((&stats["badRecordsTotal"], &stats["sources"]), (&json!(0), &json!(["orders"])));
}

#[tokio::test]
async fn tombstones_are_rows_like_any_other() {
    let hq = hq().await;
    let frames = run(&hq, "SELECT * FROM customers WHERE _value IS NULL").await;
    let rows: Vec<_> = of_kind(&frames, "RECORD")
        .into_iter()
        .map(|row| (row["key"].clone(), row["value"].clone()))
        .collect();
    assert_eq!(
        rows,
        ["customer-40", "customer-80", "customer-120"].map(|key| (json!(key), Value::Null))
    );
    assert_eq!(values(&hq, "SELECT * FROM customers").await.len(), 123);
}

#[tokio::test]
async fn statements_change_what_later_ones_and_the_api_see() {
    let hq = hq().await;
    let create = "CREATE TABLE notes (id int, author.name string) FORMAT (string, json) PROPERTIES \
                  (partitions = 2)";
    let frames = run(&hq, create).await;
    assert_eq!(
        (kinds(&frames), of_kind(&frames, "SUCCESS")[0]),
        (vec!["SUCCESS", "END"], &json!("table [notes] created"))
    );
    run(&hq, "INSERT INTO notes (_key, id, author.name) VALUES ('a', 1, 'Ada'), ('b', 2, null)")
        .await;
    let stored =
        [json!({"id": 1, "author": {"name": "Ada"}}), json!({"id": 2, "author": {"name": null}})];
    assert_eq!(values(&hq, "SELECT * FROM notes").await, stored);
    let described = values(&hq, "DESCRIBE TABLE notes").await;
    let expected = [("_key", "string"), ("id", "int"), ("author.name", "string")]
        .map(|(name, kind)| json!({"name": name, "type": kind}));
    assert_eq!(described, expected);
    assert!(
        values(&hq, "SHOW TABLES")
            .await
            .contains(&json!({"name": "notes", "partitions": 2, "replicas": 1}))
    );
    run(&hq, "DROP TABLE notes").await;
    assert_eq!(
        of_kind(&run(&hq, "SELECT * FROM notes").await, "ERROR"),
        [&json!("table [notes] not found")]
    );
}

#[tokio::test]
async fn what_fails_is_an_error_frame_with_its_reason() {
    let hq = hq().await;
    for (sql, reason) in [
        ("SELECT * FROM nowhere", "table [nowhere] not found"),
        ("SELECT colour FROM orders", "field [colour] not found in table [orders]"),
        ("SELECT * FORM orders", "syntax error at line 1, column 10"),
        ("CREATE TABLE orders (a int)", "topic [orders] already exists"),
        ("CREATE TABLE bad (a int) PROPERTIES (partitions = 0)", "partitions is 0"),
        ("INSERT INTO orders (colour) VALUES (1)", "field [colour] cannot be inserted"),
        ("DROP TABLE nowhere", "table [nowhere] not found"),
        ("KILL QUERY 9999", "query [9999] not found"),
    ] {
        let frames = run(&hq, sql).await;
        assert_eq!(kinds(&frames), ["ERROR"], "{sql}");
        assert!(frames[0]["data"].as_str().unwrap().contains(reason), "{sql}: {}", frames[0]);
    }
    for request in ["{}", "[]", "nonsense", r#"{"sql": 1}"#, r#"{"sql": "SHOW TABLES", "live": 1}"#]
    {
        let mut socket = open(&hq, PATH, TOKEN).await.unwrap();
        socket.send(Message::text(request)).await.unwrap();
        assert_eq!(next(&mut socket).await.unwrap()["type"], "INVALIDREQUEST", "{request}");
        assert_eq!(next(&mut socket).await, None);
    }
}

#[tokio::test]
async fn the_handshake_refuses_a_bad_credential_and_an_agent_that_is_down() {
    let hq = hq().await;
    let down = PATH.replace("development", "disaster-recovery");
    let unknown = PATH.replace("development", "nowhere");
    for (path, token, status) in [(PATH, "wrong", 401), (&down, TOKEN, 503), (&unknown, TOKEN, 404)]
    {
        match open(&hq, path, token).await {
            Err(Error::Http(response)) => assert_eq!(response.status(), status),
            other => panic!("{path}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn a_scan_ends_at_max_size_and_only_stats_tell() {
    let hq = hq().await;
    let frames = run(&hq, "SET max.size = '10KB'; SELECT * FROM big_events").await;
    assert_eq!(kinds(&frames), ["HEARTBEAT", "RECORD", "STATS", "END"]);
    let stats = of_kind(&frames, "STATS")[0];
    let (bytes, scanned) =
        (stats["bytesRead"].as_u64().unwrap(), stats["recordsScanned"].as_u64().unwrap());
    assert!((10 * 1024..10 * 1024 + 200).contains(&bytes) && scanned < 200, "{stats}");
}

#[tokio::test]
async fn a_query_waits_for_its_client_and_stops_when_the_client_leaves() {
    let hq = hq().await;
    let sql = "SET max.size = '1GB'; SELECT * FROM big_events";
    let mut waiting = ask(&hq, json!({"sql": sql, "live": true, "stats": 1})).await;
    assert_eq!(next(&mut waiting).await.unwrap()["type"], "HEARTBEAT");
    let listed = values(&hq, "SHOW QUERIES").await;
    assert_eq!(
        (listed.len(), &listed[0]["sql"], &listed[0]["user"]),
        (2, &json!(sql), &json!("mcp-service-account"))
    );
    drop(waiting);
    tokio::time::timeout(Duration::from_secs(10), until_no_query_runs(&hq)).await.unwrap();
}

#[tokio::test]
async fn a_killed_query_ends_with_an_error() {
    let hq = hq().await;
    let mut waiting =
        ask(&hq, json!({"sql": "SET max.size = '1GB'; SELECT * FROM big_events", "stats": 1}))
            .await;
    next(&mut waiting).await;
    let id = values(&hq, "SHOW QUERIES").await[0]["id"].clone();
    run(&hq, &format!("KILL QUERY {id}")).await;
    let mut last = Value::Null;
    while let Some(frame) = next(&mut waiting).await {
        last = frame;
    }
    assert_eq!(last, json!({"type": "ERROR", "data": format!("query [{id}] was killed")}));
}

#[tokio::test]
async fn hq_ends_at_once_although_a_query_runs() {
    let hq = hq().await;
    let mut waiting =
        ask(&hq, json!({"sql": "SET max.size = '1GB'; SELECT * FROM big_events"})).await;
    next(&mut waiting).await;
    hq.stopper().cancel();
    tokio::time::timeout(Duration::from_secs(5), hq.ended()).await.unwrap().unwrap();
}
