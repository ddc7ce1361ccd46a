use serde_json::{Value, json};

use crate::bench::{Bench, agent, with};

pub(crate) async fn all(bench: &Bench) {
    let run = async |sql: &str| {
        let path = agent("ws/v2/sql/execute");
        bench
            .call(
                "execute_sql",
                with(json!({ "sql": sql })),
                &[("WEBSOCKET", &path, json!({ "sql": sql }))],
            )
            .await
    };
    let rows = run("SELECT * FROM refunds LIMIT 2").await;
    let values: Vec<_> =
        rows["result"].as_array().unwrap().iter().map(|row| row["value"].clone()).collect();
    assert_eq!(
        values,
        [
            json!({ "order_id": 1, "amount": 5.0, "reason": "damaged" }),
            json!({ "order_id": 21, "amount": 5.99, "reason": "late" }),
        ]
    );
    run("INSERT INTO returns (_key, order_id, reason) VALUES ('order-7', 7, 'too big')").await;
    let rows = run("SELECT * FROM returns").await;
    assert_eq!(rows["result"][0]["value"], json!({ "order_id": 7, "reason": "too big" }), "{rows}");
    assert_eq!(rows["result"].as_array().map(Vec::len), Some(1));
    assert_eq!(rows.get("cut"), None::<&Value>);
}
