//! The REST API: what is changed shows, what is refused is refused in the right shape, and a name
//! is a name.

use http::{Method, StatusCode, header};
use serde_json::{Value, json};

use crate::hq::test_client::{SERVICE_ACCOUNT, TestClient};

const DEVELOPMENT: &str = "/api/v1/environments/development/proxy/api";

fn names(list: &Value, field: &str) -> Vec<String> {
    list.as_array().unwrap().iter().map(|item| item[field].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn environments_are_listed_with_an_agent_up_and_one_down() {
    let client = TestClient::new(&[]);
    let items = client.get("/api/v1/environments", SERVICE_ACCOUNT).await.json()["items"].take();
    assert_eq!(names(&items, "name"), ["development", "disaster-recovery", "large"]);
    let metrics = json!({
        "kafka": {"num_brokers": 3}, "data": {"num_topics": 12}, "apps": {"num_consumers": 6},
        "connect": {"num_connectors": 3}, "other": {"num_issues": 0},
    });
    assert_eq!(items[0]["status"]["agent"]["metrics"], metrics);
    assert_eq!(items[1]["status"], json!({"agent_connected": false}));
    let large = &items[2]["status"]["agent"]["metrics"];
    assert_eq!(
        (&large["data"]["num_topics"], &large["apps"]["num_consumers"]),
        (&json!(600), &json!(300))
    );
    let topics =
        client.get("/api/v1/environments/large/proxy/api/topics", SERVICE_ACCOUNT).await.json();
    assert_eq!(
        (topics.as_array().unwrap().len(), &topics[599]["topicName"]),
        (600, &json!("events.599"))
    );
    assert_eq!(
        client.get("/api/v1/environments/development", SERVICE_ACCOUNT).await.json(),
        items[0]
    );
    let unknown = client.get("/api/v1/environments/nowhere", SERVICE_ACCOUNT).await;
    assert_eq!(
        (unknown.status, unknown.json()["type"].as_str()),
        (StatusCode::NOT_FOUND, Some("not_found"))
    );
    let down = client
        .get("/api/v1/environments/disaster-recovery/proxy/api/topics", SERVICE_ACCOUNT)
        .await;
    assert_eq!(
        (down.status, down.json()["type"].as_str()),
        (StatusCode::SERVICE_UNAVAILABLE, Some("agent_not_connected"))
    );
    assert_eq!(down.header(header::CONTENT_TYPE), "application/problem+json");
}

#[tokio::test]
async fn the_api_takes_no_request_without_a_good_credential() {
    let client = TestClient::new(&[]);
    for credential in ["", "wrong", "Basic YWxpY2U6YWxpY2U=", "Bearer"] {
        for path in [
            "/api/v1/environments",
            &format!("{DEVELOPMENT}/topics"),
            &format!("{DEVELOPMENT}/ws/v2/sql/execute"),
        ] {
            let reply = client.get(path, credential).await;
            assert_eq!(
                (reply.status, reply.json()["type"].as_str()),
                (StatusCode::UNAUTHORIZED, Some("unauthorised")),
                "{path}"
            );
        }
    }
}

#[tokio::test]
async fn a_created_topic_shows_everywhere_and_cannot_be_created_twice() {
    let client = TestClient::new(&[]);
    let topics = format!("{DEVELOPMENT}/topics");
    let body = json!({
        "topicName": "invoices", "partitions": 3, "replication": 2,
        "configs": {"retention.ms": "1000"}
    });
    let reply = client.call(Method::POST, &topics, SERVICE_ACCOUNT, Some(body.clone())).await;
    assert_eq!((reply.status, reply.json()), (StatusCode::OK, json!("Topic [invoices] created")));
    let expected = json!({
        "topicName": "invoices", "keyType": "BYTES", "valueType": "BYTES", "partitions": 3,
        "replication": 2,
        "isControlTopic": false, "isMarkedForDeletion": false, "totalMessages": 0,
        "messagesPerPartition": [
            {"partition": 0, "messages": 0, "begin": 0, "end": 0},
            {"partition": 1, "messages": 0, "begin": 0, "end": 0},
            {"partition": 2, "messages": 0, "begin": 0, "end": 0},
        ],
        "config": [{"name": "retention.ms", "value": "1000"}], "consumers": [],
    });
    assert_eq!(client.get(&format!("{topics}/invoices"), SERVICE_ACCOUNT).await.json(), expected);
    assert!(
        names(&client.get(&topics, SERVICE_ACCOUNT).await.json(), "topicName")
            .contains(&"invoices".to_owned())
    );
    let found = client
        .get(&format!("{DEVELOPMENT}/v1/datasets?search=invoices"), SERVICE_ACCOUNT)
        .await
        .json();
    assert_eq!(found["datasets"]["totalCount"], 1);
    let again = client.call(Method::POST, &topics, SERVICE_ACCOUNT, Some(body)).await;
    assert_eq!(again.status, StatusCode::CONFLICT);
    assert_eq!(
        again.json(),
        json!({
            "error": "topic [invoices] already exists", "fields": [],
            "errorType": "TopicAlreadyExists"
        })
    );
}

#[tokio::test]
async fn a_topic_that_kafka_would_refuse_is_refused_with_every_field_named() {
    let client = TestClient::new(&[]);
    let topics = format!("{DEVELOPMENT}/topics");
    for (body, fields) in [
        (
            json!({"topicName": "a/b", "partitions": 0, "replication": 4}),
            vec!["topicName", "partitions", "replication"],
        ),
        (json!({"topicName": "..", "partitions": 1, "replication": 1}), vec!["topicName"]),
        (json!({"topicName": "", "partitions": 1, "replication": 1}), vec!["topicName"]),
        (
            json!({"topicName": "a".repeat(250), "partitions": 1001, "replication": 0}),
            vec!["topicName", "partitions", "replication"],
        ),
        (
            json!({
                "topicName": "t", "partitions": 1, "replication": 1, "configs": {"colour": "red"}
            }),
            vec!["configs"],
        ),
        (
            json!({
                "topicName": "t", "partitions": 1, "replication": 1,
                "configs": {"retention.ms": "long"}
            }),
            vec!["configs"],
        ),
        (
            json!({
                "topicName": "t", "partitions": 1, "replication": 1,
                "configs": {"cleanup.policy": "burn"}
            }),
            vec!["configs"],
        ),
        (json!({"topicName": "t"}), vec!["body"]),
        (json!([]), vec!["body"]),
    ] {
        let reply = client.call(Method::POST, &topics, SERVICE_ACCOUNT, Some(body.clone())).await;
        assert_eq!(
            (reply.status, reply.json()["errorType"].as_str()),
            (StatusCode::BAD_REQUEST, Some("ValidationError")),
            "{body}"
        );
        assert_eq!(names(&reply.json()["fields"], "field"), fields, "{body}");
    }
}

#[tokio::test]
async fn a_group_is_deleted_once_and_only_when_nobody_is_in_it() {
    let client = TestClient::new(&[]);
    let group = |id: &str| format!("{DEVELOPMENT}/consumers/{id}");
    let by_topic = client.get(&group("shipments"), SERVICE_ACCOUNT).await.json();
    assert_eq!(
        (names(&by_topic, "id"), &by_topic[0]["maxLag"]),
        (vec!["legacy-export".to_owned()], &json!(100))
    );
    let busy =
        client.call(Method::DELETE, &group("orders-fulfilment"), SERVICE_ACCOUNT, None).await;
    assert_eq!(
        (busy.status, busy.json()["errorType"].as_str()),
        (StatusCode::CONFLICT, Some("ConsumerGroupNotEmpty"))
    );
    let gone = client.call(Method::DELETE, &group("legacy-export"), SERVICE_ACCOUNT, None).await;
    assert_eq!((gone.status, gone.text.as_str()), (StatusCode::OK, ""));
    assert_eq!(
        client.call(Method::DELETE, &group("legacy-export"), SERVICE_ACCOUNT, None).await.status,
        StatusCode::NOT_FOUND
    );
    assert_eq!(client.get(&group("shipments"), SERVICE_ACCOUNT).await.json(), json!([]));
    let left =
        names(&client.get(&format!("{DEVELOPMENT}/consumers"), SERVICE_ACCOUNT).await.json(), "id");
    assert_eq!(
        left,
        [
            "analytics-nightly",
            "customer-sync",
            "fraud-model",
            "orders-fulfilment",
            "payments-settlement"
        ]
    );
    assert_eq!(
        client.get(&group("no-such-topic"), SERVICE_ACCOUNT).await.status,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn iam_lets_bob_read_and_refuses_his_changes_whatever_his_token_says() {
    let client = TestClient::new(&[]);
    let id = client.public_client().await;
    let tokens = client.tokens(&id, "bob", &["read", "write", "delete"]).await;
    let bob = tokens["access_token"].as_str().unwrap();
    assert_eq!(client.get(&format!("{DEVELOPMENT}/topics"), bob).await.status, StatusCode::OK);
    let body = json!({"topicName": "mine", "partitions": 1, "replication": 1});
    let create = client.call(Method::POST, &format!("{DEVELOPMENT}/topics"), bob, Some(body)).await;
    let delete = client
        .call(Method::DELETE, &format!("{DEVELOPMENT}/consumers/legacy-export"), bob, None)
        .await;
    for (reply, action) in [(create, "kafka:CreateTopic"), (delete, "kafka:DeleteConsumerGroup")] {
        let problem = reply.json();
        assert_eq!(
            (reply.status, problem["type"].as_str()),
            (StatusCode::FORBIDDEN, Some("forbidden"))
        );
        assert!(problem["title"].as_str().unwrap().contains(action), "{problem}");
    }
}

#[tokio::test]
async fn a_name_is_a_name_and_never_another_route() {
    let client = TestClient::new(&[]);
    for (segment, name) in [
        ("a%2Fb", "a/b"),
        ("..%2F..%2Fusers", "../../users"),
        ("%2E%2E", ".."),
        ("orders%3Fx", "orders?x"),
        ("orders%23x", "orders#x"),
        ("%252F", "%2F"),
        ("caf%C3%A9", "café"),
    ] {
        let reply = client.get(&format!("{DEVELOPMENT}/topics/{segment}"), SERVICE_ACCOUNT).await;
        assert_eq!(reply.json()["error"], format!("topic [{name}] not found"), "{segment}");
    }
    let unknown =
        client.get(&format!("{DEVELOPMENT}/topics/../../../../users"), SERVICE_ACCOUNT).await;
    assert_eq!(
        (unknown.status, unknown.json()["type"].as_str()),
        (StatusCode::NOT_FOUND, Some("not_found"))
    );
}

#[tokio::test]
async fn datasets_are_searched_sorted_filtered_and_paged() {
    let client = TestClient::new(&[]);
    let list = async |query: &str| {
        client.get(
            &format!("{DEVELOPMENT}/v1/datasets?{query}"), SERVICE_ACCOUNT
        ).await.json()["datasets"].take()
    };
    let all = list("").await;
    assert_eq!((&all["totalCount"], &all["pagesAmount"]), (&json!(10), &json!(1)));
    assert_eq!(list("includeSystemEntities=true").await["totalCount"], 12);
    let page = list("page=2&pageSize=4&sortField=records&sortOrder=desc").await;
    assert_eq!(
        (names(&page["values"], "name"), &page["pagesAmount"]),
        (
            vec![
                "inventory_updates".to_owned(),
                "shipments".to_owned(),
                "customers".to_owned(),
                "products".to_owned()
            ],
            &json!(3)
        )
    );
    assert_eq!(names(&list("search=warehouse").await["values"], "name"), ["inventory_updates"]);
    assert_eq!(list("search=warehouse&searchFields=false").await["totalCount"], 0);
    assert_eq!(
        names(&list("tags=pii&tags=web").await["values"], "name"),
        ["customers", "page_views"]
    );
    assert_eq!(names(&list("hasRecords=false").await["values"], "name"), ["returns"]);
    assert_eq!(names(&list("isCompacted=true").await["values"], "name"), ["customers", "products"]);
    assert_eq!(list("connections=postgres").await["totalCount"], 0);
    assert_eq!(list("page=9").await["values"], json!([]));
    let one = client
        .get(&format!("{DEVELOPMENT}/v1/datasets/kafka/orders"), SERVICE_ACCOUNT)
        .await
        .json();
    assert_eq!(
        (&one["records"], &one["fields"]["value"][0]),
        (&json!(500), &json!({"name": "order_id", "type": "int"}))
    );
    assert_eq!(
        client
            .get(&format!("{DEVELOPMENT}/v1/datasets/postgres/orders"), SERVICE_ACCOUNT)
            .await
            .status,
        StatusCode::NOT_FOUND
    );
}
