use serde_json::{Value, json};

use crate::bench::Bench;

pub(crate) async fn all(bench: &Bench) {
    let asked = [("GET", "environments", Value::Null)];
    let listed = bench.call("list_environments", json!({}), &asked).await;
    // HQ lists them in the order of their making, which is that of their names.
    assert_eq!(listed["result"], bench.read("environments").await["items"]);
    assert_eq!(listed["result"].as_array().unwrap().len(), 3);

    let development = json!({ "name": "development" });
    let asked = [("GET", "environments/development", Value::Null)];
    let whole = bench.read("environments/development").await;
    bench.gives("get_environment", development.clone(), &asked, &whole).await;
    let health = json!({
        "environment": "development", "healthy": true, "agent_connected": true, "issues": [],
        "summary": { "kafka_brokers": 3, "topics": 12, "consumers": 6, "connectors": 3 },
    });
    bench.gives("check_environment_health", development, &asked, &health).await;

    let new = json!({
        "name": "payments-eu", "tier": "staging", "display_name": "Payments",
        "metadata": { "owner": "a" }
    });
    let mut created =
        bench.call("create_environment", new.clone(), &[("POST", "environments", new)]).await;
    let key = created.as_object_mut().unwrap().remove("agent_key").unwrap();
    assert!(key.as_str().unwrap().starts_with("agent_key"), "{key}");
    assert_eq!(created, bench.read("environments/payments-eu").await);
    assert_eq!(
        (&created["tier"], &created["display_name"]),
        (&json!("staging"), &json!("Payments"))
    );
    let asked = [("GET", "environments/payments-eu", Value::Null)];
    let health = json!({
        "environment": "payments-eu", "healthy": false, "agent_connected": false,
        "issues": ["the agent is not connected to Lenses HQ"],
    });
    bench
        .gives("check_environment_health", json!({ "name": "payments-eu" }), &asked, &health)
        .await;
}
