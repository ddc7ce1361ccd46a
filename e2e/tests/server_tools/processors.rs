use serde_json::{Value, json};

use crate::bench::{Bench, agent, with};

pub(crate) async fn all(bench: &Bench) {
    let listed = bench.shows("list_sql_processors", with(json!({})), "v2/streams").await;
    assert_eq!(listed["processors"].as_array().unwrap().len(), 2);
    let one = || with(json!({ "sql_processor_id": "lsql-big-orders" }));
    bench.shows("get_sql_processor", one(), "v2/streams/lsql-big-orders").await;
    let targets =
        bench.shows("get_deployment_targets", with(json!({})), "v1/deployment/targets").await;
    assert_eq!(
        targets["kubernetes"],
        json!([{ "cluster": "incluster", "namespaces": ["analytics", "lenses"] }])
    );
    logs(
        bench,
        "lsql-big-orders-1",
        "big-orders",
        "INSERT INTO big_orders SELECT STREAM * FROM orders WHERE amount > 100",
    )
    .await;

    let sql = "INSERT INTO late SELECT STREAM * FROM shipments WHERE delivered = false";
    let deployment = json!({
        "mode": "KUBERNETES",
        "details": { "runners": 2, "cluster": "incluster", "namespace": "analytics" }
    });
    let arguments = json!({
        "name": "late", "sql": sql, "sql_processor_id": "lsql-late", "description": "Late parcels",
        "tags": ["logistics"],
        "deployment": deployment,
    });
    let body = json!({
        "name": "late", "sql": sql, "processorId": "lsql-late", "description": "Late parcels",
        "tags": ["logistics"],
        "deployment": deployment,
    });
    let runner = |pod: &str| json!({ "id": pod, "pod": pod, "state": "RUNNING" });
    let created = json!({
        "id": "lsql-late", "name": "late", "sql": sql, "description": "Late parcels",
        "tags": ["logistics"],
        "deployment": deployment, "createdBy": "alice", "state": "RUNNING",
        "runners": [runner("lsql-late-0"), runner("lsql-late-1")],
    });
    bench
        .changes("create_sql_processor", with(arguments), ("POST", "v2/streams", body), &created)
        .await;
    let late = || with(json!({ "sql_processor_id": "lsql-late" }));
    assert_eq!(bench.shows("get_sql_processor", late(), "v2/streams/lsql-late").await, created);
    logs(bench, "lsql-late-0", "late", sql).await;

    // Fault 16: HQ requires a deployment, callers may leave it out.
    let body = json!({
        "name": "none", "sql": sql, "processorId": "lsql-none", "deployment": { "mode": "IN_PROC" }
    });
    let arguments = with(json!({ "name": "none", "sql": sql, "sql_processor_id": "lsql-none" }));
    let path = agent("v2/streams");
    let created = bench.call("create_sql_processor", arguments, &[("POST", &path, body)]).await;
    assert_eq!(
        (&created["deployment"], &created["runners"]),
        (&json!({ "mode": "IN_PROC" }), &json!([]))
    );

    let asked = ("DELETE", "v1/streams/lsql-late", Value::Null);
    let said = json!({
        "result": "SQL processor `lsql-late` was deleted from environment `development`."
    });
    bench.changes("delete_sql_processor", late(), asked, &said).await;
    let left = bench.shows("list_sql_processors", with(json!({})), "v2/streams").await;
    assert!(!left.to_string().contains("lsql-late"), "{left}");
}

async fn logs(bench: &Bench, pod: &str, name: &str, sql: &str) {
    let arguments = with(json!({ "cluster": "incluster", "namespace": "analytics", "pod": pod }));
    let path = agent(&format!("v1/k8s/logs/incluster/analytics/{pod}/download"));
    let log = format!("INFO processor {name} starts\nINFO {sql}\nINFO state is RUNNING\n");
    bench
        .gives("get_pod_logs", arguments, &[("GET", &path, Value::Null)], &json!({ "result": log }))
        .await;
}
