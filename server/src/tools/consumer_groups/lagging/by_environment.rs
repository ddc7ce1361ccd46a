//! For releases of HQ that do not know the groups of all environments: each environment's agent is
//! asked, within bounds.

use std::time::Duration;

use futures::{StreamExt, stream};
use serde::Serialize;
use serde_json::Value;
use tokio::time::{Instant, timeout_at};

use super::{Lagging, Source, fitting};
use crate::{
    lenses::{CallerClient, Error, GroupQuery, Name, Object, RawList},
    tools::{call::Call, consumer_groups::positions},
};

/// Most environments that are asked.
const ENVIRONMENTS_MAX: usize = 20;
/// Environments that are asked at the same time.
const AT_ONCE: usize = 4;
/// How long all of them may take together.
const WITHIN: Duration = Duration::from_secs(20);

/// A group, in the words of HQ's newer releases.
#[derive(Debug, PartialEq, Serialize)]
struct Group {
    environment: String,
    name: String,
    state: Option<String>,
    members: Option<i64>,
    /// Records to be read in the partitions whose lag is known; null when none is.
    lag: Option<i64>,
    topics: Vec<String>,
}

/// What `query` finds in each environment that is offered.
pub(super) async fn find(call: &Call, query: GroupQuery, most: usize) -> Result<Lagging, Error> {
    let (environments, mut notes) = match &query.environment {
        Some(name) => (vec![name.clone()], Vec::new()),
        None => offered(call).await?,
    };
    notes.insert(
        0,
        format!(
            "this release of Lenses HQ does not list the groups of all environments: {} \
             environments were asked one by one",
            environments.len()
        ),
    );
    let deadline = Instant::now() + WITHIN;
    let topic = query.topic.as_ref();
    let is_one = query.environment.is_some();
    let asked: Vec<_> = stream::iter(environments)
        .map(|environment| async move {
            let groups = timeout_at(deadline, groups_of(&call.lenses, &environment, topic)).await;
            let groups = match groups {
                Err(_) => Err(Error::TimedOut { after: WITHIN }),
                // Not every environment has the topic.
                Ok(Err(Error::NotFound(_))) if topic.is_some() && !is_one => Ok(RawList::default()),
                Ok(groups) => groups,
            };
            (environment, groups)
        })
        .buffered(AT_ONCE)
        .collect()
        .await;
    let mut groups = Vec::new();
    for (environment, found) in asked {
        match found {
            Ok(found) => {
                let found = found.iter().map(|group| group.parsed("id"));
                groups.extend(found.filter_map(|group| Group::of(&environment, &group, topic)));
            }
            // Whoever asks for one environment wants to know; sign-in must hear of a credential.
            Err(error @ Error::Unauthorized(_)) => return Err(error),
            Err(error) if is_one => return Err(error),
            Err(error) => notes.push(format!("`{environment}` is not in the result: {error}")),
        }
    }
    groups.retain(|group| group.meets(&query));
    // Those whose lag is not known come last.
    groups.sort_by(|left, right| (right.lag, &left.name).cmp(&(left.lag, &right.name)));
    let records = groups.iter().map(|group| {
        move |out: &mut String| out.push_str(&serde_json::to_string(group).unwrap_or_default())
    });
    Ok(Lagging {
        records: fitting(records, most, call.limits),
        total: groups.len(),
        source: Source::Environments,
        data_freshness: Value::Null,
        notes,
    })
}

/// The environments to ask, and notes about those that are not.
async fn offered(call: &Call) -> Result<(Vec<Name>, Vec<String>), Error> {
    let (mut names, mut away) = (Vec::new(), Vec::new());
    for environment in call.lenses.environments().await?.iter() {
        let Some(name) = environment.text("name").and_then(|name| name.parse::<Name>().ok()) else {
            continue;
        };
        if !call.policy.offers_in(name.as_str(), super::TOOL) {
            continue;
        }
        let status = environment.member("status");
        let status: Option<Value> = status.and_then(|json| serde_json::from_slice(json).ok());
        let is_away =
            status.is_some_and(|status| status.get("agent_connected") == Some(&false.into()));
        if is_away { &mut away } else { &mut names }.push(name);
    }
    let mut notes = Vec::new();
    if !away.is_empty() {
        let away: Vec<_> =
            away.iter().take(ENVIRONMENTS_MAX).map(|name| format!("`{name}`")).collect();
        notes.push(format!("not in the result, as no agent is connected: {}", away.join(", ")));
    }
    if names.len() > ENVIRONMENTS_MAX {
        notes.push(format!(
            "only {ENVIRONMENTS_MAX} of {} environments were asked: give `environment` for one of \
             the others",
            names.len()
        ));
        names.truncate(ENVIRONMENTS_MAX);
    }
    Ok((names, notes))
}

async fn groups_of(
    lenses: &CallerClient,
    environment: &Name,
    topic: Option<&Name>,
) -> Result<RawList, Error> {
    match topic {
        Some(topic) => lenses.consumer_groups_of(environment, topic).await,
        None => lenses.consumer_groups(environment).await,
    }
}

impl Group {
    /// The group that an agent shows; `None` without an id.
    fn of(environment: &Name, group: &Object, topic: Option<&Name>) -> Option<Self> {
        let mut committed = positions::committed(group);
        committed.retain(|entry| topic.is_none_or(|topic| entry.topic == topic.as_str()));
        let lags = committed.iter().filter_map(|entry| {
            let behind = || Some(entry.end?.saturating_sub(entry.offset?).max(0));
            entry.lag.or_else(behind)
        });
        let lag = lags.reduce(i64::saturating_add);
        let mut topics: Vec<_> = committed.into_iter().map(|entry| entry.topic).collect();
        topics.dedup();
        Some(Self {
            environment: environment.to_string(),
            name: group.get("id")?.as_str()?.to_owned(),
            state: group.get("state").and_then(Value::as_str).map(str::to_owned),
            members: group.get("consumersCount").and_then(Value::as_i64),
            lag,
            topics,
        })
    }

    fn meets(&self, query: &GroupQuery) -> bool {
        let has_text = |text: &String| self.name.to_lowercase().contains(&text.to_lowercase());
        let is_in = |state: &Name| {
            self.state.as_deref().is_some_and(|own| own.eq_ignore_ascii_case(state.as_str()))
        };
        query.name_contains.as_ref().is_none_or(has_text)
            && query.state.as_ref().is_none_or(is_in)
            && query.min_lag.is_none_or(|least| self.lag.is_some_and(|lag| lag >= least))
    }
}
