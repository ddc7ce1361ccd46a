//! Which requests are asked for: the query of `GET …/api/v1/approvals`.

use serde_json::{Value, json};
use url::form_urlencoded;

use crate::hq::agent_error::AgentError;
use crate::hq::approvals::{Request, Status};

/// The largest page.
const MAX_PAGE_SIZE: usize = 1_000;

/// Which requests are asked for.
#[derive(Debug)]
pub(super) struct Query {
    statuses: Vec<Status>,
    entity_name: Option<String>,
    page: usize,
    page_size: usize,
    sort: Sort,
    descending: bool,
}

#[derive(Debug, Clone, Copy)]
enum Sort {
    EntityName,
    CreatedBy,
    CreatedAt,
}

impl Query {
    /// # Errors
    /// The agent's `ValidationError` with every parameter that is wrong.
    pub(super) fn parse(query: &str) -> Result<Self, AgentError> {
        let mut parsed = Self {
            statuses: Vec::new(),
            entity_name: None,
            page: 1,
            page_size: 0,
            sort: Sort::CreatedAt,
            descending: false,
        };
        let mut faults = Vec::new();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let number = || value.parse::<usize>().ok().filter(|number| *number > 0);
            match name.as_ref() {
                "approvalStatus" => match serde_json::from_value(json!(value)) {
                    Ok(status) => parsed.statuses.push(status),
                    Err(error) => faults.push(("approvalStatus", error.to_string())),
                },
                "entityName" => parsed.entity_name = Some(value.into_owned()),
                "page" => match number() {
                    Some(page) => parsed.page = page,
                    None => faults.push(("page", "must be a number from 1".to_owned())),
                },
                "pageSize" => parsed.page_size = number().unwrap_or_default(),
                "sortField" => match value.as_ref() {
                    "entityName" => parsed.sort = Sort::EntityName,
                    "createdBy" => parsed.sort = Sort::CreatedBy,
                    "createdAt" => parsed.sort = Sort::CreatedAt,
                    _ => faults.push((
                        "sortField",
                        "must be entityName, createdBy or createdAt".to_owned(),
                    )),
                },
                "sortOrder" if matches!(value.as_ref(), "asc" | "desc") => {
                    parsed.descending = value == "desc";
                }
                "sortOrder" => faults.push(("sortOrder", "must be asc or desc".to_owned())),
                _ => {}
            }
        }
        if !(1..=MAX_PAGE_SIZE).contains(&parsed.page_size) {
            faults.push(("pageSize", format!("is required, a number from 1 to {MAX_PAGE_SIZE}")));
        }
        if faults.is_empty() { Ok(parsed) } else { Err(AgentError::invalid(faults)) }
    }

    /// The page of `requests` that is asked for, with how many there are in all.
    pub(super) fn page(&self, mut requests: Vec<Request>) -> Value {
        requests.retain(|request| {
            (self.statuses.is_empty() || self.statuses.contains(&request.approval_status))
                && self.entity_name.as_ref().is_none_or(|name| *name == request.entity_name)
        });
        match self.sort {
            Sort::EntityName => {
                requests.sort_by(|left, right| left.entity_name.cmp(&right.entity_name));
            }
            Sort::CreatedBy => {
                requests.sort_by(|left, right| left.created_by.cmp(&right.created_by));
            }
            Sort::CreatedAt => requests.sort_by_key(|request| request.created_at),
        }
        if self.descending {
            requests.reverse();
        }
        let total = requests.len();
        let skipped = (self.page - 1).saturating_mul(self.page_size);
        let values: Vec<_> = requests.into_iter().skip(skipped).take(self.page_size).collect();
        json!({
            "values": values, "pagesAmount": total.div_ceil(self.page_size), "totalCount": total
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invalid_query_is_refused_and_a_page_must_state_its_size() {
        assert!(
            Query::parse(
                "page=1&pageSize=25&approvalStatus=Pending&sortField=createdBy&sortOrder=desc"
            )
            .is_ok()
        );
        for query in [
            "",
            "pageSize=0",
            "pageSize=1001",
            "pageSize=25&page=0",
            "pageSize=25&approvalStatus=pending",
            "pageSize=25&sortField=id",
            "pageSize=25&sortOrder=up",
        ] {
            assert!(Query::parse(query).is_err(), "{query}");
        }
    }
}
