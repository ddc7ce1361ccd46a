//! Resets of offsets that are only tried.

use serde_json::{Value, json};

use super::{hq, topic};
use crate::{
    client::{Endpoint, MODERN, read, request},
    hq::Hq,
};

#[tokio::test]
async fn a_dry_run_tells_what_would_move_and_sends_no_change() {
    // There is no route that changes anything: a change would fail.
    let consumers = json!([
        { "topic": "t", "partition": 0, "currentOffset": 40 },
        { "topic": "t", "partition": 1, "currentOffset": 3 },
    ]);
    let url = hq(
        json!({ "id": "g", "state": "Empty", "consumersCount": 0, "consumers": consumers }),
        json!({ "t": topic(&[(0, 30, 42), (1, 5, 5), (2, 0, 9)]) }),
    )
    .await;
    let endpoint = Endpoint::new(&url);
    let row = |partition: i64, from: Value, to: Value, (begin, end): (i64, i64), skips: Value| {
        json!({
            "topic": "t", "partition": partition, "from": from, "to": to, "begin": begin,
            "end": end,
            "skips": skips
        })
    };
    let first = "nothing was changed; offsets go on moving until the change is made";
    let time = "the agent does not tell which offset a time stands for: in each partition it would \
                be that of the first record that is not older than 2026-01-05T08:00:00Z, from \
                `begin` to `end`";
    let nowhere = "there is no offset 50 in this partition: Lenses may refuse it, and consumers \
                   would begin from their reset policy";
    let (none, null) = ("topic `t` has no partition 7", Value::Null);
    for (tool, extra, partitions, notes) in [
        (
            "update_consumer_group_offsets",
            json!({ "topics": ["t"], "reset_to": "start" }),
            json!([
                row(0, json!(40), json!(30), (30, 42), json!(-10)),
                row(1, json!(3), json!(5), (5, 5), json!(2)),
                row(2, null.clone(), json!(0), (0, 9), null.clone()),
            ]),
            json!([first]),
        ),
        (
            "update_consumer_group_offsets",
            json!({ "topics": ["t"], "reset_to": "end" }),
            json!([
                row(0, json!(40), json!(42), (30, 42), json!(2)),
                row(1, json!(3), json!(5), (5, 5), json!(2)),
                row(2, null.clone(), json!(9), (0, 9), null.clone()),
            ]),
            json!([first]),
        ),
        (
            "update_consumer_group_offsets",
            json!({ "topics": ["t"], "reset_to": "timestamp", "target": "2026-01-05T08:00:00Z" }),
            json!([
                row(0, json!(40), null.clone(), (30, 42), null.clone()),
                row(1, json!(3), json!(5), (5, 5), json!(2)),
                row(2, null.clone(), null.clone(), (0, 9), null.clone()),
            ]),
            json!([first, time]),
        ),
        (
            "update_consumer_partition_offset",
            json!({ "topic": "t", "partition": 0, "offset": 35 }),
            json!([row(0, json!(40), json!(35), (30, 42), json!(-5))]),
            json!([first]),
        ),
        (
            "update_consumer_partition_offset",
            json!({ "topic": "t", "partition": 0, "offset": 50 }),
            json!([row(0, json!(40), json!(50), (30, 42), json!(10))]),
            json!([first, nowhere]),
        ),
        (
            "update_consumer_partition_offset",
            json!({ "topic": "t", "partition": 7, "offset": 0 }),
            json!([]),
            json!([first, none]),
        ),
    ] {
        let mut arguments = json!({ "environment": "dev", "group_id": "g", "dry_run": true });
        arguments.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        let result = endpoint.call(tool, arguments.clone()).await;
        let gives = json!({
            "dry_run": true, "group_id": "g", "refused": false, "partitions": partitions,
            "notes": notes
        });
        assert_eq!(result["structuredContent"], gives, "{arguments}");
    }
}

#[tokio::test]
async fn a_topic_that_hq_names_is_one_segment_of_the_path_too() {
    let consumers = json!([
        { "topic": "../../users", "partition": 0, "currentOffset": 1, "lag": 2 },
        { "topic": "..", "partition": 0 },
    ]);
    let hq = Hq::giving(&json!([{ "id": "g", "consumers": consumers }])).await;
    let arguments = json!({ "environment": "dev", "group_id": "g" });
    Endpoint::new(&hq.url).call("get_consumer_group_lag", arguments).await;
    let agent = "/lenses/api/v1/environments/dev/proxy/api";
    assert_eq!(
        hq.lines(),
        [format!("GET {agent}/consumers"), format!("GET {agent}/topics/..%2F..%2Fusers")]
    );
}

#[tokio::test]
async fn a_dry_run_reports_kafkas_refusal_and_unknown_values() {
    for (group, refused, said) in [
        (json!({ "id": "g", "state": "Stable" }), json!(true), "has active members"),
        (json!({ "id": "g" }), Value::Null, "does not tell whether the group has active members"),
    ] {
        let endpoint = Endpoint::new(&hq(group, json!({ "t": {} })).await);
        let arguments = json!({
            "environment": "dev", "group_id": "g", "topics": ["t"], "reset_to": "end",
            "dry_run": true
        });
        let result =
            endpoint.call("update_consumer_group_offsets", arguments).await["structuredContent"]
                .clone();
        assert_eq!((&result["refused"], &result["partitions"]), (&refused, &json!([])));
        let notes = result["notes"].to_string();
        assert!(
            notes.contains(said) && notes.contains("does not tell the offsets of topic `t`"),
            "{notes}"
        );
    }
}

#[tokio::test]
async fn moving_offsets_requires_confirmation_unless_it_is_a_real_dry_run() {
    let hq = Hq::giving(&json!([{ "id": "g", "state": "Empty" }])).await;
    let endpoint = Endpoint::new(&hq.url);
    for (dry_run, asked) in [
        (None, true),
        (Some(json!(false)), true),
        (Some(json!("false")), true),
        (Some(json!("FALSE")), true),
        (Some(json!(true)), false),
        (Some(json!("true")), false),
    ] {
        for (tool, mut arguments) in [
            ("update_consumer_group_offsets", json!({ "topics": ["t"], "reset_to": "end" })),
            (
                "update_consumer_partition_offset",
                json!({ "topic": "t", "partition": 0, "offset": 1 }),
            ),
        ] {
            let fields = arguments.as_object_mut().unwrap();
            fields.extend([
                ("environment".to_owned(), json!("dev")),
                ("group_id".to_owned(), json!("g")),
            ]);
            fields.extend(dry_run.clone().map(|dry_run| ("dry_run".to_owned(), dry_run)));
            let (_, reply) = read(endpoint.send(asking(tool, &arguments)).await).await;
            assert_eq!(
                reply["result"]["resultType"] == "input_required",
                asked,
                "{arguments}: {reply}"
            );
        }
    }
    assert!(hq.lines().iter().all(|line| line.starts_with("GET ")), "{:?}", hq.lines());
}

/// A call by a client that can show forms.
fn asking(tool: &str, arguments: &Value) -> http::Request<http_body_util::Full<bytes::Bytes>> {
    let capabilities =
        json!({ "io.modelcontextprotocol/clientCapabilities": { "elicitation": {} } });
    request(
        MODERN,
        "tools/call",
        json!({ "name": tool, "arguments": arguments, "_meta": capabilities }),
    )
}
