//! Before something is deleted, the user is asked through the client; and what a server does not
//! offer is not done.

mod required;

use serde_json::{Value, json};

use crate::{
    client::{Endpoint, MODERN, caller, read, request},
    hq::Hq,
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
