//! What HQ answers when it does not do what was asked, and what the model is told.

mod connection;

use std::time::Duration;

use lenses_mcp_server::tools;
use serde_json::json;

use crate::{
    client::{Endpoint, Limits, TOKEN},
    hq::{self, Hq},
    valid,
};

const JSON: &str = "application/json";

pub(crate) async fn told(status: u16, content_type: &str, body: &str) -> String {
    let hq = Hq::answering(status, content_type, body).await;
    Endpoint::new(&hq.url).failure("list_topics", json!({ "environment": "dev" })).await
}

#[tokio::test]
async fn each_refusal_is_passed_on_with_its_message_and_what_to_do() {
    let unknown = r#"{"type":"not_found","title":"No such topic","status":404,"request_id":"r-9"}"#;
    let invalid = concat!(
        r#"{"error":"Bad topic","fields":[{"field":"partitions","error":"too many"}],"#,
        r#""errorType":"Invalid"}"#,
    );
    let agent = r#"{"type":"agent_not_connected","title":"Agent not connected","status":404}"#;
    for (status, body, said, advice) in [
        (
            400,
            invalid,
            "Lenses refused the request (400 Bad Request): Bad topic; partitions: too many \
             [Invalid]",
            "Correct the arguments",
        ),
        (
            403,
            r#"{"title":"kafka:ListTopics is missing"}"#,
            "does not allow this: kafka:ListTopics is missing",
            "administrator",
        ),
        (404, unknown, "not found: No such topic [not_found, request r-9]", "list_environments"),
        (
            404,
            agent,
            "agent can't be used: Agent not connected [agent_not_connected]",
            "check_environment_health",
        ),
        (
            503,
            agent,
            "agent can't be used: Agent not connected [agent_not_connected]",
            "check_environment_health",
        ),
        (409, r#"{"title":"Exists"}"#, "conflict with what is there: Exists", "try once more"),
        (
            422,
            r#"{"title":"Odd"}"#,
            "Lenses refused the request (422 Unprocessable Entity): Odd",
            "Correct the arguments",
        ),
        (429, "", "asked too often", "Wait a little"),
        (
            500,
            r#"{"title":"Oops"}"#,
            "Lenses failed (500 Internal Server Error): Oops",
            "try once more",
        ),
        (502, "", "Lenses failed (502 Bad Gateway): no reason was given", "try once more"),
    ] {
        let text = told(status, JSON, body).await;
        assert!(text.contains(said), "{status}: {text}");
        assert!(text.contains(advice), "{status}: {text}");
    }
}

#[tokio::test]
async fn a_page_a_redirect_or_broken_json_is_no_answer() {
    for (status, content_type, body, said) in [
        (200, "text/html", "<html>log in</html>", "a web page"),
        (200, JSON, r#"[{"topicName": "#, "JSON that is cut off or malformed"),
        (200, JSON, r#"{"not": "a list"}"#, "something other than the expected list of objects"),
        (200, "application/octet-stream", "\u{0}", "an unexpected content type"),
        (200, "text/html", "[]", "a web page"),
        (200, "text/plain", " <!DOCTYPE html><title>log in</title>", "a web page"),
        (200, "text/plain", "no list", "something other than the expected list of objects"),
        (200, JSON, "<html>log in</html>", "JSON that is cut off or malformed"),
        (200, JSON, "[{}] []", "JSON that is cut off or malformed"),
        (200, JSON, "\u{1f}\u{8b}", "JSON that is cut off or malformed"),
        (302, JSON, "", "a redirect"),
        (304, JSON, "", "a redirect"),
    ] {
        let text = told(status, content_type, body).await;
        assert!(
            text.starts_with(&format!("Lenses HQ answered with {said}. ")),
            "{status} {body}: {text}"
        );
        assert!(text.contains("LENSES_URL"), "{text}");
    }
    // An error page keeps its status, and its text stays where it is.
    let text = told(502, "text/html", "<html>nginx internal.host</html>").await;
    assert!(text.starts_with("Lenses failed (502 Bad Gateway): no reason was given."), "{text}");
}

#[tokio::test]
async fn every_unsuccessful_status_is_an_error_that_says_what_to_do() {
    for status in 300..600 {
        let said = match status {
            300..400 => {
                "Lenses HQ answered with a redirect. Something other than Lenses HQ".to_owned()
            }
            401 => {
                "Lenses HQ does not accept the credential: Odd. The session has expired".to_owned()
            }
            402 => "the Lenses licence does not cover this: Odd. Tell the user".to_owned(),
            403 => "Lenses HQ does not allow this: Odd. The user's Lenses permissions".to_owned(),
            404 => "not found: Odd. Check the names".to_owned(),
            409 => "conflict with what is there: Odd. It is being changed".to_owned(),
            429 => "Lenses is asked too often: Odd. Wait a little".to_owned(),
            400..500 => format!("Lenses refused the request ({status} "),
            _ => format!("Lenses failed ({status} "),
        };
        let text = told(status, JSON, r#"{"title":"Odd"}"#).await;
        assert!(text.starts_with(&said), "{status}: {text}");
    }
}

#[tokio::test]
async fn every_success_is_one_whatever_its_number() {
    for status in 200..300 {
        let body = if matches!(status, 204 | 205) { "" } else { r#"[{"topicName":"t"}]"# };
        let hq = Hq::answering(status, JSON, body).await;
        let result =
            Endpoint::new(&hq.url).call("list_topics", json!({ "environment": "dev" })).await;
        assert_eq!(result["isError"], false, "{status}: {result}");
    }
}

#[tokio::test]
async fn every_tool_tells_what_hq_says_when_it_refuses() {
    let problems = [
        (403, r#"{"title":"odd: an action is missing"}"#, "odd: an action is missing"),
        (404, r#"{"type":"not_found","title":"odd: no such thing"}"#, "odd: no such thing"),
        (
            503,
            r#"{"type":"agent_not_connected","title":"odd: no agent"}"#,
            "check_environment_health",
        ),
        (
            400,
            r#"{"error":"odd","fields":[{"field":"f","error":"is odd"}],"errorType":"E"}"#,
            "odd; f: is odd [E]",
        ),
    ];
    // Queries have a websocket of their own, and the server's own tools tell of HQ's refusal as of
    // anything else.
    for tool in tools::registry()
        .iter()
        .filter(|tool| tool.name() != "execute_sql" && tool.group() != "server")
    {
        for (status, body, said) in problems {
            let hq = Hq::answering(status, JSON, body).await;
            let text =
                Endpoint::new(&hq.url).failure(tool.name(), valid::arguments(tool.name())).await;
            assert!(text.contains(said), "{}: {text}", tool.name());
        }
    }
}

#[tokio::test]
async fn no_tool_accepts_a_page_redirect_broken_oversized_or_late_reply() {
    let limits = Limits { request: Duration::from_millis(500), bytes: 1_000, ..Limits::default() };
    let page = "<!DOCTYPE html><title>Sign in</title>";
    let cut = hq::writing(
        b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{",
    )
    .await;
    for (url, said) in [
        (Hq::answering(200, "text/html", page).await.url, "Lenses HQ answered with a web page. "),
        (Hq::answering(200, "text/plain", page).await.url, "Lenses HQ answered with a web page. "),
        (Hq::answering(302, "text/html", page).await.url, "Lenses HQ answered with a redirect. "),
        (
            Hq::answering(200, JSON, "{\"a\": [").await.url,
            "Lenses HQ answered with JSON that is cut off or malformed. ",
        ),
        (
            Hq::answering(200, JSON, " ".repeat(1_001)).await.url,
            "the reply is larger than the limit of 1000 bytes. ",
        ),
        (
            Hq::answering(500, "text/html", page).await.url,
            "Lenses failed (500 Internal Server Error): no reason was given. ",
        ),
        (hq::silent().await, "Lenses HQ did not answer within 0.5 s. "),
        (cut, "the connection to Lenses HQ broke: "),
    ] {
        let endpoint = Endpoint::limited(&url, limits);
        // Queries have a websocket of their own, and what the server tells of itself it tells
        // whatever HQ says.
        for tool in tools::registry()
            .iter()
            .filter(|tool| tool.name() != "execute_sql" && tool.group() != "server")
        {
            let text = endpoint.failure(tool.name(), valid::arguments(tool.name())).await;
            assert!(text.starts_with(said), "{}: {text}", tool.name());
        }
    }
}

#[tokio::test]
async fn a_change_whose_reply_is_lost_or_unreadable_may_have_been_made() {
    let limits = Limits { request: Duration::from_millis(200), bytes: 1_000, ..Limits::default() };
    let large = Hq::answering(200, JSON, "x".repeat(2_000)).await;
    let truncated = Hq::answering(200, JSON, r#"{"topicName""#).await;
    let failed = Hq::answering(502, "text/html", "<html>").await;
    let cut = hq::writing(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{").await;
    for url in [large.url, truncated.url, failed.url, cut, hq::silent().await] {
        let arguments = valid::arguments("create_topic");
        let text = Endpoint::limited(&url, limits).failure("create_topic", arguments).await;
        assert!(text.contains("A change may have been made: look before repeating it."), "{text}");
    }
    let text = Endpoint::new(&hq::absent().await)
        .failure("create_topic", valid::arguments("create_topic"))
        .await;
    assert!(text.contains("Nothing was changed."), "{text}");
}

#[tokio::test]
async fn a_credential_that_hq_refuses_is_forgotten_and_never_repeated() {
    let body = json!({ "title": format!("token {TOKEN} is revoked") }).to_string();
    let hq = Hq::answering(401, JSON, body).await;
    let endpoint = Endpoint::new(&hq.url);
    let text = endpoint.failure("list_topics", json!({ "environment": "dev" })).await;
    assert_eq!(
        text,
        "Lenses HQ does not accept the credential: token [credential] is revoked. The session has \
         expired or been revoked: ask the user to sign in again, do not retry with the same token."
    );
    let fingerprint = endpoint.identity.fingerprint.unwrap().to_string();
    assert_eq!(*endpoint.forgotten.lock().unwrap(), [fingerprint]);
}
