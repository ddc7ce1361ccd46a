//! The queries that run: what SHOW QUERIES lists and KILL QUERY ends. Bounded, in all and for each
//! user, as agents do since 6.1.3.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::lock;

const MAX_RUNNING: usize = 100;
const MAX_RUNNING_PER_USER: usize = 25;

/// The queries that run on an agent.
#[derive(Clone, Default)]
pub(crate) struct Queries(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    last_id: u64,
    running: BTreeMap<u64, Entry>,
}

struct Entry {
    sql: String,
    user: String,
    started_at: Timestamp,
    killed: CancellationToken,
}

/// A query that runs; it no longer does when this is dropped.
pub(crate) struct RunningQuery {
    pub(crate) id: u64,
    pub(crate) started_at: Timestamp,
    /// Cancelled by KILL QUERY.
    pub(crate) killed: CancellationToken,
    queries: Queries,
}

impl Queries {
    /// # Errors
    /// A sentence for the ERROR frame when too many run.
    pub(crate) fn start(
        &self,
        sql: &str,
        user: &str,
        now: Timestamp,
    ) -> Result<RunningQuery, String> {
        let mut state = lock(&self.0);
        let own = state.running.values().filter(|query| query.user == user).count();
        if state.running.len() >= MAX_RUNNING || own >= MAX_RUNNING_PER_USER {
            return Err(format!(
                "too many queries are running: at most {MAX_RUNNING_PER_USER} for a user and \
                 {MAX_RUNNING} in all"
            ));
        }
        state.last_id += 1;
        let id = state.last_id;
        let killed = CancellationToken::new();
        let query = Entry {
            sql: sql.to_owned(),
            user: user.to_owned(),
            started_at: now,
            killed: killed.clone(),
        };
        state.running.insert(id, query);
        Ok(RunningQuery { id, started_at: now, killed, queries: self.clone() })
    }

    /// Whether there was such a query.
    pub(crate) fn kill(&self, id: u64) -> bool {
        lock(&self.0).running.get(&id).inspect(|query| query.killed.cancel()).is_some()
    }

    /// As rows of SHOW QUERIES.
    pub(crate) fn rows(&self) -> Vec<Value> {
        let row = |(id, query): (&u64, &Entry)| {
            json!({
                "id": id, "sql": query.sql, "user": query.user,
                "startedAt": query.started_at.to_string(), "state": "RUNNING"
            })
        };
        lock(&self.0).running.iter().map(row).collect()
    }
}

impl Drop for RunningQuery {
    fn drop(&mut self) {
        lock(&self.queries.0).running.remove(&self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_running_query_is_listed_and_one_user_cannot_take_all() {
        let queries = Queries::default();
        let mut started: Vec<_> = (0..MAX_RUNNING_PER_USER)
            .map(|_| queries.start("SELECT", "bob", Timestamp::UNIX_EPOCH).ok().unwrap())
            .collect();
        assert!(queries.start("SELECT", "bob", Timestamp::UNIX_EPOCH).is_err());
        assert!(queries.start("SELECT", "alice", Timestamp::UNIX_EPOCH).is_ok());
        let last = started.pop().unwrap();
        assert!(queries.kill(last.id) && last.killed.is_cancelled() && !queries.kill(9_999));
        drop((last, started));
        assert!(queries.rows().is_empty());
    }
}
