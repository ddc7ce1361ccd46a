//! The control listener, over real sockets: faults are in force once they are set, and what HQ saw
//! can be read.

use std::net::SocketAddr;

use clap::Parser as _;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::Running;
use super::settings::Flags;

async fn hq() -> (Running, SocketAddr) {
    let flags = [
        "hq",
        "--listen=127.0.0.1:0",
        "--control=127.0.0.1:0",
        "--service-account-token=sa_for-the-tests",
    ];
    let running =
        Running::start(Flags::try_parse_from(flags).unwrap().check().unwrap()).await.unwrap();
    let control = running.control.unwrap();
    (running, control)
}

/// Status and body of a reply; none when there is no connection or no reply.
async fn send(
    to: SocketAddr,
    method: &str,
    target: &str,
    content_type: &str,
    body: &str,
) -> Option<(u16, String)> {
    let mut stream = TcpStream::connect(to).await.ok()?;
    let request = format!(
        "{method} {target} HTTP/1.1\r\nhost: hq\r\nauthorization: Bearer sa_for-the-tests\r\n\
         content-type: {content_type}\r\n\
         content-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await.ok()?;
    let mut reply = String::new();
    stream.read_to_string(&mut reply).await.ok()?;
    let (head, body) = reply.split_once("\r\n\r\n")?;
    Some((head.split(' ').nth(1)?.parse().ok()?, body.to_owned()))
}

async fn set(control: SocketAddr, faults: Value) -> u16 {
    send(control, "PUT", "/faults", "application/json", &faults.to_string()).await.unwrap().0
}

async fn introspect(hq: &Running) -> Option<(u16, String)> {
    send(
        hq.address,
        "POST",
        "/oauth2/introspect",
        "application/x-www-form-urlencoded",
        "token=unknown",
    )
    .await
}

#[tokio::test]
async fn while_down_the_address_refuses_and_afterwards_nothing_is_forgotten() {
    let (hq, control) = hq().await;
    let topics = "/api/v1/environments/development/proxy/api/topics";
    let body = json!({"topicName": "kept", "partitions": 1, "replication": 1}).to_string();
    assert_eq!(send(hq.address, "POST", topics, "application/json", &body).await.unwrap().0, 200);
    for _ in 0..3 {
        assert_eq!(set(control, json!({"down": true})).await, 200);
        assert!(TcpStream::connect(hq.address).await.is_err());
        assert_eq!(set(control, json!({})).await, 200);
        assert_eq!(
            send(hq.address, "GET", &format!("{topics}/kept"), "", "").await.unwrap().0,
            200
        );
    }
}

#[tokio::test]
async fn a_fault_is_in_force_until_another_set_replaces_it() {
    let (hq, control) = hq().await;
    assert_eq!(introspect(&hq).await, Some((200, "{\"active\":false}".to_owned())));
    for (fault, status) in [
        (json!("refuse"), 401),
        (json!({"status": 503}), 503),
        (json!("garbage"), 200),
        (json!("html"), 200),
    ] {
        assert_eq!(set(control, json!({"introspection": fault})).await, 200);
        let (found, body) = introspect(&hq).await.unwrap();
        assert_eq!(found, status, "{fault}");
        assert!(status != 200 || serde_json::from_str::<Value>(&body).is_err(), "{fault}: {body}");
        assert_eq!(
            send(hq.address, "GET", "/api/v1/environments", "", "").await.unwrap().0,
            200,
            "only introspection is struck"
        );
    }
    assert_eq!(set(control, json!({"introspection": "hang"})).await, 200);
    let hanging = tokio::spawn({
        let address = hq.address;
        async move {
            send(
                address,
                "POST",
                "/oauth2/introspect",
                "application/x-www-form-urlencoded",
                "token=x",
            )
            .await
        }
    });
    while !send(control, "GET", "/requests", "", "").await.unwrap().1.contains("\"id\":10") {}
    assert!(!hanging.is_finished());
    hq.stopper().cancel();
    hq.ended().await.unwrap();
    hanging.await.unwrap();
}

#[tokio::test]
async fn what_hq_saw_is_told_undecoded_and_without_credentials() {
    let (hq, control) = hq().await;
    introspect(&hq).await;
    let target = "/api/v1/environments/development/proxy/api/topics/..%2Fx%3F?a=%20b";
    send(hq.address, "GET", target, "", "").await;
    let (_, seen) = send(control, "GET", "/requests", "", "").await.unwrap();
    assert!(!seen.contains("sa_for-the-tests") && !seen.contains("unknown"), "{seen}");
    let expected = json!([
        {
            "id": 1, "method": "POST", "target": "/oauth2/introspect", "authorization": "bearer",
            "body": {"token": "***"}
        },
        {"id": 2, "method": "GET", "target": target, "authorization": "bearer", "body": null},
    ]);
    assert_eq!(serde_json::from_str::<Value>(&seen).unwrap(), expected);
    assert_eq!(send(control, "DELETE", "/requests", "", "").await.unwrap().0, 204);
    assert_eq!(send(control, "GET", "/requests", "", "").await.unwrap().1, "[]");
}
