//! The bounds on each request.

use std::{num::NonZeroU32, time::Duration};

use super::{
    HOUR, SECOND, SettingsError, parse,
    reader::{Invalid, Reader},
    variable as var,
};
use crate::limits::{USER_SHARE, memory_limit};

/// Bytes in memory at a time if there is no memory limit.
const BUDGET_DEFAULT: usize = 64 << 20;
/// Most bytes in memory at a time.
const BUDGET_MAX: usize = 64 << 30;

/// The bounds on each request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Largest request body, in bytes.
    pub max_body_bytes: usize,
    /// Longest time from a request to its response's head.
    pub request_timeout: Duration,
    /// Calls that one user may make a minute; `None`: any number.
    pub calls_per_minute_per_user: Option<NonZeroU32>,
    /// Longest time from a request's head to the end of its body.
    pub body_timeout: Duration,
    /// Requests and streams answered at a time.
    pub max_concurrent_requests: usize,
    /// Requests and streams of one user answered at a time.
    pub concurrent_requests_per_user: usize,
    /// Bytes of bodies, of HQ's replies and of answers in memory at a time.
    pub memory_budget_bytes: usize,
    /// Largest reply from HQ, in bytes.
    pub response_max_bytes: usize,
    /// Bytes after which a result is cut at a record.
    pub result_max_bytes: usize,
    /// Rows after which a query's result is cut.
    pub sql_max_rows: usize,
    /// Longest time that a query may run.
    pub sql_timeout: Duration,
}

pub(super) fn read(reader: &mut Reader<'_>) -> Result<Limits, Invalid> {
    let max_body_bytes = reader.value(&var::MCP_MAX_BODY_BYTES, parse::count(1024, 64 << 20));
    let request_timeout = reader.value(&var::MCP_REQUEST_TIMEOUT, parse::duration(SECOND, HOUR));
    let max_concurrent_requests =
        reader.value(&var::MCP_MAX_CONCURRENT_REQUESTS, parse::count(1, 65_536));
    let body_timeout = reader.value(&var::MCP_BODY_TIMEOUT, parse::duration(SECOND, HOUR));
    let per_user = reader.value(&var::MCP_CONCURRENT_REQUESTS_PER_USER, parse::count(1, 65_536));
    let budget = reader.optional(&var::MCP_MEMORY_BUDGET_BYTES, parse::count(1 << 20, BUDGET_MAX));
    let calls_per_minute =
        reader.value(&var::MCP_CALLS_PER_MINUTE_PER_USER, |text| match text.parse::<u32>() {
            Ok(calls) if calls <= 1_000_000 => Ok(NonZeroU32::new(calls)),
            _ => Err("write a whole number from 0 (any number of calls) to 1000000".to_owned()),
        });
    let response_max_bytes =
        reader.value(&var::MCP_RESPONSE_MAX_BYTES, parse::count(1024, 64 << 20));
    let result_max_bytes = reader.value(&var::MCP_RESULT_MAX_BYTES, parse::count(1024, 64 << 20));
    let sql_max_rows = reader.value(&var::MCP_SQL_MAX_ROWS, parse::count(1, 1_000_000));
    let sql_timeout = reader.value(&var::MCP_SQL_TIMEOUT, parse::duration(SECOND, HOUR));
    let limits = Limits {
        max_body_bytes: max_body_bytes?,
        request_timeout: request_timeout?,
        body_timeout: body_timeout?,
        max_concurrent_requests: max_concurrent_requests?,
        concurrent_requests_per_user: per_user?,
        memory_budget_bytes: budget?.unwrap_or_else(default_budget),
        calls_per_minute_per_user: calls_per_minute?,
        response_max_bytes: response_max_bytes?,
        result_max_bytes: result_max_bytes?,
        sql_max_rows: sql_max_rows?,
        sql_timeout: sql_timeout?,
    };
    let longest = limits.memory_budget_bytes / USER_SHARE;
    if limits.max_body_bytes > longest {
        return Err(reader.fault(SettingsError::Invalid {
            variable: var::MCP_MAX_BODY_BYTES.name,
            found: limits.max_body_bytes.to_string(),
            remedy: format!(
                "write at most {longest}, one user's quarter of MCP_MEMORY_BUDGET_BYTES ({}), or \
                 raise that: a longer body would get 503 each time",
                limits.memory_budget_bytes
            ),
        }));
    }
    if limits.sql_timeout >= limits.request_timeout {
        return Err(reader.fault(SettingsError::Invalid {
            variable: var::MCP_SQL_TIMEOUT.name,
            found: humantime::format_duration(limits.sql_timeout).to_string(),
            remedy: format!(
                "write less than MCP_REQUEST_TIMEOUT ({}), which would cut the query's answer off",
                humantime::format_duration(limits.request_timeout)
            ),
        }));
    }
    Ok(limits)
}

/// A quarter of what this process may use: each byte that is worked on is there in a few forms.
fn default_budget() -> usize {
    let quarter = memory_limit().map(|limit| limit / 4);
    quarter.and_then(|bytes| usize::try_from(bytes).ok()).unwrap_or(BUDGET_DEFAULT)
}
