use lenses_mcp_e2e::client::Revision;
use serde_json::{Value, json};

use crate::bench::{Bench, agent, success, with};

/// A group in which nobody is: 100 behind in each of the three partitions of `shipments`, which
/// have 100 records each.
const GROUP: &str = "legacy-export";

fn group(extra: Value) -> Value {
    let mut arguments = with(json!({ "group_id": GROUP }));
    let Value::Object(extra) = extra else { unreachable!("arguments are an object") };
    arguments.as_object_mut().unwrap().extend(extra);
    arguments
}

/// What the tool for lag says of the committed offsets.
async fn committed(bench: &Bench) -> Vec<Value> {
    let (groups, topic) = (agent("consumers"), agent("topics/shipments"));
    let asked = [("GET", groups.as_str(), Value::Null), ("GET", topic.as_str(), Value::Null)];
    let lag = bench.call("get_consumer_group_lag", group(json!({})), &asked).await;
    lag["topics"][0]["partitions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["committed_offset"].clone())
        .collect()
}

pub(crate) async fn all(bench: &Bench) {
    bench.lists("list_consumer_groups", with(json!({})), "consumers", "id").await;
    let arguments = with(json!({ "topic": "payments" }));
    let groups =
        bench.lists("list_consumer_groups_by_topic", arguments, "consumers/payments", "id").await;
    let ids: Vec<_> = groups.as_array().unwrap().iter().map(|group| &group["id"]).collect();
    assert_eq!(ids, ["analytics-nightly", "fraud-model", "payments-settlement"]);

    let (groups, topic) = (agent("consumers/shipments"), agent("topics/shipments"));
    let asked = [("GET", groups.as_str(), Value::Null), ("GET", topic.as_str(), Value::Null)];
    let row = |partition: i64| {
        json!({
            "partition": partition, "committed_offset": 0, "end_offset": 100, "lag": 100,
            "consumer_id": null
        })
    };
    let lag = json!({
        "group_id": GROUP, "state": "Empty", "members": 0, "total_lag": 300,
        "topics": [{ "topic": "shipments", "lag": 300, "partitions": [row(0), row(1), row(2)] }],
        "notes": [],
    });
    bench
        .gives("get_consumer_group_lag", group(json!({ "topic": "shipments" })), &asked, &lag)
        .await;
    lagging(bench).await;
    moves(bench).await;
    deletions(bench).await;
}

async fn lagging(bench: &Bench) {
    let gives = bench
        .call(
            "find_lagging_consumer_groups",
            json!({ "name_contains": "export", "topic": "shipments", "min_lag": 1 }),
            &[(
                "GET",
                "consumer-groups?name_contains=export&topic=shipments&min_lag=1",
                Value::Null,
            )],
        )
        .await;
    let group = json!({ "environment": "development", "name": GROUP, "state": "Empty",
        "members": 0, "lag": 300, "topics": ["shipments"] });
    assert_eq!(gives["result"], json!([group]));
    assert_eq!((&gives["about"]["source"], &gives["about"]["total"]), (&json!("hq"), &json!(1)));
    assert!(gives["about"]["data_freshness"].is_string(), "{gives}");
    let path = "consumer-groups?environment=development";
    let all = json!({ "environment": "development" });
    let asked = [("GET", path, Value::Null)];
    let gives = bench.call("find_lagging_consumer_groups", all, &asked).await;
    assert_eq!(gives["result"], bench.read(path).await["items"]);
    let lags: Vec<_> =
        gives["result"].as_array().unwrap().iter().map(|group| group["lag"].as_i64()).collect();
    assert!(lags.len() > 3 && lags.is_sorted_by(|left, right| left >= right), "{lags:?}");
}

/// An HQ that does not list the groups of all environments.
#[tokio::test]
async fn an_older_hq_gives_the_same_groups_environment_by_environment() {
    let revision = Revision::V2026_07_28;
    let newer = Bench::start(revision).await;
    let older = Bench::start_with(revision, &["--consumer-groups=false"]).await;
    let arguments = || json!({ "min_lag": 99 });
    let (expected, _) = newer.ask("find_lagging_consumer_groups", arguments()).await;
    let (given, asked) = older.ask("find_lagging_consumer_groups", arguments()).await;
    assert_eq!(given["result"].as_array().unwrap().len(), 50);
    assert_eq!(given["about"]["total"], expected["about"]["total"]);
    assert_eq!(given["result"][0], expected["result"][0]);
    assert_eq!(given["about"]["source"], "environments");
    assert!(given["about"]["notes"].to_string().contains("`disaster-recovery`"), "{given}");
    let mut targets: Vec<_> = asked.iter().map(|seen| seen["target"].as_str().unwrap()).collect();
    targets.sort_unstable();
    assert_eq!(
        targets,
        [
            "/api/v1/consumer-groups?min_lag=99",
            "/api/v1/environments",
            "/api/v1/environments/development/proxy/api/consumers",
            "/api/v1/environments/large/proxy/api/consumers",
        ]
    );
}

async fn moves(bench: &Bench) {
    let (groups, topic) = (agent("consumers"), agent("topics/shipments"));
    let looks = [("GET", groups.as_str(), Value::Null), ("GET", topic.as_str(), Value::Null)];
    let row = |partition: i64, to: i64| {
        json!({
            "topic": "shipments", "partition": partition, "from": 0, "to": to, "begin": 0,
            "end": 100,
            "skips": to
        })
    };
    let dry_run = |moves: Value| {
        let note = "nothing was changed; offsets go on moving until the change is made";
        json!({
            "dry_run": true, "group_id": GROUP, "refused": false, "partitions": moves,
            "notes": [note]
        })
    };
    let to_end = json!({ "topics": ["shipments"], "reset_to": "end", "dry_run": true });
    let gives = dry_run(json!([row(0, 100), row(1, 100), row(2, 100)]));
    bench.gives("update_consumer_group_offsets", group(to_end), &looks, &gives).await;
    let to_41 = json!({ "topic": "shipments", "partition": 1, "offset": 41, "dry_run": true });
    bench
        .gives(
            "update_consumer_partition_offset",
            group(to_41),
            &looks,
            &dry_run(json!([row(1, 41)])),
        )
        .await;
    assert_eq!(committed(bench).await, [0, 0, 0], "a dry run changed something");

    // The first record is of 08:00:00, each next one of a second later, and partitions are filled
    // in turn.
    for (arguments, body, offsets) in [
        (json!({ "reset_to": "end" }), json!({ "type": "end" }), [100, 100, 100]),
        (json!({ "reset_to": "start" }), json!({ "type": "start" }), [0, 0, 0]),
        (
            json!({ "reset_to": "timestamp", "target": "2026-01-05T08:00:31Z" }),
            json!({ "type": "timestamp", "target": "2026-01-05T08:00:31Z" }),
            [11, 10, 10],
        ),
    ] {
        let (mut arguments, mut body) = (arguments, body);
        (arguments["topics"], body["topics"]) = (json!(["shipments"]), json!(["shipments"]));
        let asked = ("PUT", "consumers/legacy-export/offsets", body);
        bench.changes("update_consumer_group_offsets", group(arguments), asked, &success()).await;
        assert_eq!(committed(bench).await, offsets);
    }
    let asked = (
        "PUT",
        "consumers/legacy-export/offsets/topics/shipments/partitions/1",
        json!({ "type": "absolute", "offset": 41 }),
    );
    let arguments = group(json!({ "topic": "shipments", "partition": 1, "offset": 41 }));
    bench.changes("update_consumer_partition_offset", arguments, asked, &success()).await;
    assert_eq!(committed(bench).await, [11, 41, 10]);
}

async fn deletions(bench: &Bench) {
    let asked =
        ("DELETE", "consumers/legacy-export/topics/shipments/partitions/1/offsets", Value::Null);
    let arguments = group(json!({ "topic": "shipments", "partition": 1 }));
    bench.changes("delete_consumer_partition_offset", arguments, asked, &success()).await;
    assert_eq!(committed(bench).await, [json!(11), Value::Null, json!(10)]);

    let asked =
        ("POST", "consumers/legacy-export/offsets/delete", json!({ "topics": ["shipments"] }));
    let arguments = group(json!({ "topics": ["shipments"] }));
    bench.changes("delete_consumer_group_offsets", arguments, asked, &success()).await;
    let groups = agent("consumers");
    let nothing = json!({
        "group_id": GROUP, "state": "Empty", "members": 0, "total_lag": null, "topics": [],
        "notes": ["Lenses tells no committed offset of this group, so that its lag is not known"],
    });
    bench
        .gives(
            "get_consumer_group_lag",
            group(json!({})),
            &[("GET", &groups, Value::Null)],
            &nothing,
        )
        .await;

    let asked = ("DELETE", "consumers/legacy-export", Value::Null);
    bench.changes("delete_consumer_group", group(json!({})), asked, &success()).await;
    let left = bench.lists("list_consumer_groups", with(json!({})), "consumers", "id").await;
    assert!(!left.to_string().contains(GROUP), "{left}");
}
