//! When the user is asked.

use lenses_mcp_server::{policy, settings::Confirm};
use serde_json::{Value, json};

use super::{KEY, call, forms, group, send};
use crate::{
    bad_input::bad_input,
    client::{Endpoint, LEGACY, Limits, MODERN},
    hq::Hq,
    valid,
};

#[tokio::test]
async fn the_tool_runs_at_once_if_asking_is_impossible_or_not_required() {
    for (confirm, revision, capabilities) in [
        (Confirm::Destructive, MODERN, json!({})),
        (Confirm::Destructive, MODERN, json!({ "elicitation": { "url": {} } })),
        (Confirm::Destructive, LEGACY, json!({})),
        (Confirm::Never, MODERN, forms()),
    ] {
        let hq = Hq::answering(204, "", "").await;
        let endpoint = Endpoint::with(&hq.url, Limits::default(), confirm, None);
        let params = call("delete_consumer_group", &group("g"), &json!({}));
        let (_, reply) = if revision == MODERN {
            send(&endpoint, capabilities, params).await
        } else {
            endpoint.request(LEGACY, "tools/call", params).await
        };
        assert_eq!(reply["result"]["isError"], false, "{revision}: {reply}");
        assert_eq!(hq.lines().len(), 1);
    }
}

#[tokio::test]
async fn only_what_deletes_is_asked_about_and_wrong_arguments_are_told_first() {
    let hq = Hq::answering(200, "application/json", "").await;
    let endpoint = Endpoint::sealing(&hq.url, KEY);
    let settings =
        |configs: Value| json!({ "environment": "dev", "topic_name": "t", "configs": configs });
    let processor = |sql: &str| json!({ "environment": "dev", "name": "p", "sql": sql });
    // With `timestamp` there must be a time too.
    let reset =
        |to| json!({ "environment": "dev", "group_id": "g", "topics": ["t"], "reset_to": to });
    for (tool, arguments, asked) in [
        ("execute_sql", json!({ "environment": "dev", "sql": "TRUNCATE TABLE t" }), true),
        ("execute_sql", json!({ "environment": "dev", "sql": "SELECT 1; DROP TABLE t" }), true),
        ("create_topic", json!({ "environment": "dev", "topic_name": "t" }), false),
        ("update_topic_config", settings(json!([{ "key": "retention.ms", "value": "1" }])), true),
        ("update_topic_config", settings(json!({ "cleanup.policy": "compact" })), true),
        ("update_topic_config", settings(json!("{\"retention.bytes\": \"1\"}")), true),
        ("update_topic_config", settings(json!({ "compression.type": "zstd" })), false),
        ("create_sql_processor", processor("INSERT INTO u SELECT STREAM * FROM t"), false),
        ("create_sql_processor", processor("DROP TABLE t"), true),
        ("update_consumer_group_offsets", reset("start"), true),
        ("update_consumer_group_offsets", reset("timestamp"), false),
        ("delete_consumer_group", json!({ "environment": "dev" }), false),
        ("delete_consumer_group", json!({ "environment": "dev", "group_id": ".." }), false),
    ] {
        let (_, reply) = send(&endpoint, forms(), call(tool, &arguments, &json!({}))).await;
        assert_eq!(
            reply["result"]["resultType"] == "input_required",
            asked,
            "{tool} {arguments}: {reply}"
        );
    }
}

#[tokio::test]
async fn a_wrong_argument_is_reported_before_the_user_is_asked() {
    let hq = Hq::answering(204, "", "").await;
    let endpoint = Endpoint::sealing(&hq.url, KEY);
    let mut asked = 0;
    for tool in lenses_mcp_server::tools::registry().iter() {
        let mut good = valid::arguments(tool.name());
        if let Some(dry_run) = good.get_mut("dry_run") {
            *dry_run = json!(false);
        }
        if !tool.is_confirmed(good.as_object().unwrap()) {
            continue;
        }
        asked += 1;
        let (_, reply) = send(&endpoint, forms(), call(tool.name(), &good, &json!({}))).await;
        assert_eq!(reply["result"]["resultType"], "input_required", "{}: {reply}", tool.name());
        for (arguments, named) in bad_input(tool, &good) {
            let (_, reply) =
                send(&endpoint, forms(), call(tool.name(), &arguments, &json!({}))).await;
            let text = reply["result"]["content"][0]["text"].as_str().unwrap_or_default();
            assert!(text.contains(&format!("`{named}")), "{} {named}: {reply}", tool.name());
        }
    }
    assert!(asked >= 5, "{asked} tools ask");
    assert_eq!(hq.lines(), [""; 0]);
}

#[tokio::test]
async fn a_rule_decides_for_its_environments_whether_and_how_a_call_runs() {
    let options = policy::Options {
        rules: "prod*: read delete, confirm=required; vault: none; *: read delete, confirm=never"
            .parse()
            .unwrap(),
        ..policy::Options::default()
    };
    let hq = Hq::giving(&json!({ "items": [{ "name": "dev" }, { "name": "vault" }] })).await;
    let endpoint = Endpoint::with(&hq.url, Limits::default(), Confirm::Destructive, Some(options));
    let delete = |environment: &str| json!({ "environment": environment, "group_id": "g" });
    // In `prod*` a client that can't ask is refused, and one that can asks.
    let text = endpoint.failure("delete_consumer_group", delete("PROD-eu")).await;
    assert!(text.contains("can't ask"), "{text}");
    let params = call("delete_consumer_group", &delete("prod"), &json!({}));
    let (_, reply) = send(&endpoint, forms(), params).await;
    assert_eq!(reply["result"]["resultType"], "input_required", "{reply}");
    let text = endpoint.failure("list_topics", json!({ "environment": "vault" })).await;
    assert!(text.contains("does nothing in that environment (MCP_ENVIRONMENT_RULES)"), "{text}");
    let topic = json!({ "environment": "dev", "topic_name": "t" });
    let text = endpoint.failure("create_topic", topic).await;
    assert!(text.contains("in any environment (MCP_ENVIRONMENT_RULES)"), "{text}");
    assert_eq!(hq.lines(), [""; 0]);
    // Elsewhere nobody is asked.
    endpoint.call("delete_consumer_group", delete("dev")).await;
    assert_eq!(hq.lines().len(), 1);
    let environments = endpoint.call("list_environments", json!({})).await;
    assert_eq!(environments["structuredContent"], json!({ "result": [{ "name": "dev" }] }));
    let (_, reply) = endpoint.request(MODERN, "tools/list", json!({})).await;
    let names: Vec<_> =
        reply["result"]["tools"].as_array().unwrap().iter().map(|tool| &tool["name"]).collect();
    assert!(names.contains(&&json!("delete_consumer_group")), "{names:?}");
    assert!(!names.contains(&&json!("create_topic")), "{names:?}");
}

#[tokio::test]
async fn a_withheld_tool_is_unlisted_and_its_call_names_the_setting() {
    let options = policy::Options {
        read_only: true,
        deny: vec!["get_topic".parse().unwrap()],
        environments: ["dev".parse().unwrap()].into(),
        ..policy::Options::default()
    };
    let hq = Hq::giving(&json!({ "items": [{ "name": "dev" }, { "name": "prod" }] })).await;
    let endpoint = Endpoint::with(&hq.url, Limits::default(), Confirm::Destructive, Some(options));
    let (_, reply) = endpoint.request(MODERN, "tools/list", json!({})).await;
    let names: Vec<_> =
        reply["result"]["tools"].as_array().unwrap().iter().map(|tool| &tool["name"]).collect();
    assert!(
        names.contains(&&json!("list_topics")) && names.contains(&&json!("execute_sql")),
        "{names:?}"
    );
    assert!(
        !names.contains(&&json!("create_topic")) && !names.contains(&&json!("get_topic")),
        "{names:?}"
    );

    for (tool, arguments, variable) in [
        ("create_topic", json!({ "environment": "dev", "topic_name": "t" }), "MCP_READ_ONLY"),
        (
            "execute_sql",
            json!({ "environment": "dev", "sql": "INSERT INTO t VALUES (1)" }),
            "MCP_READ_ONLY",
        ),
        ("get_topic", json!({ "environment": "dev", "topic_name": "t" }), "MCP_TOOLS_DENY"),
        ("list_topics", json!({ "environment": "prod" }), "MCP_ENVIRONMENTS"),
        ("get_environment", json!({ "name": "prod" }), "MCP_ENVIRONMENTS"),
    ] {
        let text = endpoint.failure(tool, arguments).await;
        assert!(text.contains(variable) && text.contains("Do not retry"), "{tool}: {text}");
    }
    assert_eq!(hq.lines(), [""; 0]);

    let environments = endpoint.call("list_environments", json!({})).await;
    assert_eq!(environments["structuredContent"], json!({ "result": [{ "name": "dev" }] }));
}
