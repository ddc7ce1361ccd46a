//! The consumer groups of all environments, the one that is furthest behind first: HQ's own API,
//! which releases before 6.3 lack.

use bytes::Bytes;
use serde_json::Value;

use super::{
    CallerClient, Error, Name, RawList,
    raw::is_complete,
    reply::{NOT_JSON, Reply},
};
use crate::json::{self, Parts};

/// When HQ last looked: a member beside the groups.
const FRESHNESS: &str = "data_freshness";

/// Which groups: the query of `GET /api/v1/consumer-groups`. The default is all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GroupQuery {
    /// Only those of this environment.
    pub environment: Option<Name>,
    /// Only those whose name contains this.
    pub name_contains: Option<String>,
    /// Only those in this state, in Kafka's words.
    pub state: Option<Name>,
    /// Only those that read this topic.
    pub topic: Option<Name>,
    /// Only those that are at least so many records behind.
    pub min_lag: Option<i64>,
}

/// The groups that HQ found.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct GroupsByLag {
    /// The groups, in HQ's order.
    pub groups: RawList,
    /// When HQ last looked, as it says it; null if it does not.
    pub data_freshness: Value,
}

impl CallerClient {
    /// The groups of all environments that the caller may see: `GET /api/v1/consumer-groups`.
    ///
    /// # Errors
    ///
    /// [`Error`]; [`Error::NotFound`] if HQ is of a release that lacks it.
    pub async fn consumer_groups_by_lag(&self, query: &GroupQuery) -> Result<GroupsByLag, Error> {
        let min_lag = query.min_lag.map(|lag| lag.to_string());
        let mut endpoint = self.endpoint("api/v1/consumer-groups");
        for (name, value) in [
            ("name_contains", query.name_contains.as_deref()),
            ("state", query.state.as_ref().map(Name::as_str)),
            ("environment", query.environment.as_ref().map(Name::as_str)),
            ("topic", query.topic.as_ref().map(Name::as_str)),
            ("min_lag", min_lag.as_deref()),
        ] {
            if let Some(value) = value {
                endpoint = endpoint.query(name, value);
            }
        }
        self.get("find_lagging_consumer_groups", endpoint, GroupsByLag::read).await
    }
}

impl GroupsByLag {
    /// A list of groups, bare or in an object. How HQ calls the list there is not documented.
    fn read(reply: Reply) -> Result<Self, Error> {
        match reply {
            Reply::Json(json) if json.trim_ascii_start().starts_with(b"{") => {
                if !is_complete(&json) {
                    return Err(NOT_JSON);
                }
                let freshness = json::member(&json, FRESHNESS);
                Ok(Self {
                    groups: first_list(&json).map_or(Ok(RawList::default()), |list| {
                        Reply::Json(json.slice_ref(list)).list()
                    })?,
                    data_freshness: freshness
                        .and_then(|freshness| serde_json::from_slice(freshness).ok())
                        .unwrap_or_default(),
                })
            }
            other => Ok(Self { groups: other.list()?, ..Self::default() }),
        }
    }
}

/// The first member of `object` that is a list of groups.
fn first_list(object: &Bytes) -> Option<&[u8]> {
    let members = Parts::of_object(object).map_while(Result::ok);
    let lists = members.filter_map(|member| {
        let is_freshness = json::text(object.get(member.key)?)? == FRESHNESS;
        object.get(member.value).filter(|value| value.starts_with(b"[") && !is_freshness)
    });
    lists.into_iter().next()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(text: &str) -> Result<GroupsByLag, Error> {
        GroupsByLag::read(Reply::Json(Bytes::copy_from_slice(text.as_bytes())))
    }

    #[test]
    fn groups_are_found_however_hq_calls_their_list() {
        for (reply, names, freshness) in [
            (r#"[{"name":"a"}]"#, vec!["a"], Value::Null),
            (r#"{"items":[{"name":"b"},{"name":"a"}]}"#, vec!["b", "a"], Value::Null),
            (
                r#"{"data_freshness":[{"environment":"dev"}],"total":1,"groups":[{"name":"a"}]}"#,
                vec!["a"],
                json!([{ "environment": "dev" }]),
            ),
            (r#"{"items":null,"data_freshness":"now"}"#, vec![], json!("now")),
            ("{}", vec![], Value::Null),
        ] {
            let found = read(reply).unwrap();
            let found_names: Vec<_> =
                found.groups.iter().map(|group| group.text("name").unwrap().into_owned()).collect();
            assert_eq!(
                (found_names, found.data_freshness),
                (names.into_iter().map(String::from).collect(), freshness),
                "{reply}"
            );
        }
        assert_eq!(GroupsByLag::read(Reply::Empty).unwrap(), GroupsByLag::default());
    }

    #[test]
    fn a_reply_of_another_shape_is_an_error() {
        for reply in ["[1]", "7", "{", r#"{"items":[{}"#, r#"{"items":["a"]}"#] {
            assert!(matches!(read(reply), Err(Error::Unreadable { .. })), "{reply}");
        }
    }
}
