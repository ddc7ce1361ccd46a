//! The consumer groups of all environments, the one that is furthest behind first:
//! `/api/v1/consumer-groups`. HQ has it from 6.3 on.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::hq::kafka::Kafka;
use crate::hq::kafka::consumers::{Committed, Group};
use crate::hq::problem::Problem;
use crate::hq::users::{Action, Caller};
use crate::hq::{Hq, lock};

/// Which groups are listed: those that meet all that is given.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Filters {
    name_contains: Option<String>,
    state: Option<String>,
    environment: Option<String>,
    topic: Option<String>,
    min_lag: Option<u64>,
}

impl Filters {
    fn take(&self, group: &Group, lag: u64) -> bool {
        self.name_contains.as_ref().is_none_or(|text| group.id.contains(text))
            && self.state.as_ref().is_none_or(|state| group.state == state)
            && self.topic.as_ref().is_none_or(|topic| group.reads(topic))
            && self.min_lag.is_none_or(|least| lag >= least)
    }
}

/// `GET /api/v1/consumer-groups`
pub(crate) async fn list(
    State(hq): State<Arc<Hq>>,
    caller: Caller,
    filters: Result<Query<Filters>, QueryRejection>,
) -> Result<Json<Value>, Problem> {
    if !hq.settings.consumer_groups {
        return Err(Problem::not_found("route"));
    }
    let Query(filters) = filters.map_err(|error| Problem::invalid_parameter(error.body_text()))?;
    caller.may(Action::ListConsumerGroups, "kafka:consumer-group:*")?;
    let mut found = Vec::new();
    for environment in hq.environments.all() {
        let is_asked = filters.environment.as_ref().is_none_or(|name| *name == environment.name);
        let Some(agent) = environment.agent.filter(|_| is_asked) else { continue };
        let kafka = lock(&agent.kafka);
        for group in kafka.groups() {
            let lag = lag(group, &kafka);
            if filters.take(group, lag) {
                found.push((lag, describe(group, lag, &environment.name)));
            }
        }
    }
    found.sort_by_key(|(lag, _)| Reverse(*lag));
    let items: Vec<_> = found.into_iter().map(|(_, group)| group).collect();
    Ok(Json(json!({ "items": items, "data_freshness": Timestamp::now().to_string() })))
}

fn lag(group: &Group, kafka: &Kafka) -> u64 {
    let behind = |committed: &Committed| {
        let topic = kafka.topic(&committed.topic);
        let end = topic.map_or(0, |topic| topic.log.end_offset(committed.partition));
        end.saturating_sub(committed.offset)
    };
    group.offsets.iter().map(behind).sum()
}

fn describe(group: &Group, lag: u64, environment: &str) -> Value {
    let topics: BTreeSet<_> = group.offsets.iter().map(|committed| &committed.topic).collect();
    json!({
        "environment": environment,
        "name": group.id,
        "state": group.state,
        "members": group.members,
        "lag": lag,
        "topics": topics,
    })
}

#[cfg(test)]
mod tests {
    use http::StatusCode;

    use crate::hq::test_client::{SERVICE_ACCOUNT, TestClient};

    const PATH: &str = "/api/v1/consumer-groups";

    async fn names(client: &TestClient, query: &str) -> Vec<String> {
        let found = client.get(&format!("{PATH}?{query}"), SERVICE_ACCOUNT).await.json();
        assert!(found["data_freshness"].is_string(), "{found}");
        let items = found["items"].as_array().unwrap();
        items.iter().map(|group| group["name"].as_str().unwrap().to_owned()).collect()
    }

    #[tokio::test]
    async fn groups_are_found_by_all_filters_the_furthest_behind_first() {
        let client = TestClient::new(&[]);
        assert_eq!(names(&client, "").await.len(), 306);
        assert_eq!(
            names(&client, "min_lag=101").await,
            ["analytics-nightly", "legacy-export", "fraud-model"]
        );
        assert_eq!(
            names(&client, "environment=development&topic=payments&state=Stable").await,
            ["payments-settlement"]
        );
        assert_eq!(names(&client, "name_contains=reader-29&environment=large").await.len(), 10);
        assert!(names(&client, "environment=disaster-recovery").await.is_empty());
    }

    #[tokio::test]
    async fn an_older_hq_lacks_the_route_and_a_newer_one_filters() {
        for (flags, query, status) in [
            (&["--consumer-groups=false"][..], "", StatusCode::NOT_FOUND),
            (&[], "min_lag=many", StatusCode::BAD_REQUEST),
            (&[], "limit=1", StatusCode::BAD_REQUEST),
        ] {
            let reply =
                TestClient::new(flags).get(&format!("{PATH}?{query}"), SERVICE_ACCOUNT).await;
            assert_eq!(reply.status, status, "{query}: {}", reply.text);
        }
        let reply = TestClient::new(&[]).get(PATH, "nobody").await;
        assert_eq!(reply.status, StatusCode::UNAUTHORIZED);
    }
}
