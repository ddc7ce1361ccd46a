//! Every shape of error from HQ, for calls that read, create, update, trigger and delete, in each
//! way of signing in: the whole message.

mod advice;

use std::time::Duration;

use lenses_mcp_server::identity::SignInMode;

use self::advice::{
    AGENT_FAILED, AWAY, Advice,
    Advice::{ByIntent, BySignIn},
    CONFLICT, CORRECT, FAILED, FORBIDDEN, LATER, LICENCE, NO_AGENT, NOT_FOUND, NOT_HQ, OLD_AGENT,
    REBALANCE, RESTARTING, TOO_LARGE, UNAUTHORIZED, UNUSABLE,
};
use crate::{
    client::{Endpoint, Limits},
    hq::{self, Hq},
    valid,
};

const JSON: &str = "application/json";
/// Tools that read, create, update, trigger and delete: some of each kind, whatever scopes a call
/// needs.
const TOOLS: [&[&str]; 5] = [
    &["list_topics", "list_kafka_connectors"],
    &["create_kafka_connector", "request_topic_creation"],
    // The good call of the second sets retention.ms, which needs the scope delete too.
    &["add_topic_partitions", "update_topic_config", "update_dataset_topic_tags"],
    &["set_action_on_kafka_connector", "resend_message"],
    &["delete_consumer_group", "delete_kafka_connector"],
];
const SIGN_IN_MODES: [SignInMode; 3] = [SignInMode::OAuth, SignInMode::ApiKey, SignInMode::Stdio];

#[rustfmt::skip]
const REPLIES: &[(u16, &str, &str, &str, &Advice)] = &[
    // HQ's problem documents, by their codes.
    (
        401, JSON, r#"{"type":"unauthorised","title":"odd"}"#,
        "Lenses HQ does not accept the credential: odd [unauthorised]", &UNAUTHORIZED
    ),
    (
        403, JSON, r#"{"type":"forbidden","title":"odd"}"#,
        "Lenses HQ does not allow this: odd [forbidden]", &FORBIDDEN
    ),
    (
        400, JSON, r#"{"type":"forbidden","title":"odd"}"#,
        "Lenses HQ does not allow this: odd [forbidden]", &FORBIDDEN
    ),
    (
        404, JSON, r#"{"type":"not_found","title":"odd","request_id":"r"}"#,
        "not found: odd [not_found, request r]", &NOT_FOUND
    ),
    (400, JSON, r#"{"type":"not_found","title":"odd"}"#, "not found: odd [not_found]", &NOT_FOUND),
    (
        409, JSON, r#"{"type":"conflict","title":"odd"}"#,
        "conflict with what is there: odd [conflict]", &CONFLICT
    ),
    (
        409, JSON, r#"{"error":"worker rebalance"}"#,
        "conflict with what is there: worker rebalance", &REBALANCE
    ),
    (
        400, JSON, r#"{"type":"conflict","title":"odd"}"#,
        "conflict with what is there: odd [conflict]", &CONFLICT
    ),
    (
        500, JSON, r#"{"type":"internal_server_error","title":"odd"}"#,
        "Lenses failed (500 Internal Server Error): odd [internal_server_error]", &FAILED
    ),
    (
        500, JSON, r#"{"type":"agent_rpc_error","title":"odd"}"#,
        "the environment's agent failed: odd [agent_rpc_error]", &AGENT_FAILED
    ),
    (
        501, JSON, r#"{"type":"missing_agent_capabilities","title":"odd"}"#,
        "the environment's agent is too old for this: odd [missing_agent_capabilities]", &OLD_AGENT
    ),
    (
        503, JSON, r#"{"type":"agent_not_connected","title":"odd"}"#,
        "the environment's agent can't be used: odd [agent_not_connected]", &NO_AGENT
    ),
    (
        404, JSON, r#"{"type":"agent_not_connected","title":"odd"}"#,
        "the environment's agent can't be used: odd [agent_not_connected]", &NO_AGENT
    ),
    (
        400, JSON,
        r#"{"type":"validation_error","title":"odd","invalid_fields":[{"name":"a","reason":"b"}]}"#,
        "Lenses refused the request (400 Bad Request): odd; a: b [validation_error]", &CORRECT
    ),
    (
        400, JSON, r#"{"type":"invalid_metadata","title":"odd"}"#,
        "Lenses refused the request (400 Bad Request): odd [invalid_metadata]", &CORRECT
    ),
    (
        400, JSON, r#"{"type":"missing_parameter","title":"odd"}"#,
        "Lenses refused the request (400 Bad Request): odd [missing_parameter]", &CORRECT
    ),
    (
        422, JSON, r#"{"type":"invalid_parameter","title":"odd"}"#,
        "Lenses refused the request (422 Unprocessable Entity): odd [invalid_parameter]", &CORRECT
    ),
    (
        402, JSON, r#"{"type":"unspecified","title":"odd"}"#,
        "the Lenses licence does not cover this: odd [unspecified]", &LICENCE
    ),
    (
        403, JSON, r#"{"type":"licence_limitation","title":"odd"}"#,
        "the Lenses licence does not cover this: odd [licence_limitation]", &LICENCE
    ),
    (
        503, JSON, r#"{"type":"ai_server_unavailable","title":"odd"}"#,
        "Lenses failed (503 Service Unavailable): odd [ai_server_unavailable]", &FAILED
    ),
    (429, JSON, r#"{"title":"odd"}"#, "Lenses is asked too often: odd", &LATER),
    // An agent's shape, and others.
    (
        400, JSON, r#"{"error":"odd","fields":[{"field":"a","error":"b"}],"errorType":"E"}"#,
        "Lenses refused the request (400 Bad Request): odd; a: b [E]", &CORRECT
    ),
    (
        400, JSON, r#"{"errors":["odd",{"message":"even"}]}"#,
        "Lenses refused the request (400 Bad Request): odd; even", &CORRECT
    ),
    (
        400, JSON, r#"{"error":{"message":"odd"}}"#,
        "Lenses refused the request (400 Bad Request): odd", &CORRECT
    ),
    (400, "text/plain", "odd", "Lenses refused the request (400 Bad Request): odd", &CORRECT),
    (500, "text/plain", "odd", "Lenses failed (500 Internal Server Error): odd", &FAILED),
    (401, "text/plain", "odd", "Lenses HQ does not accept the credential: odd", &UNAUTHORIZED),
    // Something else in HQ's place.
    (502, "text/html", "<html>", "Lenses failed (502 Bad Gateway): no reason was given", &FAILED),
    (302, "text/html", "", "Lenses HQ answered with a redirect", &NOT_HQ),
    (200, "text/html", "<html>", "Lenses HQ answered with a web page", &NOT_HQ),
    (200, JSON, "{\"a\":", "Lenses HQ answered with JSON that is cut off or malformed", &NOT_HQ),
    (
        200, JSON,
        concat!(
            "                                                                    ",
            "                                                                    ",
            "                                                                    "
        ),
        "the reply is larger than the limit of 200 bytes", &TOO_LARGE
    ),
];

/// What each call is told of the HQ at `url`.
async fn check(url: &url::Url, advice: &Advice, mut is_said: impl FnMut(&str, &str)) {
    let limits = Limits { request: Duration::from_millis(200), bytes: 200, ..Limits::default() };
    for (mode, sign_in) in SIGN_IN_MODES.into_iter().enumerate() {
        let mut endpoint = Endpoint::limited(url, limits);
        endpoint.identity.sign_in = sign_in;
        for (intent, tools) in TOOLS.into_iter().enumerate() {
            let advice = match advice {
                ByIntent(advice) => advice[intent],
                BySignIn(advice) => advice[mode],
            };
            for tool in tools {
                is_said(&endpoint.failure(tool, valid::arguments(tool)).await, advice);
            }
        }
    }
}

#[tokio::test]
async fn every_error_of_hq_has_advice_for_its_caller_and_call() {
    for (status, content_type, body, said, advice) in REPLIES {
        let hq = Hq::answering(*status, content_type, *body).await;
        check(&hq.url, advice, |text, advice| assert_eq!(text, format!("{said}. {advice}"))).await;
    }
}

#[tokio::test]
async fn every_failed_connection_is_told_with_the_advice_for_the_call() {
    let cut = hq::writing(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{").await;
    // The operating system's words stand between the two.
    for (url, said, advice) in [
        (hq::absent().await, "Lenses HQ can't be reached: ", &AWAY),
        (hq::silent().await, "Lenses HQ did not answer within 0.2 s. ", &RESTARTING),
        (cut, "the connection to Lenses HQ broke: ", &RESTARTING),
    ] {
        check(&url, advice, |text, advice| {
            assert!(text.starts_with(said), "{text}");
            assert!(text.ends_with(&format!(". {advice}")), "{text}");
        })
        .await;
    }
}

#[tokio::test]
async fn a_credential_that_no_header_carries_is_told_by_sign_in() {
    let hq = Hq::answering(200, JSON, "[]").await;
    for (mode, sign_in) in SIGN_IN_MODES.into_iter().enumerate() {
        let mut endpoint = Endpoint::new(&hq.url);
        endpoint.identity.sign_in = sign_in;
        endpoint.identity.lenses_credential = std::sync::Arc::new("line\nfeed".into());
        let BySignIn(advice) = UNUSABLE else { unreachable!() };
        for tool in TOOLS.concat() {
            assert_eq!(
                endpoint.failure(tool, valid::arguments(tool)).await,
                format!(
                    "the credential for Lenses HQ holds characters that an HTTP header can't \
                     carry. {}",
                    advice[mode]
                )
            );
        }
    }
    assert_eq!(hq.lines(), [] as [&str; 0]);
}
