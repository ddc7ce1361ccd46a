//! What the log says, and what it never shows. In a process of its own, because whether a line is
//! wanted is decided once in a process, and other tests want none.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that fails says so by panicking")]
#![expect(dead_code, reason = "the other tests of the front use the rest")]

mod captured_log;
#[path = "front/client.rs"]
mod client;
#[path = "front/hq.rs"]
mod hq;

use http::StatusCode;

use crate::{
    captured_log::CapturedLog,
    client::{READ, Server, With, call},
    hq::{Hq, Introspection},
};

#[tokio::test]
async fn the_log_names_caller_and_tool_but_no_token_url_or_argument() {
    let lines = CapturedLog::default();
    let subscriber = tracing_subscriber::fmt()
        .json()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(lines.clone())
        .finish();
    let guard = tracing::subscriber::set_default(subscriber);

    let hq = Hq::start().await;
    let server = Server::with_oauth(&hq, &[]);
    let token = hq.issue_to_alice();
    let mut request = call(READ).with_header("authorization", &format!("Bearer {token}"));
    *request.uri_mut() = "/mcp?secret=hunter2".parse().unwrap();
    assert_eq!(server.send(request).await.status, StatusCode::OK);
    server.call("bad-token-hunter3", READ).await;
    hq.introspection(Introspection::Says(StatusCode::UNAUTHORIZED, "hunter4".into()));
    server.call("token-hunter5", READ).await;
    drop(guard);

    let log = lines.text();
    let answered: Vec<_> = log.lines().filter(|line| line.contains("\"answered\"")).collect();
    let levels: Vec<_> = answered.iter().map(|line| line.contains(r#""level":"INFO""#)).collect();
    assert_eq!(
        levels,
        [false, true, true],
        "a call that has an audit line repeats it at DEBUG only"
    );
    for expected in [
        r#""path":"/mcp""#,
        r#""sign_in":"accepted""#,
        r#""rpc":"tools/call""#,
        r#""subject":"alice""#,
        r#""status":200"#,
    ] {
        assert!(answered[0].contains(expected), "{expected} is not in {}", answered[0]);
    }
    let refused = lenses_mcp_server::identity::Fingerprint::of("bad-token-hunter3").to_string();
    assert!(
        answered[1].contains(&refused) && answered[1].contains(r#""sign_in":"invalid""#),
        "{}",
        answered[1]
    );
    assert!(log.contains("authorizationServer.unauthenticatedIntrospection: true in HQ"), "{log}");
    let own: String = log.lines().filter(|line| line.contains("lenses_mcp_server")).collect();
    for secret in [token, "bad-token", "hunter"] {
        assert!(!own.contains(secret), "{secret} is in the log");
    }
}
