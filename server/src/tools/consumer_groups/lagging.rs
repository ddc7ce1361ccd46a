//! Which groups are behind, in all environments: asked of HQ at once, or of one environment after
//! the other if HQ is of a release that can't tell.

mod by_environment;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::{
    lenses::{Error, GroupQuery, GroupsByLag, Name, RawList, RawRecord},
    tools::{
        arguments::{Int, KnownEnvironmentName, Text, TopicName},
        asked::Offer,
        call::{Call, Limits},
        output::{Output, Records},
        result::ToolResult,
    },
};

/// The tool's name.
pub(super) const TOOL: &str = "find_lagging_consumer_groups";
/// Most groups in one result.
type Most = Int<1, 1_000>;
/// Up to the largest number that every JSON reader holds exactly (RFC 8259 §6).
type Lag = Int<0, 9_007_199_254_740_991>;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct FindLagging {
    /// Only this environment.
    #[serde(default)]
    environment: Option<KnownEnvironmentName>,
    /// Only names that contain this.
    #[serde(default)]
    name_contains: Option<Text<255>>,
    /// Only this state: Stable, Empty, …
    #[serde(default)]
    state: Option<Name>,
    /// Only groups that read this topic.
    #[serde(default)]
    topic: Option<TopicName>,
    /// Only groups at least so many records behind.
    #[serde(default)]
    min_lag: Option<Lag>,
    /// Most groups to give.
    #[serde(default = "fifty")]
    limit: Most,
}

fn fifty() -> Most {
    Int::clamped(50)
}

/// The groups that were found, the one that is furthest behind first.
#[derive(Debug, PartialEq)]
pub(super) struct Lagging {
    records: Records,
    /// How many were found.
    total: usize,
    source: Source,
    data_freshness: Value,
    notes: Vec<String>,
}

/// Who told of the groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    Hq,
    Environments,
}

impl Source {
    const ALL: [Self; 2] = [Self::Hq, Self::Environments];

    fn as_str(self) -> &'static str {
        match self {
            Self::Hq => "hq",
            Self::Environments => "environments",
        }
    }
}

pub(super) async fn find_lagging_consumer_groups(
    call: Call,
    arguments: FindLagging,
) -> Result<Lagging, Error> {
    let query = GroupQuery {
        environment: arguments.environment.map(KnownEnvironmentName::into_name),
        name_contains: arguments.name_contains.map(|text| text.as_str().to_owned()),
        state: arguments.state,
        topic: arguments.topic.map(TopicName::into_name),
        min_lag: arguments.min_lag.map(Int::get),
    };
    let most = usize::try_from(arguments.limit.get()).unwrap_or(usize::MAX);
    match call.lenses.consumer_groups_by_lag(&query).await {
        Ok(GroupsByLag { mut groups, data_freshness }) => {
            let hidden = hide(&mut groups, &*call.policy);
            let records =
                groups.iter().map(|group| move |out: &mut String| group.write("name", out));
            let mut found = Lagging {
                records: fitting(records, most, call.limits),
                total: groups.len(),
                source: Source::Hq,
                data_freshness,
                notes: Vec::new(),
            };
            if hidden {
                let note = "groups of environments that this server does not offer are left out";
                found.notes.push(note.to_owned());
            }
            Ok(found)
        }
        Err(Error::NotFound(_)) => by_environment::find(&call, query, most).await,
        Err(error) => Err(error),
    }
}

/// Takes away the groups of environments that are not offered; whether there were any.
fn hide(groups: &mut RawList, policy: &dyn Offer) -> bool {
    let before = groups.len();
    groups.retain(|group| match environment_of(group) {
        Some(name) => policy.offers_in(&name, TOOL),
        // Nobody can tell whether it is offered.
        None => !policy.depends_on_environment(),
    });
    groups.len() < before
}

/// The environment that a group is in, by its name or as an object that has one.
fn environment_of(group: RawRecord<'_>) -> Option<String> {
    let named = ["environment", "environment_name"].iter().find_map(|name| group.text(name));
    let inside = || {
        let environment: Value = serde_json::from_slice(group.member("environment")?).ok()?;
        Some(environment.get("name")?.as_str()?.to_owned())
    };
    named.map(String::from).or_else(inside)
}

/// The first of the records that `writes` append: at most `most`, and as many as the limit of bytes
/// allows.
fn fitting<W: FnOnce(&mut String)>(
    writes: impl Iterator<Item = W>,
    most: usize,
    limits: Limits,
) -> Records {
    let mut records = Records::with_capacity(0);
    let mut left = limits.bytes;
    for write in writes.take(most) {
        let length = records.push(write);
        // One record is given whatever its length.
        if length >= left && records.count() > 1 {
            records.pop(length);
            break;
        }
        left = left.saturating_sub(length + 1);
    }
    records
}

impl Output for Lagging {
    fn schema() -> Map<String, Value> {
        let mut schema = RawList::schema();
        if let Some(Value::Object(properties)) = schema.get_mut("properties") {
            properties.insert(
                "about".to_owned(),
                json!({
                    "type": "object",
                    "properties": {
                        "source": { "type": "string", "enum": Source::ALL.map(Source::as_str) },
                        "total": { "type": "integer" },
                        "data_freshness": {},
                        "notes": { "type": "array", "items": { "type": "string" } },
                    },
                    "required": ["source", "total", "data_freshness", "notes"],
                }),
            );
        }
        schema
    }

    fn into_result(self) -> ToolResult {
        let Self { records, total, source, data_freshness, mut notes } = self;
        let shown = records.count();
        if shown < total {
            notes.push(format!("only the first {shown} of {total} groups are shown"));
        }
        let about = json!({
            "source": source.as_str(),
            "total": total,
            "data_freshness": data_freshness,
            "notes": notes,
        });
        let note = about.to_string();
        records.end(Some(("about", about))).with_note(note)
    }
}
