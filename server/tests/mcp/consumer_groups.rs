//! Consumer groups: requests and results.

mod dry_run;

use axum::{Json, Router, extract::Path, http::StatusCode, routing::get};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use url::Url;

use crate::{
    client::Endpoint,
    exchange::{Exchange, refuses},
};

const JSON: &str = "application/json";

fn group(extra: &Value) -> Value {
    let mut arguments = json!({ "environment": "dev", "group_id": "g/1" });
    arguments.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    arguments
}

#[tokio::test]
async fn every_look_at_groups_asks_hq_for_what_it_means() {
    let groups = r#"[{"id":"b"},{"id":"a","state":"Empty"}]"#;
    let sorted = json!({ "result": [{ "id": "a", "state": "Empty" }, { "id": "b" }] });
    for (tool, arguments, asks) in [
        ("list_consumer_groups", json!({ "environment": "dev" }), "GET api/consumers"),
        (
            "list_consumer_groups_by_topic",
            json!({ "environment": "dev", "topic": "a.b" }),
            "GET api/consumers/a.b",
        ),
    ] {
        let gives = sorted.clone();
        Exchange { tool, arguments, asks, body: Value::Null, reply: (200, JSON, groups), gives }
            .holds()
            .await;
    }
}

#[tokio::test]
async fn every_change_of_offsets_asks_hq_for_what_it_means() {
    let topics = json!(["orders", "a.b"]);
    for (tool, arguments, asks, body) in [
        (
            "update_consumer_group_offsets",
            group(&json!({ "topics": topics, "reset_to": "start" })),
            "PUT api/consumers/g%2F1/offsets",
            json!({ "type": "start", "topics": topics }),
        ),
        (
            "update_consumer_group_offsets",
            group(&json!({
                "topics": topics, "reset_to": "end", "target": "2026-01-05T08:00:00Z",
                "dry_run": "false"
            })),
            "PUT api/consumers/g%2F1/offsets",
            json!({ "type": "end", "topics": topics }),
        ),
        (
            "update_consumer_group_offsets",
            group(&json!({
                "topics": topics, "reset_to": "timestamp",
                "target": "2026-01-05T10:00:00.5+02:00"
            })),
            "PUT api/consumers/g%2F1/offsets",
            json!({ "type": "timestamp", "topics": topics, "target": "2026-01-05T08:00:00.5Z" }),
        ),
        (
            "update_consumer_partition_offset",
            group(&json!({ "topic": "a.b", "partition": "2", "offset": 41 })),
            "PUT api/consumers/g%2F1/offsets/topics/a.b/partitions/2",
            json!({ "type": "absolute", "offset": 41 }),
        ),
        (
            "delete_consumer_group_offsets",
            group(&json!({ "topics": topics })),
            "POST api/consumers/g%2F1/offsets/delete",
            json!({ "topics": topics }),
        ),
        (
            "delete_consumer_partition_offset",
            group(&json!({ "topic": "a.b", "partition": 2 })),
            "DELETE api/consumers/g%2F1/topics/a.b/partitions/2/offsets",
            Value::Null,
        ),
        ("delete_consumer_group", group(&json!({})), "DELETE api/consumers/g%2F1", Value::Null),
    ] {
        Exchange {
            tool,
            arguments,
            asks,
            body,
            reply: (200, JSON, ""),
            gives: json!({ "success": true }),
        }
        .holds()
        .await;
    }
}

#[tokio::test]
async fn a_reset_to_a_time_requires_a_time_with_its_offset() {
    let reset = |target: Value| {
        group(&json!({ "topics": ["t"], "reset_to": "timestamp", "target": target }))
    };
    let bad = [
        "yesterday",
        "2026-01-05",
        "2026-01-05T08:00:00",
        "1767600000000",
        "2026-13-05T08:00:00Z",
        "../",
    ];
    let calls = bad.map(|target| (reset(json!(target)), "target", "is no time with its offset"));
    refuses("update_consumer_group_offsets", calls).await;
    refuses("update_consumer_group_offsets", [(reset(Value::Null), "target", "is missing")]).await;
}

/// An HQ with one group and the topics that it reads.
async fn hq(group: Value, topics: Value) -> Url {
    let (groups, shown) = (json!([{ "id": "other" }, group]), topics);
    let listed = groups.clone();
    let app = Router::new()
        .route("/api/v1/environments/dev/proxy/api/consumers", get(async || Json(groups)))
        .route("/api/v1/environments/dev/proxy/api/consumers/{topic}", get(async || Json(listed)))
        .route(
            "/api/v1/environments/dev/proxy/api/topics/{topic}",
            get(async move |Path(topic): Path<String>| match shown.get(&topic) {
                Some(topic) => (StatusCode::OK, Json(topic.clone())),
                None => (StatusCode::NOT_FOUND, Json(json!({ "error": "no such topic" }))),
            }),
        );
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    url
}

fn topic(partitions: &[(i64, i64, i64)]) -> Value {
    let partition = |(partition, begin, end): &(i64, i64, i64)| {
        json!({
            "partition": partition, "begin": begin, "end": end
        })
    };
    json!({ "messagesPerPartition": partitions.iter().map(partition).collect::<Vec<_>>() })
}

#[tokio::test]
async fn lag_is_given_by_partition_topic_and_total_with_null_for_unknown() {
    let url = hq(
        json!({ "id": "g", "state": "Stable", "consumersCount": 1, "consumers": [
            {
                "topic": "b", "partition": 0, "currentOffset": 7, "logEndOffset": 10, "lag": 3,
                "consumerId": "g-0"
            },
            { "topic": "a", "partition": 0, "currentOffset": 40 },
            { "topic": "a", "partition": 1, "currentOffset": 8 },
            { "topic": "a", "partition": 9, "currentOffset": 5 },
        ] }),
        json!({ "a": topic(&[(0, 30, 42), (1, 0, 7), (2, 0, 50)]), "b": topic(&[(0, 0, 11)]) }),
    )
    .await;
    let row = |partition: i64, committed: Value, end: Value, lag: Value, consumer: Value| {
        json!({
            "partition": partition, "committed_offset": committed, "end_offset": end, "lag": lag,
            "consumer_id": consumer
        })
    };
    let b = json!({
        "topic": "b", "lag": 3, "partitions": [row(0, json!(7), json!(10), json!(3), json!("g-0"))]
    });
    let endpoint = Endpoint::new(&url);
    let result = endpoint
        .call("get_consumer_group_lag", json!({ "environment": "dev", "group_id": "g" }))
        .await;
    assert_eq!(
        result["structuredContent"],
        json!({
            "group_id": "g", "state": "Stable", "members": 1, "total_lag": 5,
            "topics": [
                { "topic": "a", "lag": 2, "partitions": [
                    row(0, json!(40), json!(42), json!(2), Value::Null),
                    row(1, json!(8), json!(7), json!(0), Value::Null),
                    row(2, Value::Null, json!(50), Value::Null, Value::Null),
                    row(9, json!(5), Value::Null, Value::Null, Value::Null),
                ] },
                b,
            ],
            "notes": [
                "for 1 partitions the group has committed nothing: where it will begin is up to \
                 its reset policy, so that they are not in the sums",
                "the ends of 1 partitions are not known, so that they are not in the sums",
            ],
        })
    );
    let arguments = json!({ "environment": "dev", "group_id": "g", "topic": "b" });
    let result = endpoint.call("get_consumer_group_lag", arguments).await;
    assert_eq!(
        result["structuredContent"],
        json!({
            "group_id": "g", "state": "Stable", "members": 1, "total_lag": 3, "topics": [b],
            "notes": []
        })
    );
}

#[tokio::test]
async fn a_silent_groups_lag_is_unknown_and_a_missing_groups_an_error() {
    let endpoint = Endpoint::new(&hq(json!({ "id": "g" }), json!({})).await);
    let result = endpoint
        .call("get_consumer_group_lag", json!({ "environment": "dev", "group_id": "g" }))
        .await;
    assert_eq!(
        result["structuredContent"],
        json!({ "group_id": "g", "state": null, "members": null, "total_lag": null, "topics": [],
            "notes": [
                "Lenses tells no committed offset of this group, so that its lag is not known"
            ] })
    );
    for arguments in [
        json!({ "environment": "dev", "group_id": "h" }),
        json!({ "environment": "dev", "group_id": "h", "topic": "t" }),
    ] {
        let text = endpoint.failure("get_consumer_group_lag", arguments).await;
        assert!(text.starts_with("not found: Lenses lists no consumer group `h`"), "{text}");
    }
    // A topic that is gone: the group's own numbers stand.
    let consumers =
        json!([{ "topic": "gone", "partition": 0, "currentOffset": 1, "logEndOffset": 4 }]);
    let endpoint =
        Endpoint::new(&hq(json!({ "id": "g", "consumers": consumers }), json!({})).await);
    let result = endpoint
        .call("get_consumer_group_lag", json!({ "environment": "dev", "group_id": "g" }))
        .await;
    assert_eq!(result["structuredContent"]["total_lag"], 3, "{result}");
    assert!(
        result["structuredContent"]["notes"][0].as_str().unwrap().contains("no such topic"),
        "{result}"
    );
}
