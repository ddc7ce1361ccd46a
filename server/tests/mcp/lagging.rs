//! The groups that are behind in all environments: one call of a new HQ, bounded ones of an older.

use lenses_mcp_server::{policy, settings::Confirm};
use serde_json::{Value, json};

use crate::{
    client::{Endpoint, Limits},
    hq::Hq,
};

const TOOL: &str = "find_lagging_consumer_groups";

fn offering(hq: &Hq, environments: &[&str]) -> Endpoint {
    let environments = environments.iter().map(|name| name.parse().unwrap()).collect();
    let options = policy::Options { environments, ..policy::Options::default() };
    Endpoint::with(&hq.url, Limits::default(), Confirm::Destructive, Some(options))
}

fn names(result: &Value) -> Vec<&str> {
    let groups = result["structuredContent"]["result"].as_array().unwrap();
    groups.iter().map(|group| group["name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn one_call_finds_the_groups_of_all_environments() {
    let groups = json!([
        { "name": "b", "environment": "prod", "lag": 9 },
        { "name": "a", "environment": "dev", "lag": 7 },
    ]);
    let hq = Hq::giving(&json!({ "items": groups, "data_freshness": { "dev": "2 s" } })).await;
    let endpoint = Endpoint::new(&hq.url);
    let result = endpoint.call(TOOL, json!({})).await;
    assert_eq!(
        result["structuredContent"],
        json!({
            "result": groups,
            "about": {
                "source": "hq", "total": 2, "data_freshness": { "dev": "2 s" }, "notes": [],
            },
        })
    );
    assert!(result["content"][1]["text"].as_str().unwrap().contains("data_freshness"), "{result}");
    assert_eq!(hq.lines(), ["GET /lenses/api/v1/consumer-groups"]);
}

#[tokio::test]
async fn what_is_looked_for_is_asked_of_hq() {
    let hq = Hq::giving(&json!([])).await;
    let arguments = json!({ "environment": "dev", "name_contains": "a&b", "state": "Stable",
        "topic": "orders", "min_lag": "7" });
    Endpoint::new(&hq.url).call(TOOL, arguments).await;
    let query = "name_contains=a%26b&state=Stable&environment=dev&topic=orders&min_lag=7";
    assert_eq!(hq.lines(), [format!("GET /lenses/api/v1/consumer-groups?{query}")]);
}

#[tokio::test]
async fn groups_of_environments_that_are_not_offered_are_left_out() {
    let groups = json!([
        { "name": "a", "environment": "prod" },
        { "name": "b", "environment": "dev" },
        { "name": "c", "environment": { "name": "dev" } },
        { "name": "d", "environment": { "name": "prod" } },
        { "name": "e" },
    ]);
    let hq = Hq::giving(&groups).await;
    let result = offering(&hq, &["dev"]).call(TOOL, json!({})).await;
    assert_eq!(names(&result), ["b", "c"]);
    assert!(result.to_string().contains("does not offer are left out"), "{result}");
    let refused = offering(&hq, &["dev"]).failure(TOOL, json!({ "environment": "prod" })).await;
    assert!(refused.contains("MCP_ENVIRONMENTS"), "{refused}");
    let all = Endpoint::new(&hq.url).call(TOOL, json!({})).await;
    assert_eq!(names(&all), ["a", "b", "c", "d", "e"]);
}

#[tokio::test]
async fn of_many_groups_the_first_are_given_and_the_rest_is_counted() {
    let groups: Vec<_> = (0..9).map(|number| json!({ "name": format!("g{number}") })).collect();
    let hq = Hq::giving(&json!(groups)).await;
    let result = Endpoint::new(&hq.url).call(TOOL, json!({ "limit": 2 })).await;
    assert_eq!(names(&result), ["g0", "g1"]);
    assert_eq!(result["structuredContent"]["about"]["total"], 9);
    let cut = Endpoint::cutting(&hq.url, Limits::default(), 40).call(TOOL, json!({})).await;
    assert!(cut.to_string().contains("only the first 2 of 9 groups are shown"), "{cut}");
}

fn environment(name: &str) -> Value {
    json!({ "name": name, "status": { "agent_connected": name != "away" } })
}

fn group(id: &str, state: &str, lags: &[i64]) -> Value {
    let consumers = lags.iter().enumerate().map(|(partition, lag)| {
        json!({ "topic": "orders", "partition": partition, "currentOffset": 1, "lag": lag })
    });
    json!({ "id": id, "state": state, "consumersCount": 1,
        "consumers": consumers.collect::<Vec<_>>() })
}

/// An HQ that does not list the groups of all environments.
async fn older() -> Hq {
    let names = ["dev", "away", "prod", "broken"];
    let items: Vec<_> = names.iter().map(|name| environment(name)).collect();
    Hq::with(&[
        ("", json!({ "items": items })),
        (
            "/dev/proxy/api/consumers",
            json!([group("billing", "Stable", &[1, 2]), group("idle", "Empty", &[])]),
        ),
        (
            "/prod/proxy/api/consumers",
            json!([group("Billing-EU", "Empty", &[40]), group("audit", "Stable", &[5])]),
        ),
        ("/prod/proxy/api/consumers/orders", json!([group("audit", "Stable", &[5])])),
    ])
    .await
}

#[tokio::test]
async fn an_older_hq_is_asked_environment_by_environment_and_that_is_said() {
    let hq = older().await;
    let result = Endpoint::new(&hq.url).call(TOOL, json!({})).await;
    assert_eq!(names(&result), ["Billing-EU", "audit", "billing", "idle"]);
    let found = &result["structuredContent"];
    assert_eq!(
        found["result"][2],
        json!({ "environment": "dev", "name": "billing", "state": "Stable", "members": 1,
            "lag": 3, "topics": ["orders"] })
    );
    assert_eq!(found["result"][3]["lag"], Value::Null);
    assert_eq!(found["about"]["source"], "environments");
    let notes = found["about"]["notes"].to_string();
    for said in ["3 environments were asked one by one", "`away`", "`broken` is not in the result"]
    {
        assert!(notes.contains(said), "{said}: {notes}");
    }
    let mut asked = hq.lines();
    asked.sort();
    let agent = |name: &str| format!("GET /lenses/api/v1/environments/{name}/proxy/api/consumers");
    assert_eq!(
        asked,
        [
            "GET /lenses/api/v1/consumer-groups".to_owned(),
            "GET /lenses/api/v1/environments".to_owned(),
            agent("broken"),
            agent("dev"),
            agent("prod"),
        ]
    );
}

#[tokio::test]
async fn an_older_hq_gives_what_is_looked_for() {
    let hq = older().await;
    let endpoint = Endpoint::new(&hq.url);
    for (arguments, expected) in [
        (json!({ "name_contains": "BILL" }), vec!["Billing-EU", "billing"]),
        (json!({ "state": "stable" }), vec!["audit", "billing"]),
        (json!({ "min_lag": 4 }), vec!["Billing-EU", "audit"]),
        (json!({ "topic": "orders" }), vec!["audit"]),
        (json!({ "environment": "dev" }), vec!["billing", "idle"]),
        (json!({ "limit": 1 }), vec!["Billing-EU"]),
    ] {
        assert_eq!(names(&endpoint.call(TOOL, arguments.clone()).await), expected, "{arguments}");
    }
    let offered = offering(&hq, &["dev"]).call(TOOL, json!({})).await;
    assert_eq!(names(&offered), ["billing", "idle"]);
    let unknown = endpoint.failure(TOOL, json!({ "environment": "none" })).await;
    assert!(unknown.starts_with("not found"), "{unknown}");
}

#[tokio::test]
async fn an_older_hq_is_asked_for_twenty_environments_at_most() {
    let items: Vec<_> = (0..30).map(|number| environment(&format!("e{number}"))).collect();
    let hq = Hq::with(&[("", json!({ "items": items }))]).await;
    let result = Endpoint::new(&hq.url).call(TOOL, json!({})).await;
    assert!(result.to_string().contains("only 20 of 30 environments were asked"), "{result}");
    assert_eq!(hq.lines().len(), 2 + 20);
}

#[tokio::test]
async fn only_a_list_that_is_not_there_is_looked_for_elsewhere() {
    for (status, said) in
        [(403, "does not allow this"), (500, "Lenses failed"), (401, "credential")]
    {
        let hq = Hq::answering(status, "application/json", "{}").await;
        let text = Endpoint::new(&hq.url).failure(TOOL, json!({})).await;
        assert!(text.contains(said), "{text}");
        assert_eq!(hq.lines().len(), 1);
    }
}
