//! What of the catalogue is asked for: the query of `GET …/api/v1/datasets`.

use url::form_urlencoded;

use super::CONNECTION;
use crate::hq::agent_error::AgentError;
use crate::hq::kafka::Topic;

const MAX_PAGE_SIZE: usize = 1_000;

/// What of the catalogue is asked for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Query {
    page: usize,
    pub(super) page_size: usize,
    search: Option<String>,
    search_fields: bool,
    connections: Vec<String>,
    tags: Vec<String>,
    sort: Sort,
    descending: bool,
    system: bool,
    schema_format: Option<String>,
    has_records: Option<bool>,
    is_compacted: Option<bool>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sort {
    Name,
    Records,
    Partitions,
}

impl Query {
    /// # Errors
    /// The agent's `ValidationError` with every parameter that is wrong.
    pub(super) fn parse(query: &str) -> Result<Self, AgentError> {
        let mut parsed = Self {
            page: 1,
            page_size: 25,
            search: None,
            search_fields: true,
            connections: Vec::new(),
            tags: Vec::new(),
            sort: Sort::Name,
            descending: false,
            system: false,
            schema_format: None,
            has_records: None,
            is_compacted: None,
        };
        let mut faults = Vec::new();
        let mut check = |name: &'static str, good: Option<()>, expected: &str| {
            if good.is_none() {
                faults.push((name, format!("must be {expected}")));
            }
        };
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let count = |bound| value.parse().ok().filter(|count| (1..=bound).contains(count));
            let flag = value.parse::<bool>().ok();
            match name.as_ref() {
                "page" => check(
                    "page",
                    count(usize::MAX).map(|page| parsed.page = page),
                    "a number from 1",
                ),
                "pageSize" => check(
                    "pageSize",
                    count(MAX_PAGE_SIZE).map(|size| parsed.page_size = size),
                    "a number from 1 to 1000",
                ),
                "search" => {
                    parsed.search = Some(value.to_lowercase()).filter(|search| !search.is_empty());
                }
                "searchFields" => check(
                    "searchFields",
                    flag.map(|flag| parsed.search_fields = flag),
                    "true or false",
                ),
                "connections" => parsed.connections.push(value.into_owned()),
                "tags" => parsed.tags.push(value.into_owned()),
                "sortField" => check(
                    "sortField",
                    Sort::parse(&value).map(|sort| parsed.sort = sort),
                    "name, records or partitions",
                ),
                "sortOrder" => {
                    let order = matches!(value.as_ref(), "asc" | "desc")
                        .then(|| parsed.descending = value == "desc");
                    check("sortOrder", order, "asc or desc");
                }
                "includeSystemEntities" => {
                    check(
                        "includeSystemEntities",
                        flag.map(|flag| parsed.system = flag),
                        "true or false",
                    );
                }
                "schemaFormat" => parsed.schema_format = Some(value.into_owned()),
                "hasRecords" => check(
                    "hasRecords",
                    flag.map(|flag| parsed.has_records = Some(flag)),
                    "true or false",
                ),
                "isCompacted" => {
                    check(
                        "isCompacted",
                        flag.map(|flag| parsed.is_compacted = Some(flag)),
                        "true or false",
                    );
                }
                _ => {}
            }
        }
        if faults.is_empty() { Ok(parsed) } else { Err(AgentError::invalid(faults)) }
    }

    /// The page that is asked for, and how many datasets there are on all pages.
    pub(super) fn select<'kafka>(
        &self,
        topics: impl Iterator<Item = &'kafka Topic>,
    ) -> (Vec<&'kafka Topic>, usize) {
        let mut found: Vec<_> = topics.filter(|topic| self.matches(topic)).collect();
        match self.sort {
            Sort::Name => {}
            Sort::Records => found.sort_by_key(|topic| topic.log.len()),
            Sort::Partitions => found.sort_by_key(|topic| topic.log.partitions()),
        }
        if self.descending {
            found.reverse();
        }
        let total = found.len();
        let skipped = (self.page - 1).saturating_mul(self.page_size);
        (found.into_iter().skip(skipped).take(self.page_size).collect(), total)
    }

    fn matches(&self, topic: &Topic) -> bool {
        let found = |search: &String| {
            topic.name.to_lowercase().contains(search)
                || self.search_fields
                    && topic.fields.iter().any(|field| field.name.to_lowercase().contains(search))
        };
        (self.system || !topic.is_system())
            && self.search.as_ref().is_none_or(found)
            && (self.connections.is_empty()
                || self.connections.iter().any(|name| name == CONNECTION))
            && (self.tags.is_empty() || self.tags.iter().any(|tag| topic.tags.contains(tag)))
            && self
                .schema_format
                .as_ref()
                .is_none_or(|format| format.eq_ignore_ascii_case(&topic.value_type))
            && self.has_records.is_none_or(|wanted| wanted == (topic.log.len() > 0))
            && self.is_compacted.is_none_or(|wanted| wanted == topic.is_compacted())
    }
}

impl Sort {
    fn parse(value: &str) -> Option<Self> {
        match value {
            "name" => Some(Self::Name),
            "records" => Some(Self::Records),
            "partitions" => Some(Self::Partitions),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_read_with_its_repeats_and_its_encoding() {
        let query = Query::parse(
            "page=2&pageSize=5&search=A%26b&tags=pii&tags=x&sortField=records&sortOrder=desc&\
             hasRecords=false",
        )
        .unwrap();
        assert_eq!((query.page, query.page_size, query.search.as_deref()), (2, 5, Some("a&b")));
        assert_eq!((query.tags.len(), query.sort, query.descending), (2, Sort::Records, true));
        assert_eq!((query.has_records, query.is_compacted), (Some(false), None));
    }

    #[test]
    fn a_bad_query_is_refused() {
        for bad in [
            "page=0",
            "page=x",
            "pageSize=1001",
            "sortOrder=up",
            "sortField=colour",
            "hasRecords=True",
            "includeSystemEntities=1",
        ] {
            assert!(Query::parse(bad).is_err(), "{bad}");
        }
    }
}
