//! What is proposed while a person types an argument.

use lenses_mcp_server::{policy::Options, prompts, resources, scope::Scope, settings::Confirm};
use serde_json::{Value, json};

use crate::{
    client::{Endpoint, Limits, MODERN},
    hq::{self, Hq},
};

async fn complete(
    endpoint: &Endpoint,
    reference: &Value,
    argument: &str,
    typed: &str,
    environment: &str,
) -> Value {
    let mut params = json!({ "ref": reference, "argument": { "name": argument, "value": typed } });
    if !environment.is_empty() {
        params["context"] = json!({ "arguments": { "environment": environment } });
    }
    endpoint.request(MODERN, "completion/complete", params).await.1
}

fn prompt(name: &str) -> Value {
    json!({ "type": "ref/prompt", "name": name })
}

fn template(uri: &str) -> Value {
    json!({ "type": "ref/resource", "uri": uri })
}

async fn lenses() -> Hq {
    Hq::with(&[
        ("", json!({ "items": [{ "name": "prod" }, { "name": "dev" }, { "name": "Demo" }] })),
        (
            "/dev/proxy/api/topics",
            json!([{ "topicName": "orders" }, { "topicName": "Offers" }, { "topicName": "cards" }]),
        ),
        (
            "/dev/proxy/api/kafka-connect/connectors",
            json!({ "connectors": [
                { "name": "s3-sink", "clusterName": "connect-eu", "className": "io.S3Sink" },
                { "name": "pg", "clusterName": "connect-eu", "className": "io.Pg" },
                { "name": "s3-old", "cluster": "connect-us", "class": "io.S3Sink" },
            ] }),
        ),
        (
            "/dev/proxy/api/v2/streams",
            json!({
                "processors": [{ "processorId": "lsql_1", "name": "big" }, { "id": "lsql_2" }]
            }),
        ),
    ])
    .await
}

#[tokio::test]
async fn names_with_the_typed_prefix_are_proposed_for_prompts_and_templates() {
    let hq = lenses().await;
    let endpoint = Endpoint::new(&hq.url);
    let groups = prompt("list_consumer_groups_for_topic");
    let guide = prompt("create_kafka_connector_guide");
    for (reference, argument, typed, environment, values) in [
        (&groups, "environment", "", "", vec!["Demo", "dev", "prod"]),
        (&groups, "environment", "DE", "", vec!["Demo", "dev"]),
        (&groups, "topic", "o", "dev", vec!["Offers", "orders"]),
        (&groups, "topic", "x", "dev", vec![]),
        // Which environment is not known yet, is none, or is one without an agent's answer.
        (&groups, "topic", "o", "", vec![]),
        (&groups, "topic", "o", "..", vec![]),
        (&guide, "cluster", "", "dev", vec!["connect-eu", "connect-us"]),
        (&guide, "connector_class", "io.s", "dev", vec!["io.S3Sink"]),
        // A new name is nobody's yet.
        (&guide, "name", "s3", "dev", vec![]),
        (
            &prompt("troubleshoot_kafka_connector"),
            "connector_name",
            "s3",
            "dev",
            vec!["s3-old", "s3-sink"],
        ),
        (
            &prompt("troubleshoot_sql_processor"),
            "sql_processor_id",
            "lsql",
            "dev",
            vec!["lsql_1", "lsql_2"],
        ),
        (&prompt("write_sql_query"), "task", "the", "", vec![]),
        (&template("lenses://environments/{environment}"), "environment", "p", "", vec!["prod"]),
        (
            &template("lenses://environments/{environment}/topics/{topic}"),
            "topic",
            "c",
            "dev",
            vec!["cards"],
        ),
    ] {
        let reply = complete(&endpoint, reference, argument, typed, environment).await;
        assert_eq!(
            reply["result"]["completion"]["values"],
            json!(values),
            "{reference} {argument} {typed}: {reply}"
        );
    }
}

#[tokio::test]
async fn at_most_a_hundred_values_are_given_and_the_rest_is_counted() {
    for (count, given, more) in
        [(99, 99, false), (100, 100, false), (101, 100, true), (250, 100, true)]
    {
        let topics: Vec<_> =
            (0..count).map(|number| json!({ "topicName": format!("t{number:03}") })).collect();
        let hq = Hq::with(&[("/dev/proxy/api/topics", json!(topics))]).await;
        let reply = complete(
            &Endpoint::new(&hq.url),
            &prompt("list_consumer_groups_for_topic"),
            "topic",
            "t",
            "dev",
        )
        .await;
        let completion = &reply["result"]["completion"];
        assert_eq!(completion["values"].as_array().unwrap().len(), given);
        assert_eq!((&completion["total"], &completion["hasMore"]), (&json!(count), &json!(more)));
    }
}

#[tokio::test]
async fn what_there_is_not_is_invalid_params() {
    let endpoint = Endpoint::new(&hq::absent().await);
    for (reference, argument) in [
        (prompt("rm_rf"), "environment"),
        (prompt("write_sql_query"), "environment"),
        (template("lenses://environments/dev"), "environment"),
        (template("lenses://environments"), "environment"),
        (template("file:///{path}"), "path"),
    ] {
        let reply = complete(&endpoint, &reference, argument, "", "").await;
        assert_eq!(reply["error"]["code"], -32602, "{reference} {argument}: {reply}");
    }
}

#[tokio::test]
async fn names_that_the_caller_may_not_see_are_neither_proposed_nor_requested() {
    let hq = lenses().await;
    let groups = prompt("list_consumer_groups_for_topic");
    let policy =
        |options| Endpoint::with(&hq.url, Limits::default(), Confirm::Destructive, Some(options));
    let of_dev =
        policy(Options { environments: ["dev".parse().unwrap()].into(), ..Options::default() });
    let reply = complete(&of_dev, &groups, "environment", "", "").await;
    assert_eq!(reply["result"]["completion"]["values"], json!(["dev"]));
    hq.take();
    let denying =
        policy(Options { deny: vec!["list_topics".parse().unwrap()], ..Options::default() });
    let writer = Endpoint::new(&hq.url).with_scopes(Scope::Write.into());
    for (endpoint, environment) in [(&of_dev, "prod"), (&denying, "dev"), (&writer, "dev")] {
        let reply = complete(endpoint, &groups, "topic", "", environment).await;
        assert_eq!(reply["result"]["completion"]["values"], json!([]), "{reply}");
    }
    assert_eq!(hq.seen(), []);
}

#[tokio::test]
async fn that_hq_fails_is_said_and_not_taken_for_nothing() {
    let refusing = Hq::answering(401, "application/json", "{}").await;
    for (url, message, forgotten) in [
        (&hq::absent().await, "can't be reached", 0),
        (&refusing.url, "does not accept the credential", 1),
    ] {
        let endpoint = Endpoint::new(url);
        let reply =
            complete(&endpoint, &prompt("list_running_sql_processors"), "environment", "", "")
                .await;
        assert_eq!(reply["error"]["code"], -32603, "{reply}");
        assert!(reply["error"]["message"].as_str().unwrap().contains(message), "{reply}");
        assert_eq!(endpoint.forgotten.lock().unwrap().len(), forgotten);
    }
}

#[tokio::test]
async fn every_argument_with_a_source_can_be_completed() {
    let hq = lenses().await;
    let endpoint = Endpoint::new(&hq.url);
    let of_prompts = prompts::all().iter().flat_map(|prompt| {
        let arguments = prompt.arguments().iter().filter(|argument| argument.source().is_some());
        arguments.map(|argument| (self::prompt(prompt.name()), argument.name()))
    });
    let of_templates = resources::TEMPLATES.iter().flat_map(|template| {
        template.variables.iter().map(|variable| (self::template(template.uri), variable.name))
    });
    let mut count = 0;
    for (reference, argument) in of_prompts.chain(of_templates) {
        let reply = complete(&endpoint, &reference, argument, "", "dev").await;
        assert_ne!(reply["result"]["completion"]["total"], 0, "{reference} {argument}: {reply}");
        count += 1;
    }
    assert!(count > 15, "{count}");
}
