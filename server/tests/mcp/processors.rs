//! SQL processors: requests and results.

use serde_json::{Value, json};

use crate::exchange::{Exchange, refuses};

const JSON: &str = "application/json";

#[expect(clippy::needless_pass_by_value, reason = "a json! at the call reads better without &")]
fn create(extra: Value) -> Value {
    let mut arguments = json!({
        "environment": "dev", "name": "big", "sql": "INSERT INTO b SELECT STREAM * FROM a"
    });
    arguments.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    arguments
}

#[expect(clippy::needless_pass_by_value, reason = "a json! at the call reads better without &")]
fn creation(arguments: Value, extra: Value) -> Exchange {
    let mut body = json!({ "name": "big", "sql": "INSERT INTO b SELECT STREAM * FROM a" });
    body.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    Exchange {
        tool: "create_sql_processor",
        arguments: create(arguments),
        asks: "POST api/v2/streams",
        body,
        reply: (201, JSON, r#"{"processorId":"lsql-1"}"#),
        gives: json!({ "processorId": "lsql-1" }),
    }
}

#[tokio::test]
async fn processors_are_listed_shown_and_deleted() {
    for exchange in [
        Exchange {
            tool: "list_sql_processors",
            arguments: json!({ "environment": "dev" }),
            asks: "GET api/v2/streams",
            body: Value::Null,
            reply: (200, JSON, r#"{"processors":[{"id":"lsql-1"}]}"#),
            gives: json!({ "processors": [{ "id": "lsql-1" }] }),
        },
        Exchange {
            tool: "get_sql_processor",
            arguments: json!({ "environment": "dev", "sql_processor_id": "../x" }),
            asks: "GET api/v2/streams/..%2Fx",
            body: Value::Null,
            reply: (200, JSON, r#"{"id":"../x"}"#),
            gives: json!({ "id": "../x" }),
        },
        Exchange {
            tool: "delete_sql_processor",
            arguments: json!({ "environment": "dev", "sql_processor_id": "lsql-1" }),
            asks: "DELETE api/v1/streams/lsql-1",
            body: Value::Null,
            reply: (200, JSON, r#""Processor removed""#),
            gives: json!({ "result": "Processor removed" }),
        },
        Exchange {
            tool: "delete_sql_processor",
            arguments: json!({ "environment": "dev", "sql_processor_id": "lsql-1" }),
            asks: "DELETE api/v1/streams/lsql-1",
            body: Value::Null,
            reply: (204, "", ""),
            gives: json!({
                "result": "SQL processor `lsql-1` was deleted from environment `dev`."
            }),
        },
    ] {
        exchange.holds().await;
    }
}

#[tokio::test]
async fn a_processor_always_says_where_it_runs() {
    let in_process = json!({ "deployment": { "mode": "IN_PROC" } });
    creation(json!({}), in_process.clone()).holds().await;
    creation(json!({ "deployment": null }), in_process.clone()).holds().await;
    creation(in_process.clone(), in_process).holds().await;
    let pods = json!({ "deployment": { "mode": "KUBERNETES",
        "details": { "runners": 2, "cluster": "incluster", "namespace": "streams" } } });
    creation(pods.clone(), pods).holds().await;
}

#[tokio::test]
async fn what_is_given_of_a_processor_is_sent() {
    creation(
        json!({ "sql_processor_id": "lsql-1", "description": "Big\norders", "tags": ["fraud", "eu"],
            "deployment": {
                "mode": "KUBERNETES",
                "details": { "runners": "3", "cluster": "c", "namespace": "n" }
            } }),
        json!({ "processorId": "lsql-1", "description": "Big\norders", "tags": ["fraud", "eu"],
            "deployment": {
                "mode": "KUBERNETES", "details": { "runners": 3, "cluster": "c", "namespace": "n" }
            } }),
    )
    .holds()
    .await;
}

#[tokio::test]
async fn a_place_that_is_none_is_refused() {
    let place = |place: Value| create(json!({ "deployment": place }));
    let details = json!({ "runners": 1, "cluster": "c", "namespace": "n" });
    refuses(
        "create_sql_processor",
        [
            (
                place(json!({ "mode": "KUBERNETES" })), "deployment.details",
                "needs runners, cluster and namespace"
            ),
            (
                place(json!({ "mode": "IN_PROC", "details": details })), "deployment.details",
                "leave it out"
            ),
            (place(json!({ "mode": "in_proc" })), "deployment.mode", "`IN_PROC`"),
            (place(json!({ "details": details })), "deployment", "mode"),
            (
                place(
                    json!({
                        "mode": "KUBERNETES",
                        "details": { "runners": 0, "cluster": "c", "namespace": "n" }
                    })
                ),
                "deployment.details.runners",
                "from 1",
            ),
            (
                place(
                    json!({ "mode": "KUBERNETES", "details": { "cluster": "c", "namespace": "n" } })
                ),
                "deployment.details",
                "runners",
            ),
        ],
    )
    .await;
}
