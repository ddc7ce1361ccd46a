//! The environments whose resources are listed, a page at a time.

use crate::{
    json,
    lenses::{RawList, RawRecord},
};

/// Environments of one page of the list; each is up to two resources.
const PAGE: usize = 200;

/// An environment as it is listed.
#[derive(Debug, PartialEq, Eq)]
pub struct Environment {
    /// Its name.
    pub name: String,
    /// Its name for people.
    pub title: String,
    /// Whether its agent is connected: what lies behind the agent can be read only then.
    pub is_connected: bool,
}

/// The environments of `list` that follow the one called `after` and that are offered, in the order
/// of their names; and, if there are more than fit on a page, the name of the last one.
#[must_use]
pub fn page_of(
    list: &RawList,
    after: Option<&str>,
    is_offered: impl Fn(&str) -> bool,
) -> (Vec<Environment>, Option<String>) {
    let follows = |name: &str| after.is_none_or(|after| name > after);
    let mut page: Vec<_> = list
        .iter()
        .filter_map(environment)
        .filter(|found| follows(&found.name) && is_offered(&found.name))
        .collect();
    page.sort_by(|left, right| left.name.cmp(&right.name));
    let has_more = page.len() > PAGE;
    page.truncate(PAGE);
    let next = page.last().filter(|_| has_more).map(|found| found.name.clone());
    (page, next)
}

fn environment(record: RawRecord<'_>) -> Option<Environment> {
    let name = record.text("name")?.into_owned();
    let title = record.text("display_name").map_or_else(|| name.clone(), Into::into);
    let status = record.member("status").unwrap_or_default();
    let is_connected = json::member(status, "agent_connected") == Some(b"true");
    Some(Environment { name, title, is_connected })
}
