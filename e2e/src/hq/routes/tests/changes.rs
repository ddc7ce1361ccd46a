//! Topics, their metadata and consumer groups: each change is seen by later reads, and what cannot
//! be is refused and changes nothing.

mod metadata;
mod offsets;

use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::hq::test_client::{SERVICE_ACCOUNT, TestClient};

const API: &str = "/api/v1/environments/development/proxy/api";

impl TestClient {
    async fn read(&self, path: &str) -> Value {
        let reply = self.get(&format!("{API}/{path}"), SERVICE_ACCOUNT).await;
        assert_eq!(reply.status, StatusCode::OK, "{path}: {}", reply.text);
        reply.json()
    }

    /// Makes a change that is answered without content.
    async fn change(&self, method: Method, path: &str, body: Option<Value>, status: u16) {
        let reply = self.call(method, &format!("{API}/{path}"), SERVICE_ACCOUNT, body).await;
        assert_eq!((reply.status.as_u16(), reply.text.as_str()), (status, ""), "{path}");
    }

    /// Status, error type and, for a `ValidationError`, the fields of a refusal by the agent.
    async fn refusal(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> (u16, String, Vec<String>) {
        let reply = self.call(method, &format!("{API}/{path}"), SERVICE_ACCOUNT, body).await;
        let error = reply.json();
        let fields = error["fields"].as_array().unwrap().iter();
        let fields = fields.map(|field| field["field"].as_str().unwrap().to_owned()).collect();
        (reply.status.as_u16(), error["errorType"].as_str().unwrap().to_owned(), fields)
    }
}

fn invalid(field: &str) -> (u16, String, Vec<String>) {
    (400, "ValidationError".to_owned(), vec![field.to_owned()])
}

fn error(status: u16, kind: &str) -> (u16, String, Vec<String>) {
    (status, kind.to_owned(), Vec::new())
}

#[tokio::test]
async fn a_changed_configuration_shows_and_the_others_stay() {
    let client = TestClient::new(&[]);
    let body = json!({
        "configs": [
            {"key": "retention.ms", "value": "1000"}, {"key": "preallocate", "value": "true"}
        ]
    });
    client.change(Method::PUT, "configs/topics/orders", Some(body), 200).await;
    let configs = client.read("topics/orders/brokerConfigs").await;
    let config = |name: &str| {
        configs.as_array().unwrap().iter().find(|config| config["configuration"] == name).cloned()
    };
    let expected = json!({
        "configuration": "retention.ms", "value": "1000", "defaultValue": "604800000",
        "isDefault": false
    });
    assert_eq!(config("retention.ms"), Some(expected));
    assert_eq!(config("min.insync.replicas").unwrap()["value"], "2");
    assert_eq!(config("segment.bytes").unwrap()["isDefault"], true);
    assert_eq!(configs.as_array().unwrap().len(), 27);

    let put = async |topic: &str, configs: Value| {
        client
            .refusal(
                Method::PUT,
                &format!("configs/topics/{topic}"),
                Some(json!({"configs": configs})),
            )
            .await
    };
    assert_eq!(put("orders", json!([{"key": "colour", "value": "red"}])).await, invalid("configs"));
    assert_eq!(
        put("orders", json!([{"key": "preallocate", "value": "yes"}])).await,
        invalid("configs")
    );
    assert_eq!(put("orders", json!([])).await, invalid("configs"));
    assert_eq!(put("orders", json!({"retention.ms": "1"})).await, invalid("body"));
    assert_eq!(
        put("nowhere", json!([{"key": "preallocate", "value": "true"}])).await,
        error(404, "TopicNotFound")
    );
    assert_eq!(
        client.refusal(Method::GET, "topics/nowhere/brokerConfigs", None).await,
        error(404, "TopicNotFound")
    );
}

#[tokio::test]
async fn partitions_are_added_never_taken_and_no_record_moves() {
    let client = TestClient::new(&[]);
    let before = client.read("v2/topics/refunds/partitions").await;
    assert_eq!((&before["totalMessages"], &before["totalBytes"]), (&json!(25), &json!(3200)));
    let whole = json!({
        "partition": 0, "begin": 0, "end": 25, "messages": 25, "bytes": 3200, "leader": 1,
        "replicas": [1, 2, 3], "isr": [1, 2, 3],
    });
    assert_eq!(before["partitions"], json!([whole]));
    client
        .change(
            Method::PUT,
            "v1/kafka/topics/refunds/partitions",
            Some(json!({"partitions": 3})),
            204,
        )
        .await;
    let after = client.read("v2/topics/refunds/partitions").await;
    let messages: Vec<_> = after["partitions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|partition| &partition["messages"])
        .collect();
    assert_eq!(messages, [25, 0, 0]);
    for partitions in [3, 2, 0, -1, 1_001] {
        let body = json!({"partitions": partitions});
        let refused =
            client.refusal(Method::PUT, "v1/kafka/topics/refunds/partitions", Some(body)).await;
        assert_eq!(refused, invalid("partitions"), "{partitions}");
    }
    let unknown = client
        .refusal(Method::PUT, "v1/kafka/topics/nowhere/partitions", Some(json!({"partitions": 3})))
        .await;
    assert_eq!(unknown, error(404, "TopicNotFound"));
    assert_eq!(
        client.refusal(Method::GET, "v2/topics/nowhere/partitions", None).await,
        error(404, "TopicNotFound")
    );
}

#[tokio::test]
async fn a_record_sent_once_more_is_one_more_record() {
    let client = TestClient::new(&[]);
    client.change(Method::PUT, "topics/refunds/0/24/resend", None, 200).await;
    assert_eq!(client.read("topics/refunds").await["totalMessages"], 26);
    let put = async |path: &str| {
        client.refusal(Method::PUT, &format!("topics/{path}/resend"), None).await
    };
    assert_eq!(put("refunds/0/26").await, error(404, "RecordNotFound"));
    assert_eq!(put("refunds/1/0").await, error(404, "RecordNotFound"));
    assert_eq!(put("nowhere/0/0").await, error(404, "TopicNotFound"));
    assert_eq!(put("refunds/x/0").await, invalid("partition"));
    assert_eq!(put("refunds/0/-1").await, invalid("offset"));
}

#[tokio::test]
async fn messages_are_counted_by_day() {
    let client = TestClient::new(&[]);
    let days = client.read("v1/datasets/kafka/big_events/messages/metrics").await;
    let days = days.as_array().unwrap();
    assert_eq!(
        days[0],
        json!({"date": "2026-01-05", "messages": 57_600}),
        "from eight in the morning, one a second"
    );
    assert_eq!((days.len(), &days[1]["messages"]), (12, &json!(86_400)));
    assert_eq!(days.iter().map(|day| day["messages"].as_u64().unwrap()).sum::<u64>(), 1_000_000);
    assert_eq!(client.read("v1/datasets/kafka/returns/messages/metrics").await, json!([]));
    let unknown =
        client.refusal(Method::GET, "v1/datasets/kafka/nowhere/messages/metrics", None).await;
    assert_eq!(unknown, error(404, "DatasetNotFound"));
}

#[tokio::test]
async fn a_new_environment_is_listed_agentless_and_shows_its_key_once() {
    let client = TestClient::new(&[]);
    let path = "/api/v1/environments";
    let body = json!({
        "name": "qa-2", "display_name": "QA", "tier": "staging", "metadata": {"team": "qa"}
    });
    let made = client.call(Method::POST, path, SERVICE_ACCOUNT, Some(body.clone())).await;
    assert_eq!(made.status, StatusCode::CREATED);
    let mut made = made.json();
    let key = made.as_object_mut().unwrap().remove("agent_key").unwrap();
    assert!(key.as_str().unwrap().starts_with("agent_key_"));
    assert_eq!(client.get(&format!("{path}/qa-2"), SERVICE_ACCOUNT).await.json(), made);
    assert_eq!((&made["tier"], &made["metadata"]), (&json!("staging"), &json!({"team": "qa"})));
    assert_eq!(made["status"], json!({"agent_connected": false}));
    let again = client.call(Method::POST, path, SERVICE_ACCOUNT, Some(body)).await;
    assert_eq!((again.status, &again.json()["type"]), (StatusCode::CONFLICT, &json!("conflict")));

    for (body, fields) in [
        (json!({"name": "QA", "tier": "staging"}), vec!["name"]),
        (json!({"name": "-qa", "tier": "staging"}), vec!["name"]),
        (
            json!({"name": "", "tier": "", "display_name": " "}),
            vec!["name", "display_name", "tier"],
        ),
        (json!({"name": "q".repeat(64), "tier": "staging"}), vec!["name"]),
        (json!({"name": "qa", "tier": "staging", "metadata": {"a": 1}}), vec!["metadata"]),
    ] {
        let refused = client.call(Method::POST, path, SERVICE_ACCOUNT, Some(body.clone())).await;
        let problem = refused.json();
        assert_eq!(
            (refused.status, &problem["type"]),
            (StatusCode::BAD_REQUEST, &json!("validation_error")),
            "{body}"
        );
        let found: Vec<_> = problem["invalid_fields"]
            .as_array()
            .unwrap()
            .iter()
            .map(|field| &field["name"])
            .collect();
        assert_eq!(found, fields, "{body}");
    }
    let unreadable =
        client.call(Method::POST, path, SERVICE_ACCOUNT, Some(json!({"name": "qa"}))).await;
    assert_eq!(unreadable.json()["type"], "invalid_parameter");
}
