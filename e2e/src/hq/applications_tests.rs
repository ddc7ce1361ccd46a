//! Connectors, SQL processors and requests for topics: who may see and change them, and what is
//! refused and changes nothing.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::test_client::{SERVICE_ACCOUNT, TestClient};

const API: &str = "/api/v1/environments/development/proxy/api";

async fn status(
    client: &TestClient,
    method: Method,
    path: &str,
    token: &str,
    body: Option<Value>,
) -> (u16, Value) {
    let reply = client.call(method, &format!("{API}/{path}"), token, body).await;
    (reply.status.as_u16(), serde_json::from_str(&reply.text).unwrap_or_default())
}

/// A request for a topic, with these of its members.
fn approval(change: &Value) -> Value {
    let mut body = json!({
        "type": "CreateNewEntity", "entityName": "t", "entityType": "KafkaTopic",
        "settings": {"replication": 1, "partitions": 1, "capacity": {}},
        "metadata": {"reason": "r", "tags": []},
    });
    body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
    body
}

#[tokio::test]
async fn what_cannot_be_is_refused_in_the_agents_words() {
    let client = TestClient::new(&[]);
    let sql = "INSERT INTO a SELECT STREAM * FROM b";
    let nowhere =
        json!({"mode": "KUBERNETES", "details": {"runners": 1, "cluster": "c", "namespace": "n"}});
    for (method, path, body, expected) in [
        (
            Method::POST,
            "kafka-connect/connectors",
            json!({"name": "n", "cluster": "none", "configuration": {}}),
            (404, "ConnectClusterNotFound"),
        ),
        (
            Method::POST,
            "kafka-connect/connectors",
            json!({"name": "n", "cluster": "connect-eu", "configuration": {}}),
            (400, "ValidationError"),
        ),
        (
            Method::POST,
            "kafka-connect/connectors",
            json!({"name": " ", "cluster": "connect-eu", "configuration": {}}),
            (400, "ValidationError"),
        ),
        (
            Method::PUT,
            "kafka-connect/clusters/connect-eu/connectors/none/stop",
            json!({}),
            (404, "ConnectorNotFound"),
        ),
        (
            Method::PUT,
            "kafka-connect/clusters/connect-eu/connectors/orders-to-s3/explode",
            json!({}),
            (400, "ValidationError"),
        ),
        (
            Method::PUT,
            "kafka-connect/clusters/connect-eu/connectors/orders-to-s3/tasks/7/restart",
            json!({}),
            (404, "TaskNotFound"),
        ),
        (
            Method::DELETE,
            "kafka-connect/clusters/connect-eu/connectors/clicks-archive",
            json!({}),
            (404, "ConnectorNotFound"),
        ),
        (
            Method::GET,
            "v1/resource/kafka/connect/connect-us/connector/none",
            json!({}),
            (404, "ConnectorNotFound"),
        ),
        (Method::GET, "v2/streams/none", json!({}), (404, "ProcessorNotFound")),
        (Method::POST, "v2/streams", json!({"name": "p", "sql": sql}), (400, "ValidationError")),
        (
            Method::POST,
            "v2/streams",
            json!({"name": "p", "sql": "SELECT 1", "deployment": {"mode": "IN_PROC"}}),
            (400, "ValidationError"),
        ),
        (
            Method::POST,
            "v2/streams",
            json!({"name": "p", "sql": sql, "deployment": nowhere}),
            (400, "ValidationError"),
        ),
        (
            Method::POST,
            "v2/streams",
            json!({
                "name": "p", "sql": sql, "processorId": "lsql-big-orders",
                "deployment": {"mode": "IN_PROC"}
            }),
            (409, "ProcessorAlreadyExists"),
        ),
        (Method::DELETE, "v1/streams/none", json!({}), (404, "ProcessorNotFound")),
        (
            Method::GET,
            "v1/k8s/logs/incluster/lenses/lsql-big-orders-0/download",
            json!({}),
            (404, "PodNotFound"),
        ),
        (
            Method::POST,
            "v1/approvals",
            approval(&json!({"type": "Other"})),
            (400, "ValidationError"),
        ),
        (
            Method::POST,
            "v1/approvals",
            approval(&json!({"entityType": "Table"})),
            (400, "ValidationError"),
        ),
        (
            Method::POST,
            "v1/approvals",
            approval(&json!({"entityName": "no name"})),
            (400, "ValidationError"),
        ),
        (
            Method::POST,
            "v1/approvals",
            approval(&json!({"metadata": {"reason": " ", "tags": []}})),
            (400, "ValidationError"),
        ),
        (Method::GET, "v1/approvals/none", json!({}), (404, "ApprovalRequestNotFound")),
    ] {
        let (status, error) =
            status(&client, method, path, SERVICE_ACCOUNT, Some(body.clone())).await;
        assert_eq!(
            (status, error["errorType"].as_str()),
            (expected.0, Some(expected.1)),
            "{path} {body}"
        );
    }
    let environment = client.get("/api/v1/environments/development", SERVICE_ACCOUNT).await.json();
    assert_eq!(environment["status"]["agent"]["metrics"]["connect"]["num_connectors"], 3);
    let path = "v1/approvals?pageSize=9";
    let (_, approvals) = status(&client, Method::GET, path, SERVICE_ACCOUNT, None).await;
    assert_eq!(approvals["totalCount"], 2);
}

#[tokio::test]
async fn newcomers_read_and_ask_and_who_only_reads_kafka_sees_no_applications() {
    let client = TestClient::new(&[]);
    let id = client.public_client().await;
    let token = async |user: &str| {
        client.tokens(&id, user, &["read", "write"]).await["access_token"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let (bob, carol) = (token("bob").await, token("carol").await);
    let ask = json!({
        "type": "CreateNewEntity", "entityName": "t", "entityType": "KafkaTopic",
        "settings": {"replication": 1, "partitions": 1, "capacity": {}},
        "metadata": {"reason": "r", "tags": []},
    });
    let stop = "kafka-connect/clusters/connect-eu/connectors/orders-to-s3/stop";
    for (method, path, body, of_bob, of_carol) in [
        (Method::GET, "kafka-connect/connectors", None, 200, 403),
        (Method::GET, "v2/streams", None, 200, 403),
        (Method::GET, "v1/deployment/targets", None, 200, 403),
        (Method::GET, "v1/k8s/logs/incluster/analytics/lsql-big-orders-0/download", None, 200, 403),
        (Method::PUT, stop, None, 403, 403),
        (Method::DELETE, "v1/streams/lsql-big-orders", None, 403, 403),
        (Method::POST, "v1/approvals", Some(ask), 201, 403),
        (Method::GET, "v1/approvals?pageSize=9", None, 200, 200),
    ] {
        for (token, expected) in [(&bob, of_bob), (&carol, of_carol)] {
            let (status, _) = status(&client, method.clone(), path, token, body.clone()).await;
            assert_eq!(status, expected, "{method} {path}");
        }
    }
    // Who may not list requests is shown none.
    for (token, count) in [(&bob, 3), (&carol, 0)] {
        let path = "v1/approvals?pageSize=9";
        let (_, approvals) = status(&client, Method::GET, path, token, None).await;
        assert_eq!(approvals["totalCount"], count);
    }
}

#[tokio::test]
async fn an_approved_request_creates_its_topic_once_and_fails_when_it_cannot() {
    let client = TestClient::new(&["--control=127.0.0.1:0"]);
    let control = super::control::router(client.hq.clone());
    let decide = async |id: &str, decision: &str| {
        let request = http::Request::put(format!("/approvals/development/{id}"))
            .header(http::header::CONTENT_TYPE, "application/json")
            .body(axum::body::Body::from(format!("{decision:?}")))
            .unwrap();
        let response = tower::ServiceExt::oneshot(control.clone(), request).await.unwrap();
        let status = response.status();
        let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
        (status, serde_json::from_slice::<Value>(&body).unwrap()["approvalStatus"].clone())
    };
    let ask = async |topic: &str| {
        let body = json!({
            "type": "CreateNewEntity", "entityName": topic, "entityType": "KafkaTopic",
            "settings": {"replication": 1, "partitions": 4, "capacity": {}},
            "metadata": {"reason": "r", "tags": ["x"]},
        });
        let (_, given) =
            status(&client, Method::POST, "v1/approvals", SERVICE_ACCOUNT, Some(body)).await;
        given["id"].as_str().unwrap().to_owned()
    };
    let id = ask("wished").await;
    assert_eq!(status(&client, Method::GET, "topics/wished", SERVICE_ACCOUNT, None).await.0, 404);
    assert_eq!(decide(&id, "Approved").await, (StatusCode::OK, json!("Approved")));
    assert_eq!(
        status(&client, Method::GET, "topics/wished", SERVICE_ACCOUNT, None).await.1["partitions"],
        4
    );
    assert_eq!(decide(&id, "Rejected").await.0, StatusCode::CONFLICT);
    let taken = ask("orders").await;
    assert_eq!(decide(&taken, "Approved").await, (StatusCode::OK, json!("Failed")));
}
