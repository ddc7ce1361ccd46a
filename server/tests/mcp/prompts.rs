//! Prompts over the protocol. What is in them is proved beside them, in `src/prompts/tests.rs`.

use lenses_mcp_server::{
    policy::Options,
    prompts,
    scope::{Scope, ScopeSet},
    settings::Confirm,
};
use serde_json::{Value, json};

use crate::{
    client::{Endpoint, LEGACY, Limits, MODERN},
    hq,
};

fn names(list: &Value) -> Vec<&str> {
    list["result"]["prompts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|prompt| prompt["name"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn prompts_are_listed_with_title_description_and_required_arguments() {
    let endpoint = Endpoint::new(&hq::absent().await);
    for revision in [MODERN, LEGACY] {
        let (_, list) = endpoint.request(revision, "prompts/list", json!({})).await;
        assert_eq!(
            names(&list),
            prompts::all().iter().map(|prompt| prompt.name()).collect::<Vec<_>>()
        );
        for prompt in list["result"]["prompts"].as_array().unwrap() {
            assert!(prompt["title"].is_string() && prompt["description"].is_string(), "{prompt}");
            for argument in prompt["arguments"].as_array().unwrap() {
                assert!(argument["description"].is_string(), "{prompt}");
                assert_eq!(argument["required"], true, "{prompt}");
            }
        }
    }
}

#[tokio::test]
async fn a_prompt_is_one_message_of_the_user_and_asks_hq_nothing() {
    let endpoint = Endpoint::new(&hq::absent().await);
    let params =
        json!({ "name": "list_running_kafka_connectors", "arguments": { "environment": "dev" } });
    let (status, reply) = endpoint.request(LEGACY, "prompts/get", params).await;
    let result = &reply["result"];
    assert_eq!((status, &result["messages"][1]), (200, &Value::Null), "{reply}");
    assert_eq!(result["messages"][0]["role"], "user");
    let text = result["messages"][0]["content"]["text"].as_str().unwrap();
    assert!(text.contains("1. Call list_kafka_connectors with environment \"dev\"."), "{text}");
    assert!(result["description"].is_string());
}

#[tokio::test]
async fn what_is_wrong_with_a_request_is_invalid_params_and_named() {
    let endpoint = Endpoint::new(&hq::absent().await);
    for (params, message) in [
        (json!({ "name": "rm_rf" }), "unknown prompt: rm_rf"),
        (json!({ "name": "list_running_kafka_connectors" }), "missing argument `environment`"),
        (
            json!({
                "name": "list_running_kafka_connectors", "arguments": { "environment": "..", }
            }),
            "argument `environment`: is a relative path, which can't be a name",
        ),
        (
            json!({ "name": "list_connected_environments", "arguments": { "environment": "dev" } }),
            "there is no argument `environment`; the arguments are none",
        ),
    ] {
        for revision in [MODERN, LEGACY] {
            let (_, reply) = endpoint.request(revision, "prompts/get", params.clone()).await;
            assert_eq!(
                (&reply["error"]["code"], &reply["error"]["message"]),
                (&json!(-32602), &json!(message))
            );
        }
    }
}

#[tokio::test]
async fn a_prompt_with_all_tools_withheld_is_unlisted_and_says_why() {
    let policy = Options { deny: vec!["processors/*".parse().unwrap()], ..Options::default() };
    let endpoint =
        Endpoint::with(&hq::absent().await, Limits::default(), Confirm::Destructive, Some(policy));
    let (_, list) = endpoint.request(LEGACY, "prompts/list", json!({})).await;
    assert!(!names(&list).contains(&"list_running_sql_processors"), "{list}");
    let params =
        json!({ "name": "list_running_sql_processors", "arguments": { "environment": "dev" } });
    let (_, reply) = endpoint.request(LEGACY, "prompts/get", params).await;
    let message = reply["error"]["message"].as_str().unwrap();
    assert!(
        message.contains("list_sql_processors") && message.contains("MCP_TOOLS_DENY"),
        "{message}"
    );
}

#[tokio::test]
async fn prompts_need_only_the_scopes_of_their_tools() {
    let url = hq::absent().await;
    for (scopes, listed) in [(Scope::Read.into(), 10), (ScopeSet::NONE, 0)] {
        let (_, list) = Endpoint::new(&url)
            .with_scopes(scopes)
            .request(LEGACY, "prompts/list", json!({}))
            .await;
        assert_eq!(names(&list).len(), listed, "{scopes}");
    }
}

#[tokio::test]
async fn prompts_are_counted_by_name_and_outcome() {
    let endpoint = Endpoint::new(&hq::absent().await);
    for arguments in [json!({ "environment": "dev" }), json!({})] {
        let params = json!({ "name": "list_running_sql_processors", "arguments": arguments });
        endpoint.request(LEGACY, "prompts/get", params).await;
    }
    let mut text = String::new();
    prometheus_client::encoding::text::encode(&mut text, endpoint.metrics.registry()).unwrap();
    for outcome in ["success", "error"] {
        let line = format!(
            "lenses_mcp_prompts_asked_total{{prompt=\"list_running_sql_processors\",\
             outcome=\"{outcome}\"}} 1\n"
        );
        assert!(text.contains(&line), "{line} is not in {text}");
    }
}
