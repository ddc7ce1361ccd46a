use serde_json::{Value, json};

use crate::bench::{Bench, agent, success, with};

const CONNECTORS: &str = "kafka-connect/connectors";
const S3: &str = "io.lenses.streamreactor.connect.aws.s3.sink.S3SinkConnector";
const MASK: &str = "********";

pub(crate) async fn all(bench: &Bench) {
    let list = async || {
        let path = agent(CONNECTORS);
        let mut listed = bench
            .call("list_kafka_connectors", with(json!({})), &[("GET", &path, Value::Null)])
            .await;
        // HQ gives secrets as they are: that they are hidden is the only difference.
        assert!(!listed.to_string().contains("seeded-"), "{listed}");
        let told = bench.read(&path).await;
        for (place, secret) in [
            ("/connectors/0/config/database.password", "seeded-password"),
            ("/connectors/1/config/connect.s3.aws.secret.key", "seeded-secret-key"),
        ] {
            assert_eq!(told.pointer(place), Some(&json!(secret)));
            assert_eq!(*listed.pointer(place).unwrap(), MASK);
            *listed.pointer_mut(place).unwrap() = json!(secret);
        }
        assert_eq!(listed, told);
        listed
    };
    assert_eq!(list().await["connectors"].as_array().unwrap().len(), 3);
    let arguments = with(json!({ "cluster": ["connect-eu", "connect-us"], "class_name": [S3] }));
    let path = agent(&format!("{CONNECTORS}?cluster=connect-eu&cluster=connect-us&className={S3}"));
    let filtered =
        bench.call("list_kafka_connectors", arguments, &[("GET", &path, Value::Null)]).await;
    assert_eq!(
        (&filtered["connectors"][0]["name"], filtered["connectors"].as_array().unwrap().len()),
        (&json!("orders-to-s3"), 1)
    );

    let arguments =
        with(json!({ "connect_cluster_name": "connect-eu", "connector_name": "customers-cdc" }));
    let path = agent("v1/resource/kafka/connect/connect-eu/connector/customers-cdc");
    let yaml = "kind: KafkaConnector\nname: \"customers-cdc\"\ncluster: \"connect-eu\"\n\
                configuration:\n  connector.class: \
                \"io.debezium.connector.postgresql.PostgresConnector\"\n  database.hostname: \
                \"postgres\"\n  database.password: \"********\"\n  tasks.max: \"1\"\n  \
                topic.prefix: \"shop\"\n";
    let asked = [("GET", path.as_str(), Value::Null)];
    bench
        .gives(
            "get_kafka_connector_target_definition",
            arguments,
            &asked,
            &json!({ "result": yaml }),
        )
        .await;

    changes(bench).await;
    let left = list().await;
    let names: Vec<_> =
        left["connectors"].as_array().unwrap().iter().map(|connector| &connector["name"]).collect();
    assert_eq!(names, ["customers-cdc", "orders-to-s3", "clicks-archive"]);
    let state = (&left["connectors"][0]["tasks"][0]["state"], &left["connectors"][2]["state"]);
    assert_eq!(state, (&json!("RUNNING"), &json!("RUNNING")));
}

async fn changes(bench: &Bench) {
    let configuration = json!({
        "connector.class": "org.apache.kafka.connect.file.FileStreamSinkConnector",
        "topics": "refunds", "file": "/tmp/refunds",
        "tasks.max": "2",
    });
    let body =
        json!({ "name": "refunds-file", "cluster": "connect-us", "configuration": configuration });
    let wrong = json!({
        "name": "refunds-file", "cluster": "connect-us", "configuration": { "connector.class": S3 }
    });
    for (body, faults) in [(&body, 0), (&wrong, 2)] {
        let asked = [("POST", agent("kafka-connect/validate"), body.clone())];
        let asked =
            asked.each_ref().map(|(method, path, body)| (*method, path.as_str(), body.clone()));
        let checked =
            bench.call("validate_connector_configuration", with(body.clone()), &asked).await;
        assert_eq!(checked["error_count"], faults, "{checked}");
    }
    let running = |id: i64| {
        json!({
            "id": id, "state": "RUNNING", "workerId": format!("connect-us-{id}:8083"), "trace": null
        })
    };
    let created = json!({
        "cluster": "connect-us", "name": "refunds-file",
        "className": configuration["connector.class"], "type": "sink",
        "state": "RUNNING", "tasks": [running(0), running(1)], "config": configuration,
    });
    bench
        .changes("create_kafka_connector", with(body.clone()), ("POST", CONNECTORS, body), &created)
        .await;

    let one = |connector: &str, extra: Value| {
        let cluster = if connector == "customers-cdc" { "connect-eu" } else { "connect-us" };
        let mut arguments = with(json!({ "cluster": cluster, "connector": connector }));
        arguments.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        arguments
    };
    for action in ["start", "stop", "restart", "pause", "resume"] {
        let path = format!("kafka-connect/clusters/connect-us/connectors/clicks-archive/{action}");
        let arguments = one("clicks-archive", json!({ "action": action }));
        bench
            .changes(
                "set_action_on_kafka_connector",
                arguments,
                ("PUT", &path, Value::Null),
                &success(),
            )
            .await;
        let told = bench.read(&agent("kafka-connect/connectors?cluster=connect-us")).await;
        let state = match action {
            "stop" => "STOPPED",
            "pause" => "PAUSED",
            _ => "RUNNING",
        };
        assert_eq!(told["connectors"][0]["state"], state, "{action}");
    }
    let path = "kafka-connect/clusters/connect-eu/connectors/customers-cdc/tasks/0/restart";
    let arguments = one("customers-cdc", json!({ "task_id": 0 }));
    bench
        .changes("restart_kafka_connector_task", arguments, ("PUT", path, Value::Null), &success())
        .await;
    let path = "kafka-connect/clusters/connect-us/connectors/refunds-file";
    let arguments = one("refunds-file", json!({}));
    bench
        .changes("delete_kafka_connector", arguments, ("DELETE", path, Value::Null), &success())
        .await;
}
