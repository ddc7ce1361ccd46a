//! Arguments: what is refused reaches nobody; what is a name arrives as one segment.

use serde_json::{Value, json};

use crate::{
    client::{Endpoint, raw, read},
    hq::Hq,
};

/// Names that have tripped servers up, each with the segment that it must become.
const NAMES: &[(&str, &str)] = &[
    ("orders", "orders"),
    ("../../../../users", "..%2F..%2F..%2F..%2Fusers"),
    ("a/b", "a%2Fb"),
    ("a?admin=true&x", "a%3Fadmin=true&x"),
    ("a#b", "a%23b"),
    ("%2e%2e", "%252e%252e"),
    ("%2f", "%252f"),
    ("a b", "a%20b"),
    ("größe", "gr%C3%B6%C3%9Fe"),
    ("a\\b", "a%5Cb"),
    ("...", "..."),
    ("..;", "..%3B"),
    ("a;b=c", "a%3Bb=c"),
];

#[tokio::test]
async fn a_name_is_one_segment_of_the_path_whatever_it_holds() {
    for (name, segment) in NAMES {
        let hq = Hq::giving(&json!({})).await;
        let endpoint = Endpoint::new(&hq.url);
        for (tool, arguments) in [
            ("get_sql_processor", json!({ "environment": "dev", "sql_processor_id": name })),
            ("get_dataset", json!({ "environment": "dev", "connection": name, "dataset": name })),
            ("delete_consumer_group", json!({ "environment": "dev", "group_id": name })),
        ] {
            endpoint.call(tool, arguments).await;
        }
        let agent = "/lenses/api/v1/environments/dev/proxy/api";
        assert_eq!(
            hq.lines(),
            [
                format!("GET {agent}/v2/streams/{segment}"),
                format!("GET {agent}/v1/datasets/{segment}/{segment}"),
                format!("DELETE {agent}/consumers/{segment}"),
            ]
        );
    }
}

#[tokio::test]
async fn a_name_that_there_cannot_be_is_refused() {
    let hq = Hq::giving(&json!({})).await;
    let endpoint = Endpoint::new(&hq.url);
    let names =
        NAMES.iter().map(|(name, _)| *name).filter(|name| !matches!(*name, "orders" | "..."));
    for name in names.chain(["dev/../prod", ".."]) {
        let topics = json!({ "environment": "dev", "group_id": "g", "topics": [name] });
        let log = json!({ "environment": "dev", "cluster": "c", "namespace": "n", "pod": name });
        for (tool, arguments, argument) in [
            ("get_environment", json!({ "name": name }), "`name`"),
            ("diagnose", json!({ "environment": name }), "`environment`"),
            ("list_topics", json!({ "environment": name }), "`environment`"),
            ("execute_sql", json!({ "environment": name, "sql": "SHOW TABLES" }), "`environment`"),
            ("get_topic", json!({ "environment": "dev", "topic_name": name }), "`topic_name`"),
            ("create_topic", json!({ "environment": "dev", "topic_name": name }), "`topic_name`"),
            ("delete_consumer_group_offsets", topics, "`topics[0]`"),
            ("get_pod_logs", log, "`pod`"),
        ] {
            let text = endpoint.failure(tool, arguments).await;
            assert!(text.contains(argument) && text.contains("Nothing was sent"), "{text}");
        }
    }
    assert_eq!(hq.seen(), []);
}

#[tokio::test]
async fn wrong_arguments_are_named_and_nothing_is_sent() {
    let hq = Hq::giving(&json!({})).await;
    let endpoint = Endpoint::new(&hq.url);
    let topic = |extra: Value| {
        let mut arguments = json!({ "environment": "dev", "topic_name": "t" });
        arguments.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        arguments
    };
    let long = "x".repeat(256);
    for (tool, arguments, named) in [
        ("list_environments", json!({ "environment": "dev" }), "`environment`"),
        ("get_environment", json!({}), "`name`"),
        ("get_environment", json!({ "name": "" }), "`name`"),
        ("get_environment", json!({ "name": ".." }), "`name`"),
        ("get_environment", json!({ "name": 7 }), "`name`"),
        ("get_environment", json!({ "name": long }), "`name`"),
        ("check_environment_health", json!({ "name": "a\u{0}" }), "`name`"),
        ("list_topics", json!({ "environment": "\n" }), "`environment`"),
        ("list_topics", json!({ "environment": "dev", "page": 1 }), "`page`"),
        ("get_topic", json!({ "topic_name": "t" }), "`environment`"),
        ("get_topic", json!({ "environment": "dev", "topic_name": ["t"] }), "`topic_name`"),
        ("create_topic", topic(json!({ "partitions": 0 })), "`partitions`"),
        ("create_topic", topic(json!({ "partitions": "many" })), "`partitions`"),
        ("create_topic", topic(json!({ "replication": -1 })), "`replication`"),
        ("create_topic", topic(json!({ "configs": ["a"] })), "`configs"),
        ("create_topic", topic(json!({ "configs": { "retention.ms": 5 } })), "`configs"),
        ("list_consumer_groups", json!({ "environment": null }), "`environment`"),
        ("delete_consumer_group", json!({ "environment": "dev", "group": "g" }), "`group`"),
        ("execute_sql", json!({ "environment": "dev" }), "`sql`"),
        ("execute_sql", json!({ "environment": "dev", "sql": "  " }), "`sql`"),
        ("execute_sql", json!({ "environment": "dev", "sql": 1 }), "`sql`"),
    ] {
        let text = endpoint.failure(tool, arguments.clone()).await;
        assert!(
            text.contains(named) && text.contains("Nothing was sent"),
            "{tool} {arguments}: {text}"
        );
    }
    assert_eq!(hq.seen(), []);
}

#[tokio::test]
async fn what_another_reader_would_read_otherwise_reaches_nobody() {
    let hq = Hq::giving(&json!({})).await;
    let endpoint = Endpoint::new(&hq.url);
    let send = async |metadata: &str| {
        let body = format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call",
            "params":{{"name":"create_environment",
            "arguments":{{"name":"abc","metadata":{metadata}}}}}}}"#
        );
        read(endpoint.send(raw(&body)).await).await.1
    };
    for (metadata, why) in [
        (r#"{"a":1,"a":2}"#, "`a` is given twice"),
        (r#"{"a":[{"b":{"c":1,"c":2}}]}"#, "`c` is given twice"),
        (r#"{"id":12345678901234567890123}"#, "`metadata`: a number has more digits"),
        (r#"{"d":0.12345678901234567890}"#, "`metadata`: a number has more digits"),
    ] {
        let reply = send(metadata).await;
        let message = reply["error"]["message"].as_str().unwrap_or_default();
        assert_eq!(reply["error"]["code"], -32602, "{metadata}: {reply}");
        assert!(message.contains("params.arguments: ") && message.contains(why), "{message}");
    }
    assert_eq!(hq.seen(), []);
    // The same number in another notation is no change.
    let reply = send(r#"{"a":1e2,"b":1.0,"c":9007199254740993}"#).await;
    assert_eq!(reply["result"]["isError"], false, "{reply}");
    let at_hq: Value = serde_json::from_str(&hq.seen()[0].body).unwrap();
    assert_eq!(at_hq["metadata"], json!({ "a": 100.0, "b": 1.0, "c": 9_007_199_254_740_993_u64 }));
}
