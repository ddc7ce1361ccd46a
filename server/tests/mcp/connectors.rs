//! Kafka connectors: requests and results, and what of them is hidden.

use lenses_mcp_server::tools::{self, Tool};
use serde_json::{Value, json};

use crate::{
    client::Endpoint,
    exchange::{Exchange, refuses},
    hq::Hq,
    valid,
};

const JSON: &str = "application/json";
const LISTED: &str = r#"{"connectors":[{"name":"pg","cluster":"eu","config":
    {"connector.class":"io.Pg","database.password":"hunter2","ssl.key.password":"${file:/x:y}",
    "connection.url":"jdbc:postgresql://u:hunter3@db/x"},"tasks":[{"id":0,"state":"FAILED",
    "trace":"cannot open jdbc:mysql://db?user=u&password=hunter4"}]}]}"#;

#[expect(clippy::needless_pass_by_value, reason = "a json! at the call reads better without &")]
fn one(extra: Value) -> Value {
    let mut arguments = json!({ "environment": "dev", "cluster": "eu/1", "connector": "a?b" });
    arguments.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    arguments
}

#[expect(clippy::needless_pass_by_value, reason = "a json! at the call reads better without &")]
fn settings(configuration: Value) -> Value {
    json!({ "environment": "dev", "name": "pg", "cluster": "eu", "configuration": configuration })
}

#[tokio::test]
async fn every_call_asks_hq_for_what_it_means() {
    for exchange in [
        Exchange {
            tool: "list_kafka_connectors",
            arguments: json!({ "environment": "dev" }),
            asks: "GET api/kafka-connect/connectors",
            body: Value::Null,
            reply: (200, JSON, r#"{"connectors":[]}"#),
            gives: json!({ "connectors": [] }),
        },
        Exchange {
            tool: "list_kafka_connectors",
            arguments: json!({
                "environment": "dev", "cluster": ["eu", "a&b=c"],
                "class_name": ["io.S3 Sink", "x#y"]
            }),
            asks: "GET api/kafka-connect/connectors?cluster=eu&cluster=a%26b%3Dc&\
                   className=io.S3+Sink&className=x%23y",
            body: Value::Null,
            reply: (200, JSON, r#"{"connectors":[]}"#),
            gives: json!({ "connectors": [] }),
        },
        Exchange {
            tool: "create_kafka_connector",
            arguments: settings(json!({
                "connector.class": "io.Pg", "tasks.max": "1", "password": "${secret:a:b}"
            })),
            asks: "POST api/kafka-connect/connectors",
            body: json!({ "name": "pg", "cluster": "eu",
                "configuration": {
                    "connector.class": "io.Pg", "tasks.max": "1", "password": "${secret:a:b}"
                } }),
            reply: (
                201,
                JSON,
                r#"{"name":"pg","config":{"database.password":"hunter2","tasks.max":"1"}}"#,
            ),
            gives: json!({
                "name": "pg", "config": { "database.password": "********", "tasks.max": "1" }
            }),
        },
        Exchange {
            tool: "validate_connector_configuration",
            arguments: settings(json!({ "password": "hunter2" })),
            asks: "POST api/kafka-connect/validate",
            body: json!({
                "name": "pg", "cluster": "eu", "configuration": { "password": "hunter2" }
            }),
            reply: (
                200,
                JSON,
                r#"{"error_count":1,"configs":[{"definition":{"name":"password","type":"PASSWORD"},
                    "value":{"name":"password","value":"hunter2","errors":["too short"]}}]}"#,
            ),
            gives: json!({
                "error_count": 1,
                "configs": [{
                    "definition": { "name": "password", "type": "PASSWORD" },
                    "value": { "name": "password", "value": "********", "errors": ["too short"] }
                }]
            }),
        },
        Exchange {
            tool: "set_action_on_kafka_connector",
            arguments: one(json!({ "action": "resume" })),
            asks: "PUT api/kafka-connect/clusters/eu%2F1/connectors/a%3Fb/resume",
            body: Value::Null,
            reply: (204, "", ""),
            gives: json!({ "success": true }),
        },
        Exchange {
            tool: "restart_kafka_connector_task",
            arguments: one(json!({ "task_id": "3" })),
            asks: "PUT api/kafka-connect/clusters/eu%2F1/connectors/a%3Fb/tasks/3/restart",
            body: Value::Null,
            reply: (200, JSON, r#""restarted""#),
            gives: json!({ "success": true, "result": "restarted" }),
        },
        Exchange {
            tool: "delete_kafka_connector",
            arguments: one(json!({})),
            asks: "DELETE api/kafka-connect/clusters/eu%2F1/connectors/a%3Fb",
            body: Value::Null,
            reply: (200, JSON, ""),
            gives: json!({ "success": true }),
        },
    ] {
        exchange.holds().await;
    }
}

#[tokio::test]
async fn every_action_is_the_last_segment_of_the_path() {
    let hq = Hq::giving(&json!({})).await;
    for action in ["start", "stop", "restart", "pause", "resume"] {
        Endpoint::new(&hq.url)
            .call("set_action_on_kafka_connector", one(json!({ "action": action })))
            .await;
        let path = "/lenses/api/v1/environments/dev/proxy/api/kafka-connect/clusters/eu%2F1/\
                    connectors/a%3Fb";
        assert_eq!(hq.take()[0].line, format!("PUT {path}/{action}"));
    }
    let action = one(json!({ "action": "explode" }));
    refuses(
        "set_action_on_kafka_connector",
        [(action, "action", "`start`, `stop`, `restart`, `pause`, `resume`")],
    )
    .await;
}

#[tokio::test]
async fn secrets_of_connectors_are_not_shown() {
    Exchange {
        tool: "list_kafka_connectors",
        arguments: json!({ "environment": "dev" }),
        asks: "GET api/kafka-connect/connectors",
        body: Value::Null,
        reply: (200, JSON, LISTED),
        gives: json!({ "connectors": [{
            "name": "pg",
            "cluster": "eu",
            "config": {
                "connector.class": "io.Pg",
                "database.password": "********",
                "connection.url": "jdbc:postgresql://u:********@db/x",
                "ssl.key.password": "${file:/x:y}",
            },
            "tasks": [{
                "id": 0,
                "state": "FAILED",
                "trace": "cannot open jdbc:mysql://db?user=u&password=********",
            }],
        }] }),
    }
    .holds()
    .await;
}

#[tokio::test]
async fn secrets_in_the_reason_of_an_error_are_not_shown() {
    let refusal = "Connector configuration is invalid: Invalid value hunter2 for configuration \
                   database.password: too short; connection.url jdbc:x://u:hunter3@h";
    let cut = format!("{}jdbc:x://u:hunter2hunter2", "x ".repeat(990));
    let connectors = tools::registry().iter().filter(|tool| tool.group() == "connectors");
    let mut tried = 0;
    for tool in connectors.map(Tool::name).chain(["get_pod_logs"]) {
        for (body, shown) in [
            (json!({ "error": refusal }), "Invalid value ******** for configuration database"),
            (json!({ "title": "Invalid", "detail": refusal }), "jdbc:x://u:********@h"),
            (
                json!({ "error": "no", "fields": [{ "field": "config", "error": refusal }] }),
                "config: Connector configuration is invalid: Invalid value ********",
            ),
            (json!({ "error": cut }), "x …"),
        ] {
            for status in [400, 409, 500] {
                let hq = Hq::answering(status, JSON, body.to_string()).await;
                let text = Endpoint::new(&hq.url).failure(tool, valid::arguments(tool)).await;
                assert!(!text.contains("hunter") && text.contains(shown), "{tool}: {text}");
            }
        }
        tried += 1;
    }
    assert_eq!(tried, 8);
}

#[tokio::test]
async fn a_definition_is_the_agents_yaml_without_its_secrets() {
    for (content_type, text, shown) in [
        (
            "application/yaml",
            "name: pg\nconfig:\n  password: hunter2 # x\n",
            "name: pg\nconfig:\n  password: \"********\" # x\n",
        ),
        ("text/plain", "name: pg\n", "name: pg\n"),
        (JSON, r#""name: pg\npassword: hunter2\n""#, "name: pg\npassword: \"********\"\n"),
        (
            JSON,
            r#"{"name": "pg", "password": "hunter2"}"#,
            r#"{"name": "pg", "password": "********"}"#,
        ),
    ] {
        let hq = Hq::answering(200, content_type, text).await;
        let arguments = json!({
            "environment": "dev", "connect_cluster_name": "eu/1", "connector_name": "a?b"
        });
        let result =
            Endpoint::new(&hq.url).call("get_kafka_connector_target_definition", arguments).await;
        assert_eq!(result["structuredContent"], json!({ "result": shown }), "{content_type}");
        assert_eq!(result["content"][0]["text"], shown);
        assert_eq!(
            hq.lines(),
            ["GET /lenses/api/v1/environments/dev/proxy/api/v1/resource/kafka/connect/eu%2F1/\
              connector/a%3Fb"]
        );
    }
}

#[tokio::test]
async fn a_definition_that_is_no_yaml_is_withheld() {
    let hq = Hq::answering(200, "application/yaml", "password: &x hunter2\nother: *x\n").await;
    let arguments =
        json!({ "environment": "dev", "connect_cluster_name": "eu", "connector_name": "pg" });
    let text =
        Endpoint::new(&hq.url).failure("get_kafka_connector_target_definition", arguments).await;
    assert!(text.contains("does not show it") && !text.contains("hunter2"), "{text}");
}

#[tokio::test]
async fn the_mask_is_not_taken_for_a_secret() {
    let call = || {
        (
            settings(json!({ "tasks.max": 1, "password": "********" })),
            "configuration",
            "\"password\" is the mask",
        )
    };
    refuses("create_kafka_connector", [call()]).await;
    refuses("validate_connector_configuration", [call()]).await;
}
