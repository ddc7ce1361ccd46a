//! Before something is deleted, the user is asked through the client; and what a server does not
//! offer is not done.

use lenses_mcp_server::{policy, settings::Confirm};
use serde_json::{Value, json};

use crate::{
    bad_input::bad_input,
    client::{Endpoint, LEGACY, Limits, MODERN, caller, read, request},
    hq::Hq,
    valid,
};

const KEY: &[u8] = b"a key of thirty-two bytes or more";

/// A call in the latest revision by a client that can show forms.
fn call(tool: &str, arguments: &Value, answers: &Value) -> Value {
    let mut params = json!({ "name": tool, "arguments": arguments });
    params.as_object_mut().unwrap().extend(answers.as_object().cloned().unwrap_or_default());
    params
}

async fn send(endpoint: &Endpoint, capabilities: Value, params: Value) -> (u16, Value) {
    let (parts, body) = request(MODERN, "tools/call", params).into_parts();
    let mut message: Value =
        serde_json::from_slice(&http_body_util::BodyExt::collect(body).await.unwrap().to_bytes())
            .unwrap();
    message["params"]["_meta"]["io.modelcontextprotocol/clientCapabilities"] = capabilities;
    let body = http_body_util::Full::new(message.to_string().into());
    read(endpoint.send(http::Request::from_parts(parts, body)).await).await
}

fn forms() -> Value {
    json!({ "elicitation": { "form": {} } })
}

fn answer(state: &Value, action: &str, confirm: bool) -> Value {
    json!({
        "requestState": state,
        "inputResponses": { "confirm": { "action": action, "content": { "confirm": confirm } } }
    })
}

fn group(id: &str) -> Value {
    json!({ "environment": "dev", "group_id": id })
}

#[tokio::test]
async fn a_deletion_is_done_when_the_user_says_yes_on_whichever_replica() {
    let hq = Hq::answering(204, "", "").await;
    let (one, other) = (Endpoint::sealing(&hq.url, KEY), Endpoint::sealing(&hq.url, KEY));

    let (status, reply) =
        send(&one, forms(), call("delete_consumer_group", &group("payments"), &json!({}))).await;
    let result = &reply["result"];
    assert_eq!((status, &result["resultType"]), (200, &json!("input_required")), "{reply}");
    assert_eq!(
        result["inputRequests"],
        json!({ "confirm": { "method": "elicitation/create", "params": {
            "mode": "form",
            "message": "Delete consumer group? This can't be undone.\nenvironment: dev\ngroup_id: \
                        payments",
            "requestedSchema": {
                "type": "object",
                "properties": { "confirm": {
                    "type": "boolean", "title": "Go ahead",
                    "description": "Without this nothing is done.", "default": false,
                } },
                "required": ["confirm"],
            },
        } } })
    );
    assert_eq!(hq.lines(), [""; 0], "nothing is done before the answer");

    let answer = answer(&result["requestState"], "accept", true);
    let (_, reply) =
        send(&other, forms(), call("delete_consumer_group", &group("payments"), &answer)).await;
    assert_eq!(reply["result"]["isError"], false, "{reply}");
    assert_eq!(hq.lines(), ["DELETE /lenses/api/v1/environments/dev/proxy/api/consumers/payments"]);
}

#[tokio::test]
async fn without_a_yes_nothing_is_done() {
    let hq = Hq::answering(204, "", "").await;
    let endpoint = Endpoint::sealing(&hq.url, KEY);
    for (action, confirm) in [("accept", false), ("decline", true)] {
        let text = told(&endpoint, action, confirm).await;
        assert!(text.contains("said no") && !text.contains("MCP_CONFIRM"), "{action}: {text}");
    }
    let (_, asked) =
        send(&endpoint, forms(), call("delete_consumer_group", &group("g"), &json!({}))).await;
    let state = &asked["result"]["requestState"];
    // No answer, or none that can be read: the question stands.
    for responses in
        [json!({}), json!({ "confirm": "yes" }), json!({ "other": { "action": "accept" } })]
    {
        let params = call(
            "delete_consumer_group",
            &group("g"),
            &json!({ "requestState": state, "inputResponses": responses }),
        );
        let (_, reply) = send(&endpoint, forms(), params).await;
        assert_eq!(reply["result"]["resultType"], "input_required", "{responses}: {reply}");
    }
    assert_eq!(hq.lines(), [""; 0]);
}

/// What the model is told when the user is asked and answers so.
async fn told(endpoint: &Endpoint, action: &str, confirm: bool) -> String {
    let params = call("delete_consumer_group", &group("g"), &json!({}));
    let (_, asked) = send(endpoint, forms(), params).await;
    let answer = answer(&asked["result"]["requestState"], action, confirm);
    let params = call("delete_consumer_group", &group("g"), &answer);
    let (_, reply) = send(endpoint, forms(), params).await;
    assert_eq!(reply["result"]["isError"], true, "{action} {confirm}: {reply}");
    reply["result"]["content"][0]["text"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_cancelled_question_names_mcp_confirm_and_is_no_refusal() {
    let hq = Hq::answering(204, "", "").await;
    let endpoint = Endpoint::sealing(&hq.url, KEY);
    let text = told(&endpoint, "cancel", false).await;
    assert!(text.contains("MCP_CONFIRM") && text.contains("`cancel`"), "{text}");
    assert!(!text.contains("said no"), "{text}");
    assert_eq!(hq.lines(), [""; 0]);
}

#[tokio::test]
async fn one_yes_runs_one_call_at_each_replica() {
    let hq = Hq::answering(204, "", "").await;
    let endpoint = Endpoint::sealing(&hq.url, KEY);
    let params = call("delete_consumer_group", &group("g"), &json!({}));
    let (_, asked) = send(&endpoint, forms(), params).await;
    let yes = answer(&asked["result"]["requestState"], "accept", true);
    let params = call("delete_consumer_group", &group("g"), &yes);
    let (_, reply) = send(&endpoint, forms(), params.clone()).await;
    assert_eq!(reply["result"]["isError"], false, "{reply}");
    let (_, reply) = send(&endpoint, forms(), params).await;
    assert_eq!(reply["result"]["resultType"], "input_required", "{reply}");
    assert_ne!(reply["result"]["requestState"], asked["result"]["requestState"]);
    assert_eq!(hq.lines().len(), 1);
}

#[tokio::test]
async fn a_yes_holds_for_one_user_tool_and_arguments_if_not_forged() {
    let hq = Hq::answering(204, "", "").await;
    let endpoint = Endpoint::sealing(&hq.url, KEY);
    let (_, asked) =
        send(&endpoint, forms(), call("delete_consumer_group", &group("g"), &json!({}))).await;
    let sealed = asked["result"]["requestState"].as_str().unwrap();
    let yes = answer(&json!(sealed), "accept", true);

    let mut mallory = Endpoint::sealing(&hq.url, KEY);
    let identity = caller(lenses_mcp_server::scope::ScopeSet::ALL);
    mallory.identity =
        lenses_mcp_server::identity::Identity { subject: Some("mallory".into()), ..identity };
    let stranger = Endpoint::sealing(&hq.url, b"another key of at least 32 bytes!");
    let sql = json!({ "environment": "dev", "sql": "DROP TABLE t" });
    let mut turned: String = sealed.to_owned();
    turned.replace_range(sealed.len() - 4.., "AAAA");
    for (what, endpoint, params) in [
        ("other arguments", &endpoint, call("delete_consumer_group", &group("h"), &yes)),
        ("another tool", &endpoint, call("execute_sql", &sql, &yes)),
        ("another user", &mallory, call("delete_consumer_group", &group("g"), &yes)),
        ("another key", &stranger, call("delete_consumer_group", &group("g"), &yes)),
        (
            "turned",
            &endpoint,
            call("delete_consumer_group", &group("g"), &answer(&json!(turned), "accept", true)),
        ),
        (
            "invented",
            &endpoint,
            call("delete_consumer_group", &group("g"), &answer(&json!("x"), "accept", true)),
        ),
    ] {
        let (_, reply) = send(endpoint, forms(), params).await;
        assert_eq!(reply["error"]["code"], -32602, "{what}: {reply}");
    }
    assert_eq!(hq.lines(), [""; 0]);
}

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
async fn an_answer_holds_for_arguments_however_they_are_written() {
    let hq = Hq::answering(204, "", "").await;
    let endpoint = Endpoint::sealing(&hq.url, KEY);
    let topics = |topics: Value| json!({ "environment": "dev", "group_id": "g", "topics": topics });
    let tool = "delete_consumer_group_offsets";
    let text = topics(json!("[\"orders\"]"));
    let (_, asked) = send(&endpoint, forms(), call(tool, &text, &json!({}))).await;
    let message =
        asked["result"]["inputRequests"]["confirm"]["params"]["message"].as_str().unwrap();
    assert!(message.contains("topics: orders"), "{message}");
    let yes = answer(&asked["result"]["requestState"], "accept", true);
    let mut plain = topics(json!(["orders"]));
    plain["wait_for_previous"] = json!(true);
    let (_, reply) = send(&endpoint, forms(), call(tool, &plain, &yes)).await;
    assert_eq!(reply["result"]["isError"], false, "{reply}");
    assert_eq!(hq.lines().len(), 1);
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
