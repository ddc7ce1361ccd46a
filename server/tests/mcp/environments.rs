//! Environments: requests to HQ's own API, and results.

use serde_json::{Value, json};

use crate::{
    client::Endpoint,
    exchange::refuses,
    hq::{Hq, Seen},
};

#[tokio::test]
async fn every_call_asks_hq_for_what_it_means() {
    let all = r#"{"items":[{"name":"dev"}]}"#;
    let connected = r#"{"name":"dev","status":{"agent_connected":true}}"#;
    let key = r#"{"name":"payments-eu","agent_key":"agent_1"}"#;
    let created = json!({ "name": "payments-eu", "agent_key": "agent_1" });
    for (tool, arguments, line, body, reply, gives) in [
        (
            "list_environments",
            json!({}),
            "GET",
            Value::Null,
            all,
            json!({ "result": [{ "name": "dev" }] }),
        ),
        (
            "get_environment",
            json!({ "name": "dev" }),
            "GET /dev",
            Value::Null,
            connected,
            serde_json::from_str(connected).unwrap(),
        ),
        (
            "create_environment",
            json!({ "name": "payments-eu" }),
            "POST",
            json!({ "name": "payments-eu", "tier": "development" }),
            key,
            created.clone(),
        ),
        (
            "create_environment",
            json!({ "name": "payments-eu", "display_name": "Payments (EU)", "tier": "production",
                "metadata": { "owner": ["a", "b"] } }),
            "POST",
            json!({ "name": "payments-eu", "display_name": "Payments (EU)", "tier": "production",
                "metadata": { "owner": ["a", "b"] } }),
            key,
            created,
        ),
    ] {
        let hq = Hq::answering(200, "application/json", reply).await;
        let result = Endpoint::new(&hq.url).call(tool, arguments).await;
        assert_eq!(
            (&result["structuredContent"], &result["isError"]),
            (&gives, &json!(false)),
            "{tool}: {result}"
        );
        let seen = hq.take();
        let [Seen { line: asked, body: sent, .. }] = seen.as_slice() else {
            panic!("{tool} asked {seen:?}")
        };
        let (method, path) = line.split_once(' ').unwrap_or((line, ""));
        assert_eq!(*asked, format!("{method} /lenses/api/v1/environments{path}"));
        assert_eq!(serde_json::from_str::<Value>(sent).unwrap_or_default(), body, "{tool}");
    }
}

#[tokio::test]
async fn health_is_told_whatever_hq_says_of_an_environment() {
    for (reply, gives) in [
        (
            concat!(
                r#"{"status":{"agent_connected":true,"#,
                r#""agent":{"metrics":{"kafka":{"num_brokers":3}}}}}"#,
            ),
            json!({ "environment": "dev", "healthy": true, "agent_connected": true, "issues": [],
                "summary": {
                    "kafka_brokers": 3, "topics": null, "consumers": null, "connectors": null
                } }),
        ),
        (
            r#"{"status":{"agent_connected":false}}"#,
            json!({ "environment": "dev", "healthy": false, "agent_connected": false,
                "issues": ["the agent is not connected to Lenses HQ"] }),
        ),
        (
            "{}",
            json!({ "environment": "dev", "healthy": false, "agent_connected": false,
                "issues": ["Lenses HQ does not say whether the agent is connected"] }),
        ),
    ] {
        let hq = Hq::answering(200, "application/json", reply).await;
        let result =
            Endpoint::new(&hq.url).call("check_environment_health", json!({ "name": "dev" })).await;
        assert_eq!(result["structuredContent"], gives);
        assert_eq!(hq.lines(), ["GET /lenses/api/v1/environments/dev"]);
    }
}

#[tokio::test]
async fn a_new_environment_needs_a_dns_label_and_a_known_tier() {
    let rule = "lower-case letters (a-z), digits and hyphens";
    let names =
        ["Dev", "dév", "-dev", "dev-", "dev_1", "dev.1", "d v", "../users", &"x".repeat(64)];
    refuses("create_environment", names.map(|name| (json!({ "name": name }), "name", rule))).await;
    let tiers = ["Production", "prod", " "];
    let allowed = "expected one of `development`, `staging`, `production`";
    refuses(
        "create_environment",
        tiers.map(|tier| (json!({ "name": "dev", "tier": tier }), "tier", allowed)),
    )
    .await;
}
