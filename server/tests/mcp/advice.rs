//! What the model is told to do next, by what HQ says and by what the call was to do.

use lenses_mcp_server::tools;
use serde_json::json;

use crate::{
    client::{Endpoint, TOKEN},
    errors::told,
    hq::Hq,
    valid,
};

const JSON: &str = "application/json";

#[tokio::test]
async fn hqs_message_is_read_in_each_shape_and_html_is_not() {
    let text = "text/plain; charset=utf-8";
    let no_reason = "no reason was given";
    for (content_type, body, said) in [
        (text, "the topic name is reserved\n", "the topic name is reserved"),
        (text, &format!("token {TOKEN} is odd"), "token [credential] is odd"),
        (text, "<html><body>proxy.internal</body></html>", no_reason),
        (text, "see <a href=x>proxy.internal</a>", no_reason),
        ("text/html", "proxy.internal says no", no_reason),
        ("", "proxy.internal says no", no_reason),
        (JSON, r#"{"errors":["a is odd",{"message":"b is odd"}]}"#, "a is odd; b is odd"),
        (JSON, r#"{"error":{"message":"a is odd"}}"#, "a is odd"),
        (JSON, r#"[{"error":"a is odd"}]"#, "a is odd"),
    ] {
        let text = told(400, content_type, body).await;
        let expected = format!("Lenses refused the request (400 Bad Request): {said}. ");
        assert!(text.starts_with(&expected), "{body}: {text}");
    }
    let long = told(400, text, &"x".repeat(100_000)).await;
    assert!(long.len() < 1_000, "{}", long.len());
}

#[tokio::test]
async fn each_fault_of_an_agent_or_a_licence_has_its_own_advice() {
    for (status, kind, said, advice) in [
        (503, "agent_not_connected", "the environment's agent can't be used", "is connected again"),
        (502, "agent_rpc_error", "the environment's agent failed", "the agent's log"),
        (501, "missing_agent_capabilities", "agent is too old", "must be upgraded"),
        (402, "unspecified", "the Lenses licence does not cover this", "licence"),
        (403, "licence_limitation", "the Lenses licence does not cover this", "licence"),
    ] {
        let body = json!({ "type": kind, "title": "odd" }).to_string();
        let text = told(status, JSON, &body).await;
        assert!(text.contains(said), "{kind}: {text}");
        assert!(text.contains(advice), "{kind}: {text}");
        let reconnects = text.contains("is connected again");
        assert_eq!(reconnects, kind == "agent_not_connected", "{kind}: {text}");
        assert!(!text.contains("Correct the arguments"), "{kind}: {text}");
    }
}

#[tokio::test]
async fn only_calls_that_change_something_are_told_that_they_may_have() {
    let replies = [
        (500, JSON, "{}"),
        (302, JSON, ""),
        (200, "text/html", "<html>log in</html>"),
        (200, JSON, "{\"a\":"),
        (502, JSON, r#"{"type":"agent_rpc_error"}"#),
    ];
    let reset = |dry_run| {
        json!({
            "environment": "dev", "group_id": "g", "topic": "t", "partition": 0, "offset": 1,
            "dry_run": dry_run
        })
    };
    let sql = |sql| json!({ "environment": "dev", "sql": sql });
    let tools = tools::registry().iter().filter(|tool| tool.group() != "server");
    let calls = tools.filter(|tool| tool.name() != "execute_sql").map(|tool| {
        let reads = tool.listing().annotations.as_ref().unwrap().read_only_hint == Some(true);
        (tool.name(), valid::arguments(tool.name()), !reads)
    });
    let calls = calls.chain([
        ("update_consumer_partition_offset", reset(true), false),
        ("update_consumer_partition_offset", reset(false), true),
        ("execute_sql", sql("SELECT * FROM t"), false),
        ("execute_sql", sql("INSERT INTO t VALUES (1)"), true),
        ("execute_sql", sql("DROP TABLE t"), true),
    ]);
    let mut servers = Vec::new();
    for (status, content_type, body) in replies {
        servers.push(Hq::answering(status, content_type, body).await);
    }
    for (tool, arguments, changes) in calls {
        for hq in &servers {
            let text = Endpoint::new(&hq.url).failure(tool, arguments.clone()).await;
            let is_told = text.contains(": look before repeating it.");
            assert_eq!(is_told, changes, "{tool}: {text}");
        }
    }
}
